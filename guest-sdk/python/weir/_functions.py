"""The decorators: what a function or class says of itself becomes a row of the catalog.

A decorated function stays what it was, so it can be called in tests as any other.
"""

import inspect
import re
import typing
from typing import Any, Callable, NamedTuple

from . import _host
from ._column import Column
from ._types import FieldOf, Refuse, Shape, Type, column, scalar, shape


class Parameter(NamedTuple):
    """A constant that the pipeline sets."""

    name: str
    type: Type
    default: str | None


class Function(NamedTuple):
    """A row of the catalog, and what is called."""

    name: str
    kind: str  # as in the contract, with "_" for "-"
    doc: str
    parameters: list[Parameter]
    inputs: list[FieldOf]
    outputs: Shape
    accumulator: list[FieldOf]
    target: Any
    whole: bool = False  # whole columns
    many: bool = False  # any number of rows out
    filters: bool = False  # says only which rows pass


REGISTRY: list[Function] = []
"""All functions, in the order of their definition, which is the catalog's."""

PARSED: dict[int, dict[str, Any]] = {}


def text_form(value: Any) -> str:
    """A default as the contract has it."""
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def parse(type: Type, text: str) -> Any:
    """A parameter's text form."""
    if type.name == "boolean":
        return text == "true"
    if type.name in ("int32", "int64", "timestamp"):
        return int(text)
    if type.name in ("float32", "float64"):
        return float(text)
    return text


def parameters(index: int) -> dict[str, Any]:
    """The values of a function's parameters, parsed once."""
    if index not in PARSED:
        values = {}
        for parameter in REGISTRY[index].parameters:
            text = _host.parameter(parameter.name)
            if text is None:
                text = parameter.default
            if text is None:
                raise Refuse(f"parameter `{parameter.name}` is missing")
            try:
                values[parameter.name] = parse(parameter.type, text)
            except ValueError:
                raise Refuse(f"parameter `{parameter.name}` is {parameter.type.name}, not `{text}`") from None
        PARSED[index] = values
    return PARSED[index]


def arguments(call: Callable, where: str, skip: int = 0, wrapped: Any = None):
    """The columns and the parameters that a function takes, and the hint of its result. `wrapped` is what the
    hints of its columns may stand in."""
    hints = typing.get_type_hints(call)
    inputs, constants, whole = [], [], False
    for parameter in list(inspect.signature(call).parameters.values())[skip:]:
        name = parameter.name
        if name not in hints:
            raise TypeError(f"{where}: argument `{name}` has no type hint")
        if parameter.kind is parameter.KEYWORD_ONLY:
            type = scalar(hints[name], f"{where}, parameter `{name}`")
            default = None if parameter.default is parameter.empty else text_form(parameter.default)
            constants.append(Parameter(name, type, default))
            continue
        inner = column(hints[name], wrapped) if wrapped else None
        if inner is not None:
            whole = True
        elif wrapped is list:
            raise TypeError(f"{where}: argument `{name}` is of a group, so its hint is a list: list[float]")
        inputs.append(FieldOf(name, scalar(hints[name] if inner is None else inner, f"{where}, argument `{name}`")))
    return inputs, constants, hints.get("return"), whole


def iterated(hint: Any, where: str) -> Any:
    """The hint of what is in an iterable."""
    args = typing.get_args(hint)
    if not args:
        raise TypeError(f"{where}: the hint of its result is Iterator[..], list[..] or the like")
    return args[0]


def register(function: Function) -> None:
    REGISTRY.append(function)


def option(decorate: Callable) -> Callable:
    """Lets a decorator be used as `@map` and as `@map(name="..")`."""

    def decorator(target=None, *, name: str | None = None, output: str | None = None):
        def apply(target):
            decorate(target, name or default_name(target), output)
            return target

        return apply if target is None else apply(target)

    decorator.__doc__ = decorate.__doc__
    return decorator


def default_name(target: Any) -> str:
    """A class `MovingMean` is `moving_mean` in the catalog."""
    name = target.__name__
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() if isinstance(target, type) else name


def result_of_columns(hint: Any, name: str, where: str) -> Shape:
    """The columns of a result that is whole ones."""

    def of(hint, where):
        inner = column(hint, Column)
        if inner is None:
            raise TypeError(f"{where}: whole columns in are whole columns out: Column[..]")
        return scalar(inner, where)

    return shape(hint, name, where, of)


