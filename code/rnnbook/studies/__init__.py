"""Studies: experiments that merely count. They run once and are recorded; the chapters show them.

A study is a module of this folder with

- THREADS, how many threads of PyTorch one run uses (its numbers depend on them);
- RUNS, a dictionary from the name of each run to its settings;
- run(settings, stop=None), which carries one out and returns what is to be kept: numbers and
  lists of numbers, among them "trace", the loss of each step, of which the first ones are kept.
  With `stop` it ends after so many steps and need return no more than the trace.

A run depends on its settings alone, whichever process carries it out and whatever that has done
before: it seeds all random numbers. What several studies share is in the folder `shared`.

`python -m rnnbook study NAME…` makes the records, `records/NAME.json`, and goes on where it was
interrupted. When code that a record rests on has been changed, in a way that should not matter,
`--confirm` runs the first steps of every run again and compares their losses.
"""
