# For one chapter: `make chapter NAME=lstm`. For all: `make book` and `make test`. `make help` lists
# the others.

PYTHON ?= python3
PY = .venv/bin/python

.PHONY: help chapter book test check serve zip audit validate textlint links ratio bench long lint mutants \
        workflow locale oldest newest clean

help:  ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1	/'

.venv/ready: pyproject.toml code/bookbuild/pyproject.toml requirements.txt constraints.txt
	@echo "== Installing into .venv (a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

chapter: .venv/ready  ## Build and open one chapter, and again as it changes: make chapter NAME=lstm
	@$(PY) -m bookbuild chapter $(NAME)

book: .venv/ready  ## Build the site, in both languages, in _build/html
	@$(PY) -m bookbuild

test: .venv/ready  ## Build the book as far as that is needed, and run every test
	@if $(PY) -m bookbuild; then export BOOK_IS_BUILT=yes; \
	    else echo "== The book does not build; the tests say what is wrong"; fi; \
	    $(PY) -m pytest -n 2

check: .venv/ready  ## Run the tests of the library alone, in a minute: no build, no browser
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 tests/library

serve: .venv/ready  ## Show the book at http://127.0.0.1:8000 and build again what changes
	@.venv/bin/jupyter-book config sphinx . >/dev/null
	@$(PY) -m sphinx_autobuild . _build/html -d _build/.doctrees --watch code \
	    --ignore '*/_build/*' --ignore '*/.venv/*' --ignore '*/conf.py'

zip: book  ## The site as one file for reading without a network, _build/html/rnnbook.zip
	@$(PY) -m bookbuild zip

audit: book  ## Measure how fast every page is on a slow phone, and the live figures here
	@$(PY) tools/audit.py

validate: book  ## Check the HTML of every page (needs Java and npm, which fetches the checker)
	@$(PY) tools/validate.py

textlint: .venv/ready  ## Check the Japanese of the Japanese edition (needs npm, which fetches textlint)
	@$(PY) tools/textlint.py

links: .venv/ready  ## Try the links to other sites; the book is built first
	@$(PY) -m bookbuild && $(PY) -m bookbuild links

ratio: .venv/ready  ## Measure what running chapters side by side gains (an hour)
	@$(PY) tools/ratio.py

bench: .venv/ready  ## Measure how fast training runs on this machine (JSON)
	@$(PY) -m rnnbook bench

long: .venv/ready  ## Train the two large models of the chapter "Hold a record fairly", or go on with them
	@seq 0 1 | OMP_NUM_THREADS=1 xargs -P 2 -I{} $(PY) -m rnnbook train shakespeare \
	    --long --seed {} --output runs/long-{}.pt --resume

lint: .venv/ready  ## Check style, types, spelling, layers and workflows, and the JavaScript
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m codespell_lib && \
	    .venv/bin/lint-imports && $(PY) -m pyrefly check --python-interpreter-path $(PY) && \
	    .venv/bin/zizmor --quiet --offline .github && $(PY) tools/javascript.py

mutants: .venv/ready  ## Put small faults into the library, one at a time: do its tests notice?
	@$(PY) tools/mutants.py

workflow: .venv/ready  ## Run the commands of GitHub's workflow here, in a fresh clone
	@$(PY) tools/workflow.py

locale: .venv/ready  ## Bring the Japanese catalogues up to date with the chapters
	@$(PY) -m bookbuild && $(PY) -m bookbuild locale

oldest:  ## Install the oldest releases of the libraries that pyproject.toml allows
	$(PYTHON) -m venv .venv
	sed -n 's/^ *"\([a-z0-9-]*\)>=\([0-9.]*\)",/\1==\2.*/p' pyproject.toml > .venv/oldest.txt
	sed 's/==.*/==/' .venv/oldest.txt | grep -vFf - constraints.txt > .venv/pins.txt
	grep -v '^-c' requirements.txt > .venv/tools.txt
	$(PY) -m pip install --quiet -r .venv/tools.txt -c .venv/oldest.txt -c .venv/pins.txt
	touch .venv/ready

newest:  ## Install the newest releases of everything; constraints.txt does not count
	$(PYTHON) -m venv .venv
	grep -v '^-c' requirements.txt > .venv/newest.txt
	$(PY) -m pip install --quiet --upgrade -r .venv/newest.txt
	touch .venv/ready

clean:  ## Remove what was built; the environment and the data stay
	rm -rf _build
