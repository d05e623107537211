"""The one exception that means "the input is at fault", importable from everywhere."""


class InputError(ValueError):
    """Bad input from the caller.

    The message is one line that names the thing, says what is wrong with it and what would be
    right, so that a command line can print it as it is and a server can answer 4xx with it.
    """
