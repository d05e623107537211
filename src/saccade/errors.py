"""The one exception that means "the input is at fault", and what to tell the user of any."""

import re

MAX_MESSAGE = 300
"""Characters of the longest message; a damaged file may have a name or a value of any length."""

_LINE_BREAKS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_WORDS = re.compile(r"(\S{28})\S{4,}(\S{28})")


class InputError(ValueError):
    """Bad input from the caller.

    The message is one line that names the thing, says what is wrong with it and what would be
    right, so that a command line can print it as it is and a server can answer 4xx with it. One
    of more than `MAX_MESSAGE` characters loses its middle; `full` has all of it.
    """

    def __init__(self, message: object = "") -> None:
        self.full = str(message)
        super().__init__(shorten(self.full))


def shorten(text: str, most: int = MAX_MESSAGE) -> str:
    """Return a text on one line of at most `most` characters.

    Where it is longer, words of more than 60 characters lose their middle, and then the text.

    Example:
        >>> shorten("a long text with a far end", 18)
        'a long  ... ar end'
    """
    text = _LINE_BREAKS.sub(" ", printable(text))
    if len(text) <= most:
        return text
    text = _LONG_WORDS.sub(r"\1...\2", text)
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 5]} ... {text[len(text) - end :]}"


def printable(text: object) -> str:
    r"""Return a text whose bytes of a file name that are no UTF-8 are escaped, as in `ls`.

    Python keeps such bytes as lone surrogates, which can be written to no UTF-8 file, JSON answer
    or terminal.

    Example:
        >>> printable("caf" + chr(0xDCE9) + ".png")
        'caf\\xe9.png'
    """
    return _SURROGATE.sub(_escaped, str(text))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def message_of(error: Exception) -> str:
    """Return what to tell the user, on one line.

    The message of an `InputError` stands as it is; of a failed system call the path and the
    reason; whatever else is a bug or a full memory, and its type helps whoever reads a report.
    """
    text = " ".join(printable(error).split())
    if isinstance(error, InputError):
        return text
    if isinstance(error, OSError) and error.strerror:
        return (
            printable(f"{error.filename}: {error.strerror}") if error.filename else error.strerror
        )
    return f"unexpected {type(error).__name__}: {text}"
