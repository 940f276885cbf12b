"""Carries out what columns put off: one program for the host, and Python for the rows that it gives back.

Outside of a component there is no host, and all rows are Python's.
"""

from array import array

from . import _host
from ._column import Column, apply, kind_of
from ._columns import Buffers, buffers, unpack_bits
from ._operations import WHERE, Writer, failing
from ._types import FieldOf, RowError, Type

CALL = None
"""The call that is running."""


class Call:
    """What belongs to the call of a function: rows that failed, and masks of rows that are to."""

    def __init__(self, errors):
        self.errors = errors
        self.masks: list[Column] = []

    def __enter__(self):
        global CALL
        CALL = self
        return self

    def __exit__(self, *_):
        global CALL
        CALL = None


class Raised:
    """Stands for the errors of a call where there is none: the first is raised."""

    rows: dict = {}

    def add(self, row, error, place=None):
        raise error


def fail(mask: Column, message: str) -> None:
    """See `weir.fail`."""
    mask = apply(failing(message), mask)
    if CALL is None:
        evaluate([], [mask], Raised())
    else:
        CALL.masks.append(mask)


def forced(column: Column, type: Type) -> tuple[Buffers, dict]:
    """One column, now, and what is too large for it. Rows that fail have some value."""
    errors, large = Raised() if CALL is None else CALL.errors, {}
    return evaluate([(column, FieldOf("column", type))], [], errors, large)[0], large


def evaluate(wanted: list, masks: list, errors, large: dict | None = None) -> list[Buffers]:
    """The buffers of columns, each with the field that it is for. A row that fails is one of the errors; one that is
    too large is, too, or else among the `large`."""
    nodes = reachable([column for column, _ in wanted] + masks)
    rows = wanted[0][0].rows if wanted else masks[0].rows
    if _host.evaluate is None:
        made, given_back = [nothing(field.type, rows) for _, field in wanted], range(rows)
    else:
        made, given_back = by_host(nodes, wanted, rows)
        beyond = {row for node in nodes for row in node.large}
        given_back = sorted(beyond.union(given_back)) if beyond else given_back
    if given_back:
        mend(made, given_back, wanted, masks, errors, large)
    return [checked(column, field, rows, errors) for column, (_, field) in zip(made, wanted)]


def reachable(roots: list, conditional: bool = True) -> list[Column]:
    """All columns that others come of, in the order in which they were made. Without the `conditional`: only those
    that are needed whatever the masks of a `where` say."""
    found, waiting = {}, list(roots)
    while waiting:
        column = waiting.pop()
        if column.number not in found:
            found[column.number] = column
            operands = column.operands
            if column.operation is WHERE and not conditional:
                operands = operands[:1]
            waiting.extend(operand for operand in operands if isinstance(operand, Column))
    return [found[number] for number in sorted(found)]


def by_host(nodes: list, wanted: list, rows: int):
    """The columns as the host has them, and the rows that it has not."""
    writer, columns, numbers = Writer(), [], {}
    for node in nodes:
        if node.operation is None:
            numbers[node.number] = writer.value(f"column {node.type.name}")
            columns.append(node.buffers)
    for node in nodes:
        if node.operation is not None:
            operands = []
            for operand in node.operands:
                if isinstance(operand, Column):
                    operands.append((numbers[operand.number], operand.kind))
                else:
                    kind = node.kind if operand is None else kind_of(operand)
                    operands.append((writer.constant(operand, kind), kind))
            numbers[node.number] = node.operation.write(writer, operands)
    for column, field in wanted:
        number, kind = numbers[column.number], column.kind
        if field.type.name in ("float32", "float64"):
            number = writer.float((number, kind))
        elif field.type.name != "boolean":
            number = writer.whole((number, kind))
        writer.lines.append(f"out {field.type.name} {number}")
    found = _host.evaluate("\n".join(writer.lines), rows, columns)
    given = found.given_back
    return list(found.columns), [row for row, set in enumerate(unpack_bits(given, rows)) if set] if given else ()


def nothing(type: Type, rows: int) -> Buffers:
    return buffers(type._replace(nullable=False), [type.zero] * rows)


class Failed(Exception):
    """A row that failed, and in the making of which column."""

    def __init__(self, error: Exception, column: Column):
        self.error, self.column = error, column


def mend(made: list, given_back, wanted: list, masks: list, errors, large: dict | None) -> None:
    """Computes rows in Python, and puts what they give into the columns."""
    roots = sorted([column for column, _ in wanted] + masks, key=lambda column: column.number)
    always = reachable(roots, conditional=False)
    found: list[list] = [[] for _ in wanted]
    taken = []
    for row in given_back:
        if row in errors.rows:
            continue
        known: dict = {}
        try:
            for node in always:
                value_at(node, row, known)
        except Failed as failed:
            errors.add(row, failed.error, failed.column.place)
            continue
        fitting = [fit(known[column.number], column, field) for column, field in wanted]
        bad = next((error for error in fitting if isinstance(error, RowError)), None)
        if bad is not None:
            if large is None:
                errors.add(row, bad)
            else:
                large[row] = known[wanted[0][0].number]
            continue
        taken.append(row)
        for values, value in zip(found, fitting):
            values.append(value)
    for place, (_, field) in enumerate(wanted):
        made[place] = with_rows(made[place], field.type, taken, found[place])