@option
def map(target, name, output):
    """One row out for each row in."""
    inputs, constants, hint, whole = arguments(target, name, wrapped=Column)
    outputs = (result_of_columns if whole else shape)(hint, output or name, f"{name}, its result")
    register(Function(name, "mapper", inspect.getdoc(target) or "", constants, inputs, outputs, [], target, whole))


@option
def filter(target, name, output):
    """Keeps the rows that it says True of."""
    inputs, constants, _, whole = arguments(target, name, wrapped=Column)
    register(Function(name, "filter", inspect.getdoc(target) or "", constants, inputs, Shape([], ""), [], target, whole))


@option
def flat_map(target, name, output):
    """Any number of rows out for each row in."""
    inputs, constants, hint, _ = arguments(target, name)
    outputs = shape(iterated(hint, name), output or name, f"{name}, its result")
    register(Function(name, "flat_mapper", inspect.getdoc(target) or "", constants, inputs, outputs, [], target, many=True))


@option
def group_map(target, name, output):
    """One row out for each group; the arguments are lists of the group's values."""
    inputs, constants, hint, _ = arguments(target, name, wrapped=list)
    outputs = shape(hint, output or name, f"{name}, its result")
    register(Function(name, "group_mapper", inspect.getdoc(target) or "", constants, inputs, outputs, [], target))


@option
def group_flat_map(target, name, output):
    """Any number of rows out for each group."""
    inputs, constants, hint, _ = arguments(target, name, wrapped=list)
    outputs = shape(iterated(hint, name), output or name, f"{name}, its result")
    register(Function(name, "group_mapper", inspect.getdoc(target) or "", constants, inputs, outputs, [], target, many=True))


def state_fields(target: type, name: str) -> list[FieldOf]:
    """The columns of an accumulator: the class's attributes with hints. What has no value in the class
    starts as None or zero."""
    fields = [FieldOf(f, scalar(hint, f"{name}, `{f}`")) for f, hint in typing.get_type_hints(target).items()]
    if not fields:
        raise TypeError(f"{name}: a class that remembers something has attributes with hints: `count: int = 0`")
    for field in fields:
        if not hasattr(target, field.name):
            setattr(target, field.name, None if field.type.nullable else field.type.zero)
    return fields


def merged(lists: list[list[Parameter]]) -> list[Parameter]:
    """The parameters of several methods, each once."""
    return list(dict.fromkeys(parameter for each in lists for parameter in each))


@option
def aggregate(target, name, output):
    """Folds rows: a class with `accumulate`, `merge`, `finish`, and perhaps `retract`."""
    fields = state_fields(target, name)
    for method in ("accumulate", "merge", "finish"):
        if not hasattr(target, method):
            raise TypeError(f"{name}: an aggregate has a method `{method}`")
    inputs, constants, _, _ = arguments(target.accumulate, name, skip=1)
    _, more, hint, _ = arguments(target.finish, name, skip=1)
    outputs = shape(hint, output or name, f"{name}, the result of finish")
    doc = inspect.getdoc(target) or ""
    register(Function(name, "aggregate", doc, merged([constants, more]), inputs, outputs, fields, target))


def stateful(target, name, output, many, filters):
    fields = state_fields(target, name)
    if not hasattr(target, "step"):
        raise TypeError(f"{name}: a class with a state has a method `step`")
    inputs, constants, hint, _ = arguments(target.step, name, skip=1)
    if filters:
        outputs = Shape([], "")
    else:
        outputs = shape(iterated(hint, name) if many else hint, output or name, f"{name}, its result")
    doc = inspect.getdoc(target) or ""
    register(Function(name, "stateful_mapper", doc, constants, inputs, outputs, fields, target, False, many, filters))


@option
def stateful_map(target, name, output):
    """One row out for each row in, with a state for each key: a class with `step`."""
    stateful(target, name, output, False, False)


@option
def stateful_filter(target, name, output):
    """Keeps the rows that `step` says True of, with a state for each key."""
    stateful(target, name, output, False, True)


@option
def stateful_flat_map(target, name, output):
    """Any number of rows out for each row in, with a state for each key."""
    stateful(target, name, output, True, False)
