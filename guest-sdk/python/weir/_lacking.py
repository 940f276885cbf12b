"""What a function cannot have: clocks, files, a network, an environment.

CPython would ask a system for them that is not there, and end the call without a word. So what asks is
replaced before any module of the function is loaded, for a module may keep what it imports. While the component
is built all of it works still; `seal`, at the first call, ends that.
"""

import builtins
import datetime
import gc
import importlib.machinery
import io
import linecache
import os
import sys
import time
import traceback
# What tracebacks are made with, and load only when they are.
import ast, tokenize, unicodedata  # noqa: E401, F401

from . import _host

_sealed = False

CLOCK = "clock; weir.now() is the batch's event time"
ENVIRONMENT = "environment; take a parameter"
FILES = "files"
NETWORK = "network"


def _lacks(what: str) -> OSError:
    return OSError(f"a Weir function has no {what}")


def _guarded(original, what: str, allowed=None):
    """The original while the component is built, and for arguments that ask nothing of a system."""

    def guarded(*arguments, **named):
        if _sealed and not (allowed and allowed(arguments)):
            raise _lacks(what)
        return original(*arguments, **named)

    guarded.__name__ = getattr(original, "__name__", "lacking")
    return guarded


def _guard(module, names: str, what: str, allowed=None) -> None:
    for name in names.split():
        original = getattr(module, name, None)
        if original is not None:
            setattr(module, name, _guarded(original, what, allowed))


def _guard_methods(type, names: str, what: str) -> None:
    """Class methods of a type that is written in C and closed for good: in its dictionary, where they are found as
    long as nobody has asked for them before."""
    (methods,) = gc.get_referents(type.__dict__)
    for name in names.split():

        def guarded(cls, *arguments, _original=methods[name], **named):
            if _sealed:
                raise _lacks(what)
            return _original.__get__(None, cls)(*arguments, **named)

        methods[name] = classmethod(guarded)


class _Environment(dict):
    def __missing__(self, name):
        raise KeyError(f"a Weir function has no {ENVIRONMENT}: {name}")


class _Late:
    """The last place where a module is looked for."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        raise ModuleNotFoundError(f"`{name}` has to be imported at the top of a file: a Weir function has no {FILES}")


def _random_bytes(count: int) -> bytes:
    words = (_host.random().to_bytes(8, "little") for _ in range((count + 7) // 8))
    return b"".join(words)[:count]


def prepare() -> None:
    """Before the function's own modules are loaded."""
    _guard(time, "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns "
           "thread_time thread_time_ns clock_gettime clock_gettime_ns", CLOCK)
    # With a time they only reckon.
    _guard(time, "localtime gmtime ctime", CLOCK, allowed=lambda arguments: arguments and arguments[0] is not None)
    _guard(time, "asctime", CLOCK, allowed=lambda arguments: len(arguments) > 0)
    _guard(time, "strftime", CLOCK, allowed=lambda arguments: len(arguments) > 1)
    _guard(time, "sleep", "time to sleep")
    # `today` asks `time.time`.
    _guard_methods(datetime.datetime, "now utcnow", CLOCK)
    opened = _guarded(builtins.open, FILES)
    builtins.open = io.open = opened
    _guard(builtins, "input", "input")
    _guard(os, "open listdir scandir stat lstat mkdir makedirs remove unlink rename replace rmdir access walk getcwd",
           FILES)
    _guard(os, "system popen fork execv execve spawnv posix_spawn", "programs")


def keep_traces() -> None:
    """Behind the function's modules: loads what tracebacks are made with, some of it only when it is needed; and the lines that they show."""
    for source in ("nothing", "nothing.at + 1", "().é", "[][0] + 1", "int('é')", "(1 / 0) + 1", "import nothing", "1 +"):
        try:
            exec(source)
        except Exception as error:
            traceback.format_exception(error)
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None) or ""
        if name.endswith(".py") and (lines := linecache.getlines(name)):
            # Without a time, so that nobody looks whether the file has changed.
            linecache.cache[name] = (sum(map(len, lines)), None, lines, name)


def seal() -> None:
    """Before the first call."""
    global _sealed
    if _sealed:
        return
    _sealed = True
    sys.stdout, sys.stderr = _host.LogFile("info"), _host.LogFile("error")
    os.environ = _Environment()
    os.getenv = os.environ.get
    os.urandom = _random_bytes
    if (random := sys.modules.get("random")) is not None:
        random._urandom = _random_bytes
    if (socket := sys.modules.get("socket")) is not None:
        socket.socket.__init__ = _guarded(None, NETWORK)
        _guard(socket, "getaddrinfo gethostbyname gethostname create_connection", NETWORK)
    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, _Late]
