"""Columns to Python values and back, in as few steps of Python as there can be."""

from array import array
from collections import namedtuple
from itertools import accumulate, chain, pairwise

from ._types import EPOCH, MICROSECOND, Type
from datetime import timedelta

try:
    from wit_world.imports.types import Column as Buffers
except ImportError:
    Buffers = namedtuple("Buffers", "validity offsets values")

BITS = [tuple(bool(byte >> bit & 1) for bit in range(8)) for byte in range(256)]


def unpack_bits(data: bytes, rows: int) -> list[bool]:
    """One bit a row, least significant first."""
    return list(chain.from_iterable(BITS[byte] for byte in data))[:rows]


def pack_bits(values) -> bytes:
    """The same the other way round."""
    packed = bytearray((len(values) + 7) // 8)
    for row, value in enumerate(values):
        if value:
            packed[row >> 3] |= 1 << (row & 7)
    return bytes(packed)


def values(type: Type, column, rows: int) -> list:
    """The values of a column, None where there is none."""
    if type.code:
        found = memoryview(column.values).cast(type.code).tolist()
        if type.datetime:
            found = [EPOCH + timedelta(microseconds=value) for value in found]
    elif type.name == "boolean":
        found = unpack_bits(column.values, rows)
    else:
        data = column.values
        offsets = memoryview(column.offsets).cast("I").tolist() if rows else [0]
        if type.name == "bytes":
            found = [data[start:end] for start, end in pairwise(offsets)]
        elif data.isascii():
            text = data.decode("ascii")
            found = [text[start:end] for start, end in pairwise(offsets)]
        else:
            # Bytes at a null need not be text.
            found = [data[start:end].decode("utf-8", "replace") for start, end in pairwise(offsets)]
    if column.validity:
        valid = unpack_bits(column.validity, rows)
        found = [value if ok else None for value, ok in zip(found, valid)]
    return found


def buffers(type: Type, values) -> Buffers:
    """The column of these values: TypeError, ValueError or OverflowError where one does not fit."""
    if isinstance(values, (array, memoryview)) and type.code:
        code = values.typecode if isinstance(values, array) else values.format
        if code == type.code:
            return Buffers(b"", b"", values.tobytes())
    validity = b""
    if type.nullable:
        values = list(values)
        if None in values:
            validity = pack_bits([value is not None for value in values])
            zero = type.zero
            values = [zero if value is None else value for value in values]
    if type.datetime:
        values = [(value - EPOCH) // MICROSECOND for value in values]
    if type.code:
        return Buffers(validity, b"", array(type.code, values).tobytes())
    if not isinstance(values, list):
        values = list(values)
    if type.name == "boolean":
        if None in values:
            raise TypeError("None is no boolean")
        return Buffers(validity, b"", pack_bits(values))
    if type.name == "text":
        joined = "".join(values)
        if joined.isascii():
            data = joined.encode("ascii")
        else:
            values = [value.encode("utf-8") for value in values]
            data = b"".join(values)
    else:
        data = b"".join(values)
    offsets = array("I", accumulate(map(len, values), initial=0))
    return Buffers(validity, offsets.tobytes(), data)
