"""procession, `multiprocessing` and packages from PyPI, measured side by side in one run.

Every measurement is a process of its own, a *cell*, which does one kind of work with one side once. The
cells of a row run in turn, round by round, so that a machine that becomes slower or busier meanwhile does
so for all of them.

| room | what it holds |
|---|---|
| `sides` | who is measured, and how their objects are made |
| `work` | what is measured, written once for all sides that have the interface of `multiprocessing` |
| `rows` | the table: work, sides, targets |
| `clock` | wall time, and the CPU time of a process with all below it |
| `cell` | one measurement |
| `rounds` | running the rows |
| `reasons` | why a target is missed, written by hand in reasons.toml |
| `page`, `figure`, `machine`, `plot` | the page and the picture |
| `command` | the command line |
"""
