"""What a function can reach: its log, its parameters, the batch's time and random numbers.

In a component these are the host's; elsewhere (in tests) lines go to stderr, there are no
parameters but the defaults, and time stands still.
"""

import sys

try:
    from wit_world.imports import host as _host
except ImportError:
    _host = None


def _log(level: str, message) -> None:
    if _host is None:
        print(f"{level}: {message}", file=sys.stderr)
    else:
        _host.log(_host.Level[level.upper()], str(message))


def debug(message) -> None:
    """Logs a line."""
    _log("debug", message)


def info(message) -> None:
    """Logs a line."""
    _log("info", message)


def warn(message) -> None:
    """Logs a line."""
    _log("warn", message)


def error(message) -> None:
    """Logs a line."""
    _log("error", message)


def now() -> int:
    """The batch's event time in microseconds since 1970; not a clock."""
    return 0 if _host is None else _host.now()


def random() -> int:
    """The next of a sequence of 64-bit numbers that the host seeds from the batch."""
    return 0x9E3779B97F4A7C15 if _host is None else _host.random()


def parameter(name: str) -> str | None:
    """The text form of a parameter."""
    return None if _host is None else _host.parameter(name)


evaluate = None if _host is None else _host.evaluate
"""Arithmetic over whole columns."""


class LogFile:
    """A text file whose lines are logged: what `print` writes to in a component."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, level: str):
        self._level = level
        self._line = ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            _log(self._level, line)
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True
