"""Functions in Python without a component: `python3 -m unittest discover guest-sdk/python/tests`."""

import math
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
        view = _run.view(_types.scalar(float, "here"), made, 2)
        self.assertIsInstance(view.items(), memoryview)
        self.assertEqual(view.tolist(), [1.0, 2.0])

    def test_what_does_not_fit_is_an_error(self):
        for hint, values in [(weir.Int32, [2**31]), (int, ["1"]), (str, [1]), (bool, [None])]:
            with self.subTest(hint=hint), self.assertRaises((TypeError, OverflowError)):
                column(hint, values)


class Bulk(unittest.TestCase):
    """Outside of a component columns are computed in Python, with the same results."""

    def test_columns_are_computed_with_as_numbers_are(self):
        a, b, x = weir.Column([1, 2, None]), weir.Column([3, 0, 5]), weir.Column([0.5, -1.5, 2.5])
        for made, expected in [
            (a * b + 1, [4, 1, None]), (2 - x, [1.5, 3.5, -0.5]), (-b // 2, [-2, 0, -3]), (x % 2, [0.5, 0.5, 0.5]),
            (b / 4, [0.75, 0.0, 1.25]), (abs(x) >= 1.5, [False, True, True]), ((b > 0) & ~(x < 1), [False, False, True]),
            (math.floor(x), [0, -2, 2]), (round(x), [0, -2, 2]), (weir.as_int(x), [0, -1, 2]),
            (weir.where(weir.is_null(a), b, a), [1, 2, 5]), (weir.where(b != 0, 6 // b, -1), [2, -1, 1]),
            (weir.minimum(x, b), [0.5, -1.5, 2.5]), (weir.maximum(b, 2), [3, 2, 5]), (weir.sqrt(b * b), [3.0, 0.0, 5.0]),
            (b * 2**62 // 2**62, [3, 0, 5]),
        ]:
            self.assertEqual(made.tolist(), expected)

    def test_items_are_there_as_they_were(self):
        column = weir.Column([1.5, 2.5])
        self.assertEqual((len(column), list(column), column[1], column[:1].tolist(), 2.5 in column), (2, [1.5, 2.5], 2.5, [1.5], True))
        self.assertEqual(repr(weir.Column([True, None])), "Column([True, None])")

    def test_what_makes_no_sense_says_so(self):
        column = weir.Column([1])
        with self.assertRaisesRegex(TypeError, "neither true nor false"):
            bool(column > 0)
        with self.assertRaisesRegex(TypeError, "str is nothing to compute with"):
            column + "x"
        with self.assertRaisesRegex(TypeError, "for columns of bool"):
            column & True
        with self.assertRaisesRegex(ValueError, "columns of 1 and 2 rows"):
            column + weir.Column([1, 2])
        with self.assertRaises(ZeroDivisionError):
            (column // 0).tolist()
        with self.assertRaisesRegex(weir.RowError, "too much"):
            weir.fail(column > 0, "too much")

    def test_rows_that_fail_leave_the_others(self):
        @weir.map
        def spread(a: weir.Column[int], b: weir.Column[int]) -> weir.Column[weir.Int32]:
            weir.fail(a < 0, "below zero")
            return a // b

        errors = _run.Errors()
        batch = Batch(5, [column(int, [7, -1, 1, 2**40, 8]), column(int, [2, 1, 0, 1, 4])])
        (made,) = _run.map_columns(last(), spread, batch, errors)
        self.assertEqual(back(weir.Int32, made, 5), [3, 0, 0, 0, 2])
        with self.assertRaises(ZeroDivisionError) as division:
            1 // 0
        place = "test_weir.py:%d in spread" % (spread.__code__.co_firstlineno + 3)
        self.assertEqual(errors.sorted(), [
            (1, "below zero"),
            (2, f"ZeroDivisionError: {division.exception} ({place})"),
            (3, "`spread` is int32, not 1099511627776"),
        ])


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
