"""Calls of functions over batches: rows out of columns, one call each, and columns of what comes back.

An exception of a row is that row's error; the first traceback of a call is logged.
"""

import linecache
import traceback
from array import array
from operator import attrgetter

from . import _host
from ._column import Column
from ._columns import buffers, pack_bits, values
from ._evaluate import Call, misfit, results, selected
from ._functions import Function
from ._types import Refuse, RowError

FAILED = object()
HERE = __file__.rsplit("/", 1)[0] + "/"


def place(error: Exception) -> str:
    """Where it was raised, or where the function called what raised it in this module's folder."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(HERE)] or frames
    return "".join(written(f.filename, f.lineno, f.name) for f in own[-1:])


def written(file: str, line: int, name: str) -> str:
    return f" ({file.rsplit('/', 1)[-1]}:{line} in {name})"


def trace(error: Exception, at=None) -> str:
    """The traceback. Without marks under its lines: in a component CPython traps where it looks for some of them."""
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    if at is not None:
        frames = [(*at, linecache.getline(*at[:2]).strip())]
    lines = ["Traceback (most recent call last):\n", *traceback.StackSummary.from_list(frames).format()]
    cause = error.__cause__
    before = [trace(cause), "\n\nwhich was the cause of this:\n\n"] if isinstance(cause, Exception) else []
    return "".join([*before, *lines, *traceback.format_exception_only(error)]).rstrip()


class Errors:
    """The rows that failed."""

    def __init__(self):
        self.rows: dict[int, str] = {}
        self._told = False

    def add(self, row: int, error: Exception, at=None) -> None:
        """`at`: the file, line and name of the function, where they are not those of the error's traceback."""
        if isinstance(error, Refuse):
            raise error
        if isinstance(error, RowError):
            self.rows.setdefault(row, str(error))
            return
        where = place(error) if at is None else written(*at)
        self.rows.setdefault(row, f"{type(error).__name__}: {error}{where}")
        if not self._told:
            self._told = True
            _host.warn(trace(error, at))

    def sorted(self) -> list[tuple[int, str]]:
        return sorted(self.rows.items())


def decode(fields, batch) -> list[list]:
    if len(fields) != len(batch.columns):
        raise Refuse(f"malformed batch: {len(batch.columns)} columns, but the signature has {len(fields)}")
    return [values(field.type, column, batch.rows) for field, column in zip(fields, batch.columns)]


def rows_of(columns: list, rows: int):
    return zip(*columns) if columns else (() for _ in range(rows))


def split(function: Function, results: list) -> list:
    """The columns of rows that a function returned."""
    shape = function.outputs
    if not shape.parts:
        return [results] if shape.fields else []
    if shape.parts == "names":
        return [list(map(attrgetter(field.name), results)) for field in shape.fields]
    return [list(column) for column in zip(*results)] if results else [[] for _ in shape.fields]


def filler(function: Function):
    """A row that fits, for rows that failed."""
    zeros = [None if field.type.nullable else field.type.zero for field in function.outputs.fields]
    if not function.outputs.parts:
        return zeros[0] if zeros else None
    if function.outputs.parts == "tuple":
        return tuple(zeros)
    return type("Row", (), {field.name: zero for field, zero in zip(function.outputs.fields, zeros)})()


def encode(fields, columns: list, errors: Errors, row_of=None) -> list:
    """Columns to buffers. A value that does not fit is an error of its row."""
    encoded = []
    for field, column in zip(fields, columns):
        try:
            encoded.append(buffers(field.type, column))
        except (TypeError, ValueError, OverflowError, AttributeError):
            column = list(column)
            zero = None if field.type.nullable else field.type.zero
            for place, value in enumerate(column):
                try:
                    buffers(field.type, [value])
                except (TypeError, ValueError, OverflowError, AttributeError):
                    row = place if row_of is None else row_of[place]
                    errors.add(row, misfit(field, value))
                    column[place] = zero
            encoded.append(buffers(field.type, column))
    return encoded


def map_rows(function: Function, call, batch, errors: Errors) -> list:
    results: list = []
    append = results.append
    for row in rows_of(decode(function.inputs, batch), batch.rows):
        try:
            append(call(*row))
        except Exception as error:
            errors.add(len(results), error)
            append(FAILED)
    if errors.rows:
        fill = filler(function)
        results = [fill if result is FAILED else result for result in results]
    return encode(function.outputs.fields, split(function, results), errors)


def view(type, column, rows: int):
    """A whole column: to compute with where it is numbers or booleans, else a list."""
    if type.name in ("text", "bytes") or type.datetime:
        return values(type, column, rows)
    return Column.over(type, column, rows)