def value_at(column: Column, row: int, known: dict):
    """A row's value of a column, of which it is computed only what is needed."""
    if not isinstance(column, Column):
        return column
    if column.number in known:
        return known[column.number]
    operation = column.operation
    if operation is None:
        value = column.items()[row]
    elif operation is WHERE:
        mask, then, other = column.operands
        value = value_at(then if value_at(mask, row, known) else other, row, known)
    else:
        operands = [value_at(operand, row, known) for operand in column.operands]
        if operation.strict and None in operands:
            value = None
        else:
            try:
                value = operation.row(*operands)
            except Exception as error:
                raise Failed(error, column) from None
    if column.kind == "float64" and type(value) is int:
        value = float(value)
    known[column.number] = value
    return value


def fit(value, column: Column, field: FieldOf):
    """A value as a column's own, or the error that it is none."""
    if value is None:
        return None if field.type.nullable else misfit(field, value)
    try:
        return array(field.type.code, [value])[0] if field.type.code else bool(value)
    except (TypeError, OverflowError):
        return misfit(field, value)


def misfit(field: FieldOf, value) -> RowError:
    """A value that does not fit its column."""
    type = field.type.name + (" or None" if field.type.nullable else "")
    return RowError(f"`{field.name}` is {type}, not {value!r}")


def with_rows(column: Buffers, type: Type, rows: list[int], values: list) -> Buffers:
    """A column with other values in some of its rows."""
    if not rows:
        return column
    validity, bits = bytearray(column.validity), bytearray(column.values)
    numbers = memoryview(bits).cast(type.code) if type.code else None
    if not validity and None in values:
        validity = bytearray(b"\xff") * (len(bits) if numbers is None else (len(numbers) + 7) // 8)
    for row, value in zip(rows, values):
        if validity:
            set_bit(validity, row, value is not None)
        if value is None:
            continue
        if numbers is None:
            set_bit(bits, row, value)
        else:
            numbers[row] = value
    return Buffers(bytes(validity), b"", bytes(bits))


def set_bit(bits: bytearray, row: int, value: bool) -> None:
    if value:
        bits[row >> 3] |= 1 << (row & 7)
    else:
        bits[row >> 3] &= ~(1 << (row & 7))


def checked(column: Buffers, field: FieldOf, rows: int, errors) -> Buffers:
    """A column whose nulls are allowed, or else errors."""
    if field.type.nullable or not column.validity:
        return column
    for row, valid in enumerate(unpack_bits(column.validity, rows)):
        if not valid and row not in errors.rows:
            errors.add(row, misfit(field, None))
    return Buffers(b"", b"", column.values)


def fits(column: Column, field: FieldOf) -> None:
    """Refuses a column for a field that can't have its values, whatever they are."""
    name = field.type.name
    whole, real = ("int32", "int64", "timestamp"), ("float32", "float64")
    takes = {"boolean": (*whole, *real, "boolean"), "int64": (*whole, *real), "float64": real}[column.kind]
    if name not in takes or field.type.datetime:
        hint = "; as_int() makes whole numbers of it" if column.kind == "float64" and name in whole else ""
        raise TypeError(f"`{field.name}` is {name}, not a column of {column.kind}{hint}")


def results(fields: list, columns: list, errors, masks: list) -> list[Buffers]:
    """The buffers of what a function returned: what was put off is computed all at once."""
    made = [None] * len(fields)
    wanted, places = [], []
    for place, (field, column) in enumerate(zip(fields, columns)):
        if not isinstance(column, Column):
            made[place] = buffers(field.type, column)
            continue
        fits(column, field)
        if column.operation is None and column.type.name == field.type.name and not column.large:
            made[place] = checked(column.buffers, field, column.rows, errors)
        else:
            wanted.append((column, field))
            places.append(place)
    if wanted or masks:
        for place, column in zip(places, evaluate(wanted, masks, errors)):
            made[place] = column
    return made


def selected(column: Column, errors, masks: list) -> bytes:
    """A filter's selection: what is null is not kept."""
    (found,) = results([FieldOf("the selection", Type("boolean", "", nullable=True))], [column], errors, masks)
    if not found.validity:
        return found.values
    both = int.from_bytes(found.values, "little") & int.from_bytes(found.validity, "little")
    return both.to_bytes(len(found.values), "little")

