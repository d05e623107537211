"""``python -m saccade.cli``, for where the ``saccade`` script is not on the path."""

from saccade.cli import main

main()
