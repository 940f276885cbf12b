"""The reference functions of the conformance kit, in Python. What they do stands in ../README.md."""

import os
import random
import socket
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from time import time as kept
from typing import NamedTuple

import weir
from weir import Column, Float32, Int32, RowError, Timestamp


class Every(NamedTuple):
    b: bool | None
    i: Int32 | None
    l: int | None
    f: Float32 | None
    d: float | None
    t: Timestamp | None
    s: str | None
    y: bytes | None


@weir.map
def echo(
    b: bool | None, i: Int32 | None, l: int | None, f: Float32 | None,
    d: float | None, t: Timestamp | None, s: str | None, y: bytes | None,
) -> Every:
    """Every value as it came."""
    return Every(b, i, l, f, d, t, s, y)


@weir.map
def product(a: Column[float], b: Column[float]) -> Column[float]:
    """a times b."""
    return a * b


@weir.map
def product_items(a: Column[float], b: Column[float]) -> Column[float]:
    """a times b, item by item: not of the kit, but to be measured beside the other, as is the next."""
    return [x * y for x, y in zip(a, b)]


@weir.map
def product_rows(a: float, b: float) -> float:
    """a times b, row by row."""
    return a * b


@weir.map
def quotient(a: int, b: int) -> int:
    """a by b, towards zero."""
    if b == 0:
        raise RowError("division by zero")
    whole = abs(a) // abs(b)
    return whole if (a < 0) == (b < 0) else -whole


@weir.map
def describe(text: str, *, prefix: str) -> str:
    """A text with a prefix and its length in bytes."""
    return f"{prefix}{text}:{len(text.encode())}"


class Settings(NamedTuple):
    flag: bool
    small: Int32
    large: int
    ratio: float
    since: Timestamp
    name: str
    now: Timestamp


@weir.map
def settings(
    row: int, *, flag: bool = True, small: Int32 = Int32(-7), large: int = 9007199254740993,
    ratio: float = 0.1, since: Timestamp = Timestamp(1360326600000000), name: str = "né",
) -> Settings:
    """The parameters, and the time."""
    return Settings(flag, small, large, ratio, since, name, Timestamp(weir.now()))


@weir.filter
def above(value: float, *, threshold: float = 10.5) -> bool:
    """Whether a value is above the threshold."""
    if value != value:
        raise RowError("not a number")
    return value > threshold


class Word(NamedTuple):
    word: str
    position: int


@weir.flat_map
def words(text: str) -> Iterator[Word]:
    """What stands between spaces, with its place."""
    if text == "!":
        raise RowError("no words")
    for position, word in enumerate(word for word in text.split(" ") if word):
        yield Word(word, position)


@weir.aggregate
class Mean:
    """The mean of values that are not negative."""

    sum: float = 0.0
    count: int = 0

    def accumulate(self, value: float):
        if value < 0:
            raise RowError("negative")
        self.sum += value
        self.count += 1

    def retract(self, value: float):
        self.sum -= value
        self.count -= 1

    def merge(self, other: "Mean"):
        self.sum += other.sum
        self.count += other.count

    def finish(self) -> float | None:
        return self.sum / self.count if self.count else None


@weir.aggregate
class Longest:
    """The first of the texts with most bytes."""

    text: str | None = None

    def accumulate(self, text: str):
        if self.text is None or len(text.encode()) > len(self.text.encode()):
            self.text = text

    def merge(self, other: "Longest"):
        if other.text is not None:
            self.accumulate(other.text)

    def finish(self) -> str | None:
        return self.text


@weir.stateful_map
class Balance:
    """What is left on an account."""

    value: int = 0

    def step(self, amount: int) -> int:
        self.value += amount
        if self.value < 0:
            raise RowError("overdrawn")
        return self.value


@weir.group_map
def median(value: list[float]) -> float | None:
    """The middle of the sorted values."""
    if not value:
        return None
    value = sorted(value)
    middle = len(value) // 2
    return value[middle] if len(value) % 2 else (value[middle - 1] + value[middle]) / 2


@weir.map
def complain(text: str) -> str:
    """Prints each text, and refuses the batch."""
    print(f"about to fail: {text}")
    raise weir.Refuse("complained")


# What a function can't have.
LACKED = {
    "time.time": lambda: time.time(),
    "a kept time": lambda: kept(),
    "monotonic": lambda: time.monotonic(),
    "datetime.now": lambda: datetime.now(),
    "date.today": lambda: date.today(),
    "gmtime of 0": lambda: time.gmtime(0).tm_year,
    "sleep": lambda: time.sleep(1),
    "open": lambda: open("/etc/passwd"),
    "pathlib": lambda: Path("/etc/passwd").read_text(),
    "listdir": lambda: os.listdir("/"),
    "environ": lambda: os.environ["HOME"],
    "environ.get": lambda: os.environ.get("HOME"),
    "socket": lambda: socket.socket(),
    "urandom": lambda: len(os.urandom(5)),
    "choice": lambda: random.SystemRandom().choice([7]),
    "import": lambda: __import__("colorsys"),
}


@weir.map
def lacks(what: str) -> str:
    """What comes of asking for what there is not: not of the kit, but of its tests.jsonl."""
    try:
        return str(LACKED[what]())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@weir.map
def clocked(row: int) -> int:
    """The same where nobody catches it."""
    return datetime.now().year
