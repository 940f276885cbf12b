#!/usr/bin/env python3
"""Writes expected.jsonl: what pipeline.toml is to give, computed without Weir.

The 95th percentile is that of a DDSketch with a relative error of 1 % (the paper's definition with
the quadratic in place of the logarithm, as udfs/stats says); it is held against the exact one.
"""

import csv
import json
import math
import struct
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).parent
ERROR = 0.01
DENSITY = 3 / 4 / (2 * ERROR)


def bucket(x):
    if x == 0:
        return 0
    bits = struct.unpack("<q", struct.pack("<d", abs(x)))[0]
    exponent = float(bits >> 52) - 1.0
    mantissa = struct.unpack("<d", struct.pack("<q", bits & (1 << 52) - 1 | 1023 << 52))[0] - 1.0
    key = 1 + int((exponent + mantissa * (4.0 - mantissa) / 3.0) * DENSITY)
    return -key if x < 0 else key


def bound(index):
    t = index / DENSITY
    exponent = math.floor(t)
    mantissa = 2.0 - math.sqrt(4.0 - 3.0 * (t - exponent))
    return math.ldexp(1.0, exponent - 1022) * (1.0 + mantissa)


def estimate(key):
    if key == 0:
        return 0.0
    low, high = bound(abs(key) - 1), bound(abs(key))
    size = low * (2.0 / (1.0 + low / high))
    return -size if key < 0 else size


def quantile(numbers, q):
    """The bucket of the number of that rank: buckets are in the order of their numbers."""
    exact = sorted(numbers)[int(q * (len(numbers) - 1))]
    found = estimate(bucket(exact))
    assert abs(found - exact) <= ERROR * abs(exact) * (1 + 1e-9), (found, exact)
    return found


def iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    days = defaultdict(list)
    highest = None
    with open(HERE / "flights-2013-02.csv", newline="") as file:
        for row in csv.DictReader(file):
            time = datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
            local = time - timedelta(hours=5)
            start = local.replace(hour=0) + timedelta(hours=5)
            end = start + timedelta(days=1)
            watermark = highest - timedelta(hours=18) if highest else start
            assert watermark < end, "a row would be late"
            highest = max(highest or time, time)
            days[end, row["origin"]].append(row)
    with open(HERE / "expected.jsonl", "w") as out:
        for (end, origin), rows in sorted(days.items()):
            delays = [int(row["dep_delay"]) for row in rows if row["dep_delay"] != "NA"]
            result = {
                "window_start": iso(end - timedelta(days=1)),
                "window_end": iso(end),
                "origin": origin,
                "flights": len(rows),
                "cancelled": sum(row["dep_time"] == "NA" for row in rows),
                "mean_delay": sum(delays) / len(delays) if delays else None,
                "p95_delay": quantile([float(d) for d in delays], 0.95) if delays else None,
            }
            out.write(json.dumps(result, separators=(",", ":")) + "\n")


main()
