"""The component's exports: what the host calls, in terms of the functions in the registry.

Only `weir build` loads this module.
"""

import inspect
from functools import partial

from componentize_py_types import Err
from wit_world.exports.aggregate import Folded
from wit_world.exports.filter import Kept
from wit_world.exports.flat_mapper import Expanded
from wit_world.exports.group_mapper import Grouped
from wit_world.exports.mapper import Mapped
from wit_world.exports.stateful_mapper import Stepped
from wit_world.imports.types import Batch, DataType, Field, Kind, Parameter, RowError, Signature

from . import _host, _run
from ._functions import REGISTRY, parameters
from ._lacking import seal
from ._types import Refuse


def _fields(fields) -> list[Field]:
    return [Field(f.name, DataType[f.type.name.upper()], f.type.nullable) for f in fields]


def _signature(function) -> Signature:
    constants = [Parameter(p.name, DataType[p.type.name.upper()], p.default, "") for p in function.parameters]
    return Signature(
        function.name,
        Kind[function.kind.upper()],
        function.doc,
        constants,
        _fields(function.inputs),
        _fields(function.outputs.fields),
        _fields(function.accumulator),
        hasattr(function.target, "retract"),
    )


def _told(call):
    """Lets no exception out but the contract's: what the function did not expect is its traceback."""

    def told(self, *arguments):
        seal()
        try:
            return call(self, *arguments)
        except Err:
            raise
        except Refuse as error:
            raise Err(str(error)) from None
        except Exception as error:
            _host.error(_run.trace(error))
            raise Err(f"{type(error).__name__}: {error}{_run.place(error)}") from None

    return told


def _of(function: int, kind: str):
    found = REGISTRY[function] if function < len(REGISTRY) else None
    if found is None or found.kind != kind:
        raise Refuse(f"there is no {kind} with the index {function}")
    return found, parameters(function)


def _errors(errors: _run.Errors) -> list[RowError]:
    return [RowError(row, message) for row, message in errors.sorted()]


def _groups(groups: bytes, rows: int, count: int):
    found = memoryview(groups).cast("I").tolist() if groups else []
    if len(found) != rows or (found and max(found) >= count):
        raise Refuse("malformed batch: groups that do not fit the rows")
    return found


def _bound(target, constants: dict):
    return partial(target, **constants) if constants else target


class Catalog:
    def functions(self):
        return [_signature(function) for function in REGISTRY]


class Mapper:
    @_told
    def map_batch(self, function, input):
        found, constants = _of(function, "mapper")
        call, errors = _bound(found.target, constants), _run.Errors()
        if found.whole:
            columns = _run.map_columns(found, call, input, errors)
        else:
            columns = _run.map_rows(found, call, input, errors)
        return Mapped(Batch(input.rows, columns), _errors(errors))


class Filter:
    @_told
    def filter_batch(self, function, input):
        found, constants = _of(function, "filter")
        errors = _run.Errors()
        kept = _run.filter_rows(found, _bound(found.target, constants), input, errors)
        return Kept(kept, _errors(errors))


class FlatMapper:
    @_told
    def flat_map_batch(self, function, input):
        found, constants = _of(function, "flat_mapper")
        errors = _run.Errors()
        rows, columns, parents = _run.flat_map_rows(found, _bound(found.target, constants), input, errors)
        return Expanded(Batch(rows, columns), parents, _errors(errors))


def _only(method, constants: dict) -> dict:
    """The parameters that a method takes."""
    taken = inspect.signature(method).parameters
    return {name: value for name, value in constants.items() if name in taken}


class Aggregate:
    @_told
    def create(self, function, count):
        found, _ = _of(function, "aggregate")
        return Batch(count, _run.new_states(found, count))

    def _fold(self, name, function, accumulators, groups, input):
        found, constants = _of(function, "aggregate")
        method = getattr(found.target, name, None)
        if method is None:
            raise Refuse(f"`{found.name}` can't {name}")
        states, errors = _run.load_states(found, accumulators), _run.Errors()
        places = _groups(groups, input.rows, accumulators.rows)
        _run.fold(found, method, states, places, input, _only(method, constants), errors)
        return Folded(Batch(accumulators.rows, _run.store_states(found, states)), _errors(errors))

    @_told
    def accumulate(self, function, accumulators, groups, input):
        return self._fold("accumulate", function, accumulators, groups, input)

    @_told
    def retract(self, function, accumulators, groups, input):
        return self._fold("retract", function, accumulators, groups, input)

    @_told
    def merge(self, function, accumulators, groups, others):
        found, _ = _of(function, "aggregate")
        states = _run.load_states(found, accumulators)
        places = _groups(groups, others.rows, accumulators.rows)
        for place, other in zip(places, _run.load_states(found, others)):
            states[place].merge(other)
        return Batch(accumulators.rows, _run.store_states(found, states))

    @_told
    def finish(self, function, accumulators):
        found, constants = _of(function, "aggregate")
        taken, errors = _only(found.target.finish, constants), _run.Errors()
        results = [state.finish(**taken) for state in _run.load_states(found, accumulators)]
        columns = _run.encode(found.outputs.fields, _run.split(found, results), errors)
        if errors.rows:
            raise Refuse(f"finish: {errors.sorted()[0][1]}")
        return Batch(accumulators.rows, columns)


class StatefulMapper:
    @_told
    def create(self, function, count):
        found, _ = _of(function, "stateful_mapper")
        return Batch(count, _run.new_states(found, count))

    @_told
    def stateful_map_batch(self, function, states, groups, input):
        found, constants = _of(function, "stateful_mapper")
        held, errors = _run.load_states(found, states), _run.Errors()
        places = _groups(groups, input.rows, states.rows)
        rows, columns, parents = _run.step(found, held, places, input, constants, errors)
        kept = Batch(states.rows, _run.store_states(found, held))
        return Stepped(kept, Batch(rows, columns), parents, _errors(errors))


class GroupMapper:
    @_told
    def group_map_batch(self, function, count, groups, input):
        found, constants = _of(function, "group_mapper")
        errors, places = _run.Errors(), _groups(groups, input.rows, count)
        rows, columns, parents = _run.map_groups(found, _bound(found.target, constants), count, places, input, errors)
        return Grouped(Batch(rows, columns), parents, _errors(errors))