def whole_arguments(function: Function, batch) -> list:
    if len(function.inputs) != len(batch.columns):
        raise Refuse("malformed batch: not as many columns as the signature has")
    return [view(field.type, column, batch.rows) for field, column in zip(function.inputs, batch.columns)]


def map_columns(function: Function, call, batch, errors: Errors) -> list:
    with Call(errors) as running:
        result = call(*whole_arguments(function, batch))
        shape = function.outputs
        if not shape.parts:
            columns = [result]
        elif shape.parts == "names":
            columns = [getattr(result, field.name) for field in shape.fields]
        else:
            columns = list(result)
        return results(shape.fields, columns, errors, running.masks)


def filter_rows(function: Function, call, batch, errors: Errors) -> bytes:
    if function.whole:
        with Call(errors) as running:
            kept = call(*whole_arguments(function, batch))
            if isinstance(kept, Column):
                return selected(kept, errors, running.masks)
            results([], [], errors, running.masks)
        kept = list(kept)
        if len(kept) != batch.rows:
            raise Refuse(f"{len(kept)} values for {batch.rows} rows")
        return pack_bits(kept)
    kept = []
    for row in rows_of(decode(function.inputs, batch), batch.rows):
        try:
            kept.append(bool(call(*row)))
        except Exception as error:
            errors.add(len(kept), error)
            kept.append(False)
    return pack_bits(kept)


class Emitted:
    """Rows that are put out, each with its parent."""

    def __init__(self, function: Function):
        self.function = function
        self.results: list = []
        self.parents: list[int] = []

    def one(self, parent: int, result) -> None:
        self.results.append(result)
        self.parents.append(parent)

    def many(self, parent: int, results) -> None:
        before = len(self.results)
        try:
            self.results.extend(results)
        except BaseException:
            del self.results[before:]
            raise
        self.parents.extend([parent] * (len(self.results) - before))

    def columns(self, errors: Errors) -> tuple[int, list, bytes]:
        fields = self.function.outputs.fields
        encoded = encode(fields, split(self.function, self.results), errors, self.parents)
        return len(self.parents), encoded, array("I", self.parents).tobytes()


def flat_map_rows(function: Function, call, batch, errors: Errors):
    emitted = Emitted(function)
    for index, row in enumerate(rows_of(decode(function.inputs, batch), batch.rows)):
        try:
            emitted.many(index, call(*row))
        except Exception as error:
            errors.add(index, error)
    return emitted.columns(errors)


def map_groups(function: Function, call, count: int, groups, batch, errors: Errors):
    columns = decode(function.inputs, batch)
    emitted = Emitted(function)
    start = 0
    for group in range(count):
        end = start
        while end < batch.rows and groups[end] == group:
            end += 1
        try:
            result = call(*(column[start:end] for column in columns))
            if function.many:
                emitted.many(group, result)
            else:
                emitted.one(group, result)
        except Exception as error:
            errors.add(group, error)
        start = end
    return emitted.columns(errors)


def load_states(function: Function, batch) -> list:
    """An object for each row of accumulators."""
    names = [field.name for field in function.accumulator]
    new = function.target.__new__
    states = []
    for row in rows_of(decode(function.accumulator, batch), batch.rows):
        state = new(function.target)
        state.__dict__.update(zip(names, row))
        states.append(state)
    return states


def store_states(function: Function, states: list) -> list:
    columns = [list(map(attrgetter(field.name), states)) for field in function.accumulator]
    return [buffers(field.type, column) for field, column in zip(function.accumulator, columns)]


def new_states(function: Function, count: int) -> list:
    return store_states(function, [function.target.__new__(function.target) for _ in range(count)])


def fold(function: Function, method, states: list, groups, batch, constants: dict, errors: Errors) -> None:
    for index, row in enumerate(rows_of(decode(function.inputs, batch), batch.rows)):
        state = states[groups[index]]
        before = state.__dict__.copy()
        try:
            method(state, *row, **constants)
        except Exception as error:
            state.__dict__.update(before)
            errors.add(index, error)


def step(function: Function, states: list, groups, batch, constants: dict, errors: Errors):
    emitted = Emitted(function)
    for index, row in enumerate(rows_of(decode(function.inputs, batch), batch.rows)):
        state = states[groups[index]]
        before = state.__dict__.copy()
        try:
            result = state.step(*row, **constants)
            if function.many:
                emitted.many(index, result)
            elif not function.filters or result:
                emitted.one(index, result)
        except Exception as error:
            state.__dict__.update(before)
            errors.add(index, error)
    return emitted.columns(errors)
