#!/usr/bin/env python3
"""Makes orders.csv, and expected.jsonl from it, without Weir: `expected.py`."""

import csv
import json
import random
import re
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
PRODUCTS = [("green tea", 3.5), ("black tea", 3.2), ("rooibos", 2.9), ("tea-cup", 8.0), ("honey", 0.4), ("scone", 2.25)]
CUSTOMERS = ["ada", "bruno", "chloé", "dara", "emre"]


def orders():
    rng = random.Random(2013)
    minute = 8 * 60
    while minute < 18 * 60:
        minute += rng.randrange(1, 6)
        parts = []
        for _ in range(rng.randrange(1, 4)):
            product, price = rng.choice(PRODUCTS)
            parts.append(f"{rng.randrange(1, 5)}x {product} @ {price:.2f}")
        line = "; ".join(parts) if rng.random() > 0.03 else "the usual"
        yield {"at": f"2013-02-08T{minute // 60:02}:{minute % 60:02}:00Z", "customer": rng.choice(CUSTOMERS), "line": line}


def sales(rows):
    spent = defaultdict(float)
    windows = defaultdict(lambda: [0.0, 0, 0.0])
    for row in rows:
        parts = [re.fullmatch(r"(\d+)x (.+) @ (.+)", part) for part in row["line"].split("; ")]
        if None in parts:
            continue
        for part in parts:
            amount = int(part[1]) * float(part[3])
            if int(part[1]) >= 4:
                amount *= 1 - 0.1
            if amount < 2.0:
                continue
            spent[row["customer"]] += amount
            label = " ".join(word.capitalize() for word in re.split("[ -]", part[2]))
            entry = windows[row["at"][:13], label]
            entry[0] += amount
            entry[1] += 1
            entry[2] = max(entry[2], spent[row["customer"]])
    for (hour, label), (sold, items, best) in sorted(windows.items()):
        end = f"{hour[:11]}{int(hour[11:]) + 1:02}:00:00Z"
        yield {"window_start": f"{hour}:00:00Z", "window_end": end, "label": label, "sales_sold": sold, "sales_items": items, "sales_best": best}


def main():
    rows = list(orders())
    with open(HERE / "orders.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in sales(rows)]
    (HERE / "expected.jsonl").write_text("".join(lines))


main()
