"""The command line. One module per verb; nothing else in Saccade imports from here."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 done, 1 bad input, 2 bad usage, 130 interrupted."""
    try:
        from saccade.cli.app import app

        app(prog_name="saccade")
    except KeyboardInterrupt:  # before a verb has anything of its own to say
        sys.exit(130)
