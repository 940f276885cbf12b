"""What can be done with columns: how the host computes it, and how Python does for a row.

The host computes what has one answer in every language, and gives back rows for which there is none. Such a row is
Python's, which has integers without end, and errors of its own.
"""

import math
import operator

from ._types import RowError


class Writer:
    """A program for the host, as it grows: see wit/README.md."""

    def __init__(self):
        self.lines: list[str] = []
        self._values = 0
        self._constants: dict = {}

    def value(self, line: str) -> int:
        """Appends an instruction that makes a value, and gives the value's number."""
        self.lines.append(line)
        self._values += 1
        return self._values - 1

    def constant(self, value, kind: str) -> int:
        key = (kind, repr(value))
        if key not in self._constants:
            if value is None:
                line = f"null {kind}"
            elif kind == "boolean":
                line = "boolean true" if value else "boolean false"
            elif kind == "int64" and not -(2**63) <= value < 2**63:
                # No row of the host's.
                line = f"except {self.constant(0, kind)} {self.constant(True, 'boolean')}"
            else:
                line = f"{kind} {value!r}"
            self._constants[key] = self.value(line)
        return self._constants[key]

    def fail(self, mask: int) -> None:
        """Gives back the rows of a mask."""
        self.lines.append(f"fail {mask}")

    def whole(self, operand) -> int:
        """As an integer."""
        number, kind = operand
        return self.value(f"to-int {number}") if kind == "boolean" else number

    def float(self, operand, exact: bool = False) -> int:
        """As a float; `exact` gives back the rows that a float can't say."""
        if operand[1] == "float64":
            return operand[0]
        return self.value(f"{'exact' if exact else 'to'}-float {self.whole(operand)}")

    def alike(self, operands, exact: bool = False) -> list[int]:
        """All of one kind, which is a number's."""
        if any(kind == "float64" for _, kind in operands):
            return [self.float(operand, exact) for operand in operands]
        return [self.whole(operand) for operand in operands]


def common(kinds) -> str:
    """The kind of numbers of these kinds together."""
    return "float64" if "float64" in kinds else "int64"


def same(kinds) -> str:
    """The kind of one of several values."""
    return "boolean" if set(kinds) == {"boolean"} else common(kinds)


def booleans(kinds) -> str:
    if set(kinds) != {"boolean"}:
        raise TypeError("&, |, ~ and masks are for columns of bool")
    return "boolean"


class Operation:
    """`kind`: what it gives for operands of these kinds. `write`: for the host, with operands as pairs of number and
    kind. `row`: for Python. `strict`: None where an operand is."""

    def __init__(self, kind, write, row, strict=True):
        self.kind, self.write, self.row, self.strict = kind, write, row, strict


def _arithmetic(name: str, row):
    def write(writer, operands):
        a, b = writer.alike(operands)
        return writer.value(f"{name} {a} {b}")

    return Operation(common, write, row)


def _unary(name: str, row):
    return Operation(common, lambda writer, operands: writer.value(f"{name} {writer.alike(operands)[0]}"), row)


def _comparison(name: str, row, swapped: bool = False):
    def write(writer, operands):
        if name in ("equal", "unequal") and all(kind == "boolean" for _, kind in operands):
            a, b = (number for number, _ in operands)
        else:
            a, b = writer.alike(operands, exact=True)
        return writer.value(f"{name} {b} {a}" if swapped else f"{name} {a} {b}")

    return Operation(lambda kinds: "boolean", write, row)


def _divide(writer, operands):
    # Integers divide as they are, and not as the floats next to them.
    exact = all(kind != "float64" for _, kind in operands)
    a, b = (writer.float(operand, exact) for operand in operands)
    mask = writer.value(f"equal {b} {writer.constant(0.0, 'float64')}")
    return writer.value(f"except {writer.value(f'divide {a} {b}')} {mask}")


def _sqrt(writer, operands):
    (a,) = (writer.float(operand) for operand in operands)
    mask = writer.value(f"less {a} {writer.constant(0.0, 'float64')}")
    return writer.value(f"except {writer.value(f'sqrt {a}')} {mask}")


def _to_whole(name: str, row):
    def write(writer, operands):
        if operands[0][1] != "float64":
            return writer.whole(operands[0])
        number = operands[0][0]
        return writer.value(f"to-int {writer.value(f'{name} {number}')}")

    return Operation(lambda kinds: "int64", write, row)


def _extreme(first):
    """`min` or `max`: the second operand only where it is less, or more."""

    def write(writer, operands):
        a, b = writer.alike(operands, exact=True)
        less = writer.value(f"less {b} {a}" if first is min else f"less {a} {b}")
        return writer.value(f"where {less} {b} {a}")

    return Operation(common, write, first)


def _logic(name: str, decides: bool):
    """One side may be enough, also where the other is None."""

    def row(a, b):
        if decides in (a, b):
            return decides
        return None if None in (a, b) else not decides

    def write(writer, operands):
        return writer.value(f"{name} {operands[0][0]} {operands[1][0]}")

    return Operation(booleans, write, row, strict=False)


def _where_kind(kinds):
    booleans(kinds[:1])
    return same(kinds[1:])


def _where(writer, operands):
    mask, *chosen = operands
    if same([kind for _, kind in chosen]) == "boolean":
        a, b = (number for number, _ in chosen)
    else:
        a, b = writer.alike(chosen)
    return writer.value(f"where {mask[0]} {a} {b}")


def failing(message: str) -> Operation:
    """Rows of a mask are errors."""

    def row(mask):
        if mask:
            raise RowError(message)

    return Operation(booleans, lambda writer, operands: writer.fail(operands[0][0]), row)


ADD = _arithmetic("add", operator.add)
SUBTRACT = _arithmetic("subtract", operator.sub)
MULTIPLY = _arithmetic("multiply", operator.mul)
DIVIDE = Operation(lambda kinds: "float64", _divide, operator.truediv)
FLOOR_DIVIDE = _arithmetic("floor-divide", operator.floordiv)
MODULO = _arithmetic("modulo", operator.mod)
NEGATE = _unary("negate", operator.neg)
ABSOLUTE = _unary("absolute", abs)
MINIMUM = _extreme(min)
MAXIMUM = _extreme(max)
EQUAL = _comparison("equal", operator.eq)
UNEQUAL = _comparison("unequal", operator.ne)
LESS = _comparison("less", operator.lt)
LESS_EQUAL = _comparison("less-equal", operator.le)
GREATER = _comparison("less", operator.gt, swapped=True)
GREATER_EQUAL = _comparison("less-equal", operator.ge, swapped=True)
AND = _logic("and", False)
OR = _logic("or", True)
NOT = Operation(booleans, lambda writer, operands: writer.value(f"not {operands[0][0]}"), operator.not_)
IS_NULL = Operation(
    lambda kinds: "boolean",
    lambda writer, operands: writer.value(f"is-null {operands[0][0]}"),
    lambda value: value is None,
    strict=False,
)
WHERE = Operation(_where_kind, _where, None, strict=False)
FLOOR = _to_whole("floor", math.floor)
CEIL = _to_whole("ceil", math.ceil)
ROUND = _to_whole("round", round)
AS_INT = _to_whole("trunc", int)
AS_FLOAT = Operation(lambda kinds: "float64", lambda writer, operands: writer.float(operands[0]), float)
SQRT = Operation(lambda kinds: "float64", _sqrt, math.sqrt)
