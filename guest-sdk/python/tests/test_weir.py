"""Functions in Python without a component: `python3 -m unittest discover guest-sdk/python/tests`."""

import subprocess
import sys
import unittest
from array import array
from collections import namedtuple
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

SDK = Path(__file__).parent.parent
sys.path.insert(0, str(SDK))

import weir  # noqa: E402
from weir import _columns, _functions, _run, _types  # noqa: E402

Batch = namedtuple("Batch", "rows columns")


def column(hint, values):
    return _columns.buffers(_types.scalar(hint, "here"), values)


def back(hint, buffers, rows):
    return _columns.values(_types.scalar(hint, "here"), buffers, rows)


def last():
    return _functions.REGISTRY[-1]


class Columns(unittest.TestCase):
    def test_values_come_back_as_they_went(self):
        moment = datetime(2013, 2, 8, 12, 30, tzinfo=timezone.utc)
        for hint, values in [
            (bool, [True, False] * 9),
            (weir.Int32, [-(2**31), 2**31 - 1]),
            (int, [-(2**63), 2**63 - 1]),
            (float, [0.1, -0.0, 1e300]),
            (datetime, [moment]),
            (str, ["", "a", "né", "\U0001f600"]),
            (bytes, [b"", b"\xff\x00"]),
            (float | None, [None, 1.5, None]),
            (str | None, ["", None, "x"]),
            (int, []),
        ]:
            with self.subTest(hint=hint):
                self.assertEqual(back(hint, column(hint, values), len(values)), values)

    def test_numbers_in_bulk_are_not_taken_apart(self):
        made = column(float, array("d", [1.0, 2.0]))
        view = _columns.view(_types.scalar(float, "here"), made, 2)
        self.assertIsInstance(view, memoryview)
        self.assertEqual(view.tolist(), [1.0, 2.0])

    def test_what_does_not_fit_is_an_error(self):
        for hint, values in [(weir.Int32, [2**31]), (int, ["1"]), (str, [1]), (bool, [None])]:
            with self.subTest(hint=hint), self.assertRaises((TypeError, OverflowError)):
                column(hint, values)


class Decorated(unittest.TestCase):
    def test_hints_are_the_signature(self):
        class Out(NamedTuple):
            low: float
            name: str | None

        @weir.map
        def split(price: float, name: str | None, *, limit: int = 3) -> Out:
            """Words."""
            return Out(price, name)

        made = last()
        self.assertEqual((made.name, made.kind, made.doc), ("split", "mapper", "Words."))
        self.assertEqual([(f.name, f.type.name, f.type.nullable) for f in made.inputs],
                         [("price", "float64", False), ("name", "text", True)])
        self.assertEqual([(f.name, f.type.name) for f in made.outputs.fields], [("low", "float64"), ("name", "text")])
        self.assertEqual([(p.name, p.type.name, p.default) for p in made.parameters], [("limit", "int64", "3")])
        self.assertEqual(split(1.0, None, limit=4), (1.0, None), "it stays a function")

    def test_a_hint_that_is_no_column_is_refused_with_its_place(self):
        with self.assertRaisesRegex(TypeError, "argument `a`.*is no type of a column"):
            @weir.map
            def wrong(a: complex) -> float:
                return 0.0
        with self.assertRaisesRegex(TypeError, "has no type hint"):
            @weir.map
            def bare(a) -> float:
                return 0.0
        with self.assertRaisesRegex(TypeError, "has a method `merge`"):
            @weir.aggregate
            class Half:
                sum: float = 0.0

                def accumulate(self, value: float):
                    pass


