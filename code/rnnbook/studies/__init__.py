"""Studies: experiments that merely count. They run once and are recorded; the chapters show them.

A study is a module of this folder with

- THREADS, how many threads of PyTorch one run uses (the runs share the cores);
- RUNS, a dictionary from the name of each run to its settings;
- run(settings, stop=None), which carries one out and returns what is to be kept: numbers and
  lists of numbers, among them "trace", the loss of each step, of which the first ones are kept.
  With `stop` it ends after so many steps and need return no more than the trace.

`python -m rnnbook study NAME` makes its record, `records/NAME.json`, and goes on where it was
interrupted. When code that the record rests on has been changed, in a way that should not matter,
`--confirm` runs the first steps of every run again and compares their losses.
"""
