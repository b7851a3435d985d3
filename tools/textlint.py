"""`make textlint`: what textlint, which knows Japanese grammar, finds in the Japanese edition.

npm fetches it, the first time, from whichever registry it is set up to use. Each message is given
to it without its markup; the rules are those of technical writing, as far as the style sheet of
the edition, book/locale/ja/STYLE.md, agrees with them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bookbuild.catalogues import messages
from built import BUILD, ROOT
from rnnbook.files import write_atomically

PACKAGES = {"textlint": "15.8.0", "textlint-rule-preset-ja-technical-writing": "12.0.2"}
TOOL = BUILD / "textlint"
CATALOGUES = ROOT / "book" / "locale" / "ja" / "LC_MESSAGES" / "book"
RULES = {
    "sentence-length": {"max": 120},
    "max-ten": {"max": 4},  # 、 in a sentence
    "max-kanji-continuous-len": {"max": 8, "allow": ["通時的誤差逆伝播法"]},
    "ja-no-successive-word": {"allow": ["「", "」", "）", "…", "？", "/[A-Za-z0-9]+/"]},
    # The style sheet decides otherwise, or a message alone does not show it.
    "arabic-kanji-numbers": False,  # 一つ, 二つ
    "ja-no-mixed-period": False,  # headings and cells of tables are messages, too
    "ja-no-weak-phrase": False,  # a hedge may be what is true
    "ja-unnatural-alphabet": False,  # names of quantities
    "max-comma": False,  # within code and formulas
    "no-doubled-conjunction": False,  # 一方 is one, and it finds it in 一方向
    "no-doubled-joshi": False,  # 横も縦も
    "no-exclamation-question-mark": False,  # the book asks before it answers
    "no-mix-dearu-desumasu": False,  # alternative texts are in である
}
# What stands for formulas, code, roles and intervals.
SIGNS = {r"\{[\w:]+\}`[^`]+`": "X", r"\$[^$]+\$": "x", r"`+[^`]+`+": "C", r"\[-?\d, \d\)": "x"}


def obstacle() -> str:
    """Why the tests do not check the Japanese here; nothing if they can."""
    if os.environ.get("CI"):
        return "the Japanese is checked by a step of its own, `make textlint`"
    if not shutil.which("npm"):
        return "the Japanese was not checked: there is no npm"
    try:
        install()
    except subprocess.CalledProcessError:
        return "the Japanese was not checked: npm could not fetch textlint"
    return ""


def install() -> None:
    """Fetch textlint and its rules into _build, unless these versions are there."""
    wanted = json.dumps({"private": True, "dependencies": PACKAGES})
    done = TOOL / "installed.json"
    if not done.exists() or done.read_text("utf-8") != wanted:
        shutil.rmtree(TOOL, ignore_errors=True)
        write_atomically(TOOL / "package.json", wanted.encode())
        options = "--silent --no-audit --no-fund --no-package-lock --ignore-scripts"
        command = ["npm", "install", *options.split()]
        subprocess.run(command, cwd=TOOL, check=True, stdout=subprocess.DEVNULL)
        write_atomically(done, wanted.encode())


def plain(message: str) -> str:
    """A message as one reads it: without markup, and with a sign for a formula or for code."""
    for markup, sign in SIGNS.items():
        message = re.sub(markup, sign, message)
    message = re.sub(r"\[([^]]*)\]\([^)]+\)", lambda link: link[1] or "「節」", message)
    message = re.sub(r"（((?:[^（）]|（[^（）]*）)*。)）", r"\1", message)  # sentences of their own
    return message.replace("*", "").replace("\n", " ")


def findings(texts: dict[str, list[str]]) -> list[str]:
    """What textlint has to say about the paragraphs of each page; nothing if all is well."""
    folder = TOOL / "texts"
    shutil.rmtree(folder, ignore_errors=True)
    for name, paragraphs in texts.items():
        write_atomically(folder / f"{name}.txt", "\n\n".join(paragraphs).encode())
    config = {"rules": {"preset-ja-technical-writing": RULES}}
    write_atomically(TOOL / ".textlintrc.json", json.dumps(config).encode())
    command = ["npx", "--no-install", "textlint", "--format", "json", *sorted(folder.iterdir())]
    result = subprocess.run(command, cwd=TOOL, capture_output=True, encoding="utf-8")
    if result.returncode not in (0, 1):  # 1: something was found
        raise RuntimeError(result.stderr)
    found = []
    for page in json.loads(result.stdout):
        name = Path(page["filePath"]).stem
        for fault in page["messages"]:
            said = fault["message"].split("\n")[0]
            found.append(f"{name}: {said} {texts[name][fault['line'] // 2]}")
    return found


def edition() -> dict[str, list[str]]:
    """The Japanese messages of each page."""
    return {
        path.stem: [
            plain(message.string)
            for message in messages(path)
            if re.search("[ぁ-ん]", message.string)
        ]
        for path in sorted(CATALOGUES.glob("*.po"))
    }


def main() -> int:
    install()
    found = findings(edition())
    print("\n".join(found) or "textlint finds nothing in the Japanese edition.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