class Calls(unittest.TestCase):
    def test_a_row_that_fails_leaves_the_others(self):
        @weir.map
        def inverse(n: int) -> float:
            if n < 0:
                raise weir.RowError("below zero")
            return 1 / n

        errors = _run.Errors()
        (made,) = _run.map_rows(last(), inverse, Batch(4, [column(int, [2, 0, -1, 4])]), errors)
        self.assertEqual(back(float, made, 4), [0.5, 0.0, 0.0, 0.25])
        (first, second) = errors.sorted()
        self.assertRegex(first[1], r"^ZeroDivisionError: .* \(test_weir.py:\d+ in inverse\)$")
        self.assertEqual((first[0], second), (1, (2, "below zero")))

    def test_rows_that_are_put_out_know_their_parents(self):
        @weir.flat_map
        def words(text: str) -> Iterator[str]:
            if text == "!":
                raise weir.RowError("no words")
            yield from text.split()

        errors = _run.Errors()
        batch = Batch(4, [column(str, ["a b", "!", "", "c"])])
        rows, (made,), parents = _run.flat_map_rows(last(), words, batch, errors)
        self.assertEqual(back(str, made, rows), ["a", "b", "c"])
        self.assertEqual(memoryview(parents).cast("I").tolist(), [0, 0, 3])
        self.assertEqual(errors.sorted(), [(1, "no words")])

    def test_a_state_is_left_alone_by_a_row_that_fails(self):
        @weir.stateful_map
        class Balance:
            value: int = 0

            def step(self, amount: int) -> int:
                self.value += amount
                if self.value < 0:
                    raise weir.RowError("overdrawn")
                return self.value

        made = last()
        self.assertEqual(made.name, "balance")
        (fresh,) = _run.new_states(made, 2)
        states = _run.load_states(made, Batch(2, [fresh]))
        errors = _run.Errors()
        rows, (out,), _ = _run.step(made, states, [0, 0, 1], Batch(3, [column(int, [5, -9, 1])]), {}, errors)
        self.assertEqual(back(int, out, rows), [5, 1])
        self.assertEqual([state.value for state in states], [5, 1])
        self.assertEqual(errors.sorted(), [(1, "overdrawn")])

    def test_a_refusal_is_of_the_whole_call(self):
        @weir.map
        def picky(n: int) -> int:
            raise weir.Refuse("not today")

        with self.assertRaises(weir.Refuse):
            _run.map_rows(last(), picky, Batch(1, [column(int, [1])]), _run.Errors())


class Lacking(unittest.TestCase):
    """What a function can't have says so. In a process of its own: it is not undone."""

    def said(self, what: str) -> str:
        program = (
            "from weir._lacking import prepare, seal; import sys; prepare()\n"
            "import os, pathlib, socket, time\n"
            "from datetime import date, datetime\n"
            "from time import time as kept\n"
            "assert datetime.now().year > 2000 and kept() > 1\n"
            "seal(); sys.stdout = sys.__stdout__\n"
            f"try: print({what})\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        run = subprocess.run([sys.executable, "-c", program], cwd=SDK, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def test_it_says_so(self):
        clock = "OSError a Weir function has no clock; weir.now() is the batch's event time"
        for what, said in [
            ("datetime.now()", clock),
            ("datetime.now(tz=None)", clock),
            ("datetime.utcnow()", clock),
            ("date.today()", clock),
            ("kept()", clock),
            ("time.monotonic()", clock),
            ("time.localtime()", clock),
            ("time.gmtime(0).tm_year", "1970"),
            ("open('/etc/passwd')", "OSError a Weir function has no files"),
            ("pathlib.Path('/etc/passwd').read_text()", "OSError a Weir function has no files"),
            ("os.listdir('/')", "OSError a Weir function has no files"),
            ("os.environ['HOME']", "KeyError 'a Weir function has no environment; take a parameter: HOME'"),
            ("os.environ.get('HOME')", "None"),
            ("socket.socket()", "OSError a Weir function has no network"),
            ("len(os.urandom(5))", "5"),
            ("__import__('colorsys')",
             "ModuleNotFoundError `colorsys` has to be imported at the top of a file: a Weir function has no files"),
        ]:
            with self.subTest(what):
                self.assertEqual(self.said(what), said)


if __name__ == "__main__":
    unittest.main()
