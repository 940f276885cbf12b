"""What an order's line says, item by item."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import weir

ITEM = re.compile(r"(\d+)x ([\w -]+) @ (\d+\.\d\d)")


class Item(NamedTuple):
    product: str
    quantity: int
    price: float


@weir.flat_map
def items(line: str) -> Iterator[Item]:
    """The items of a line: `2x green tea @ 3.50; 1x cup @ 8.00`."""
    for part in line.split("; "):
        found = ITEM.fullmatch(part)
        if found is None:
            raise weir.RowError(f"no item: {part}")
        yield Item(found[2], int(found[1]), float(found[3]))
