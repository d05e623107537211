"""The papers' tables and figures, ours beside theirs; ``saccade experiment`` runs them.

`engine` is what they share; `gdc`, `dsnet` and `mdc` are one paper each and do not know each other.
"""
