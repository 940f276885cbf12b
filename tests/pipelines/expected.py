#!/usr/bin/env python3
"""Writes the expected files of the pipelines whose result is not obvious, without Weir.

Each function below is named after its folder and says in plain Python, row by row, what the
pipeline's functions, keys and windows come to; nothing here knows batches, epochs or workers.
Run without arguments it writes the files; with --check it says which of them would change.
The folders that are not here have expected files written by hand.
"""

import csv
import gzip
import json
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = 1_000_000
FOLDERS = []
NEVER = -(2**63)


def folder(function):
    FOLDERS.append(function)
    return function


# --- in and out


def table(path, **types):
    """The rows of a CSV file; a type makes a value of a text, and an empty field is None."""
    opened = {".gz": gzip.open, ".csv": open}
    if path.suffix == ".zst":
        text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout.decode()
        lines = text.splitlines(keepends=True)
    else:
        with opened[path.suffix](path, "rt", newline="", encoding="utf-8") as file:
            lines = list(file)
    rows = csv.DictReader(lines)
    return [{k: None if v == "" else types.get(k, str)(v) for k, v in row.items()} for row in rows]


def objects(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def time(text):
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(microseconds=1)


def iso(us):
    if us is None:
        return None
    at = EPOCH + timedelta(microseconds=us)
    fraction = f".{at.microsecond:06}".rstrip("0") if at.microsecond else ""
    return f"{at.year:04}{at:-%m-%dT%H:%M:%S}{fraction}Z"


def lines(rows):
    dumped = (json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows)
    # Python writes 1e-07 where most write 1e-7.
    return "".join(re.sub(r"(\de-)0(\d)", r"\1\2", row) + "\n" for row in dumped)


def letters(rows):
    return {"expected.dead-letters.jsonl": lines(rows)}


def out(rows, late=None):
    files = {"expected.jsonl": lines(rows)}
    if late is not None:
        assert late > 0, "the folder is there to have late rows"
        files["expected.late"] = f"{late}\n"
    return files


# --- time and windows


def start_of(at, size, offset=0):
    return at - (at - offset) % size


def in_time(rows, size, offset=0, bound=0, at="at"):
    """Which rows of one partition are in time for their window, and how many are not."""
    kept, late, watermark = [], 0, NEVER
    for row in rows:
        end = start_of(row[at], size, offset) + size
        if end <= watermark:
            late += 1
        else:
            kept.append(row)
        watermark = max(watermark, row[at] - bound)
    return kept, late


def rank(value):
    """Nulls first, then as the values go; texts by their bytes."""
    return (0,) if value is None else (1, value.encode() if isinstance(value, str) else value)


def windows(rows, size, offset, key, results, at="at", times=True):
    """A row for each window and key, in their order."""
    groups = {}
    for row in rows:
        start = start_of(row[at], size, offset)
        groups.setdefault((start, tuple(row[k] for k in key)), []).append(row)
    order = sorted(groups, key=lambda group: (group[0], [rank(k) for k in group[1]]))
    show = iso if times else lambda us: us
    return [
        {"window_start": show(start), "window_end": show(start + size)} | dict(zip(key, keys)) | results(groups[start, keys])
        for start, keys in order
    ]


def values(rows, column):
    return [row[column] for row in rows if row[column] is not None]


def total(rows, column):
    found = values(rows, column)
    return sum(found) if found else None


def join(rows, column):
    found = values(rows, column)
    return ",".join(found) if found else None


def longest(rows, column):
    found = values(rows, column)
    # The first of the longest, by bytes.
    best = max(found, key=lambda text: len(text.encode()), default=None)
    return best, len(rows) - len(found)


def floor(us, unit):
    return us - us % unit


# --- the folders


@folder
def filter_map(at):
    rows = table(at / "in.csv", number=int, x=float)
    return out(row | {"double": 2 * row["number"]} for row in rows if row["number"] % 2 == 0)


@folder
def map_replaces(at):
    rows = table(at / "in.csv", a=int, b=float)
    return out(row | {"a": 3 * row["a"], "b": row["b"] / 2} for row in rows)


@folder
def map_as(at):
    rows = table(at / "in.csv", n=int)
    return out(row | {"twice": 2 * row["n"], "all": 2 * row["n"], "half": 4 * row["n"]} for row in rows)


@folder
def column_style(at):
    def row(row):
        scaled = {"n": None if row["n"] is None else 3 * row["n"], "x": None if row["n"] is None else row["x"] / 2}
        named = {f"{column}_by_{style}": scaled[column] for style in ("row", "column") for column in ("n", "x")}
        return row | named | {"drow": None if row["word"] is None else row["word"][::-1]}

    return out(row(r) for r in table(at / "in.csv", n=int, x=float))


@folder
def parameters(at):
    def delay_class(delay, threshold):
        if delay is None:
            return "cancelled"
        return "late" if delay >= threshold else "early" if delay < 0 else "on time"

    def swapped(word):
        for letter in "abcdefghijklmnopqrstuvwxyz":
            word = word.replace(letter + ",", "\0" + letter)
        return word.replace("\0", ",")

    def row(row):
        us = time(row["at"])
        return row | {
            "before": iso(us - SECOND),
            "after": iso(us + 90 * SECOND),
            "by_default": delay_class(row["delay"], 15),
            "by_call": delay_class(row["delay"], 60),
            "by_with": delay_class(row["delay"], -5),
            "replace": swapped(row["word"]),
        }

    return out(row(r) for r in table(at / "in.csv", delay=int))


@folder
def overloads(at):
    rows = objects(at / "in.jsonl")
    for row in rows:
        row["float32"] = None if row["float32"] is None else float(row["float32"])
    return out(row | {f"{name}_again": value for name, value in row.items()} for row in rows)


@folder
def widening(at):
    def row(row):
        small = row["small"]
        return row | {
            "half_of_big": row["big"] / 2,
            "half_of_small": None if small is None else small / 2,
            "twice_small": None if small is None else small * 2,
            "half_of_single": row["single"] / 2,
        }

    return out(row(r) for r in table(at / "in.csv", big=int, small=int, single=float))


@folder
def strict_nulls_map(at):
    def row(row):
        a, b, x = row["a"], row["b"], row["x"]
        scaled = None not in (a, x)
        return row | {
            "double": None if a is None else 2 * a,
            "add": None if None in (a, b) else a + b,
            "scaled_a": 3 * a if scaled else None,
            "scaled_x": x / 2 if scaled else None,
        }

    return out(row(r) for r in table(at / "in.csv", a=int, b=int, x=float))


@folder
def strict_nulls_filter(at):
    rows = table(at / "in.csv", a=int, b=int)
    return out(row for row in rows if row["a"] is not None and row["a"] % 2 == 0)


@folder
def strict_nulls_flat_map(at):
    rows = table(at / "in.csv", a=int, b=int)
    return out(row | {"copy": copy} for row in rows for copy in range(row["a"] or 0))


@folder
def strict_nulls_aggregate(at):
    def results(rows):
        text, nulls = longest(rows, "t")
        return {
            "rows": len(rows),
            "numbers": len(values(rows, "n")),
            "sum": total(rows, "n"),
            "texts": join(rows, "t"),
            "longest_text": text,
            "longest_nulls": nulls,
        }

    return out(windows(table(at / "in.csv", at=time, n=int), 10 * SECOND, 0, ["k"], results))


@folder
def flat_map(at):
    rows = table(at / "in.csv", number=int, x=float)
    return out(
        row | {"copy": copy, "again": again}
        for row in rows
        for copy in range(max(row["number"], 0))
        for again in range(copy)
    )


@folder
def flat_map_words(at):
    rows = [{"at": time(row["at"]), "word": word.lower()} for row in objects(at / "in.jsonl") for word in row["line"].split()]
    return out(windows(rows, 60 * SECOND, 0, ["word"], lambda rows: {"count": len(rows)}))


@folder
def no_input_columns(at):
    return out(row | {"seven": 14} for row in table(at / "in.csv"))


@folder
def window_offset(at):
    rows = table(at / "in.csv", at=time)
    results = lambda rows: {"rows": len(rows), "ns": join(rows, "id")}
    kept, late = in_time(rows, 10 * SECOND, 3 * SECOND, 30 * SECOND)
    return out(windows(kept, 10 * SECOND, 3 * SECOND, ["k"], results), late or None)


@folder
def window_offset_negative(at):
    rows = table(at / "in.csv", at=time)
    return out(windows(rows, 86_400 * SECOND, -5 * 3600 * SECOND, [], lambda rows: {"rows": len(rows)}))


@folder
def late(at):
    kept, late = in_time(table(at / "in.csv", at=time), 10 * SECOND, 0, 5 * SECOND)
    return out(windows(kept, 10 * SECOND, 0, ["k"], lambda rows: {"rows": len(rows), "ids": join(rows, "id")}), late)


def parsed(row, column, read):
    """The row with its time in microseconds, or none."""
    try:
        return row | {"us": (read(row[column]) - EPOCH) // timedelta(microseconds=1)}
    except (ValueError, AttributeError):
        return None


def bad(source, position, reason, step="source"):
    return {"step": step, "source": source, "position": position, "reason": reason}


@folder
def event_time_text(at):
    zone, form = ZoneInfo("Europe/Berlin"), "%d.%m.%Y %H:%M:%S"
    read = lambda text: datetime.strptime(text.strip(), form).replace(tzinfo=zone).astimezone(timezone.utc)
    with open(at / "in.csv", newline="", encoding="utf-8") as file:
        rows = [row | {"when": row["when"] or None} for row in csv.DictReader(file, delimiter=";")]
    read_rows = [parsed(row, "when", read) for row in rows]
    good = [row for row in read_rows if row]
    why = lambda text: "there is no event time" if text is None else f'"{text}" is no time as `{form}`'
    wrong = [bad("in.csv", i, f"column `when`: {why(rows[i]['when'])}") for i, row in enumerate(read_rows) if not row]
    kept, late = in_time(good, 3600 * SECOND, 0, 1800 * SECOND, "us")
    found = windows(kept, 3600 * SECOND, 0, [], lambda rows: {"ids": join(rows, "id")}, "us")
    text = "id,when\n" + "".join(f"{row['id']},{row['when']}\n" for row in good)
    return out(found, late) | letters(wrong) | {"expected.rows.csv": text}


@folder
def event_time_offset(at):
    read = lambda text: datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")
    kept, late = [], 0
    for name in ["in-1.jsonl", "in-2.jsonl"]:
        rows, dropped = in_time([parsed(row, "time", read) for row in objects(at / name)], 60 * SECOND, at="us")
        kept, late = kept + rows, late + dropped
    return out(windows(kept, 60 * SECOND, 0, ["host"], lambda rows: {"ids": join(rows, "id")}, "us"), late)


@folder
def event_time_unix(at):
    """The exact value of each number, rounded to the microsecond; of whole nanoseconds the rest is dropped."""
    files, wrong, late = {}, [], 0
    for name, file, per_second, size, bound in [
        ("s", "seconds.csv", 1, SECOND, 0),
        ("ms", "millis.csv", 1000, SECOND, SECOND),
        ("us", "micros.jsonl", SECOND, 1000, 0),
        ("ns", "nanos.csv", 1000 * SECOND, 1, 0),
    ]:
        rows = objects(at / file) if file.endswith("jsonl") else table(at / file)
        good = []
        for i, row in enumerate(rows):
            exact = Decimal(row["t"]) * SECOND / per_second if row["t"] is not None else None
            if exact is None:
                wrong.append(bad(file, i, "column `t`: there is no event time", name))
            elif exact.is_nan() or abs(exact) >= 2**63:
                wrong.append(bad(file, i, f"column `t`: {row['t']} as `unix-{name}` is no time that there is", name))
            else:
                good.append(row | {"us": int(exact.to_integral_value(ROUND_FLOOR if name == "ns" else ROUND_HALF_UP))})
        kept, dropped = in_time(good, size, 0, bound, "us")
        late += dropped
        files[f"expected.{name}.jsonl"] = lines(windows(kept, size, 0, [], lambda rows: {"ids": join(rows, "id")}, "us"))
    return files | letters(wrong) | {"expected.late": f"{late}\n"}


def overlapping(at, around, bound):
    """Windows that overlap, by their definition: a row is in each whose end its watermark has not passed."""
    groups, late, watermark = {}, 0, NEVER
    for row in table(at / "in.csv", at=time):
        windows = [(end, start) for start, end in around(row["at"])]
        in_time = [window for window in windows if window[0] > watermark]
        late += not in_time
        for window in in_time:
            # Panes are merged in the order of time; behind them what came too late for some windows.
            seen_from = (in_time[0] != windows[0], in_time[0][0])
            groups.setdefault((*window, row["k"]), []).append((seen_from, row))
        watermark = max(watermark, row["at"] - bound)
    return groups, late


def overlapped(groups, late, pane_of):
    rows = []
    for (end, start, k), found in sorted(groups.items(), key=lambda group: (*group[0][:2], rank(group[0][2]))):
        found = sorted(found, key=lambda seen: (seen[0][0], pane_of(seen[1]["at"]), seen[0][1]))
        ids = join([row for _, row in found], "id")
        rows.append({"window_start": iso(start), "window_end": iso(end), "k": k, "rows": len(found), "ids": ids})
    return out(rows, late)


@folder
def hopping(at):
    size, step, offset = 10 * SECOND, 4 * SECOND, SECOND

    def around(time):
        first = (time - offset - size) // step + 1
        starts = [n * step + offset for n in range(first, (time - offset) // step + 1)]
        return [(start, start + size) for start in starts]

    return overlapped(*overlapping(at, around, 5 * SECOND), lambda time: (time - offset) // (2 * SECOND))


@folder
def cumulating(at):
    size, step, offset = 20 * SECOND, 5 * SECOND, -3 * SECOND

    def around(time):
        start = start_of(time, size, offset)
        return [(start, start + n * step) for n in range(1, 5) if start + n * step > time]

    return overlapped(*overlapping(at, around, 5 * SECOND), lambda time: (time - offset) // step)


@folder
def allowed_lateness(at):
    """Windows that take rows for ten seconds behind their end. All rows are in one epoch, so a window's
    rows are there when it fires: what is late for the source is in its first result."""
    kept, late, watermark = [], 0, NEVER
    for row in table(at / "in.csv", at=time):
        if start_of(row["at"], 10 * SECOND) + 20 * SECOND <= watermark:
            late += 1
        else:
            kept.append(row)
        watermark = max(watermark, row["at"])
    results = lambda rows: {"window_emit": "final", "rows": len(rows), "ids": join(rows, "id")}
    return out(windows(kept, 10 * SECOND, 0, ["k"], results), late)


@folder
def late_side(at):
    """The rows that are late for their windows are a stream: every second one of them, doubled."""
    kept, late, watermark = [], [], NEVER
    for row in table(at / "in.csv", at=time, n=int):
        target = late if start_of(row["at"], 10 * SECOND) + 10 * SECOND <= watermark else kept
        target.append(row)
        watermark = max(watermark, row["at"])
    lines_of_late = [{**row, "at": iso(row["at"]), "n": 2 * row["n"]} for row in late if row["n"] % 2 == 0]
    found = out(windows(kept, 10 * SECOND, 0, ["k"], lambda rows: {"rows": len(rows), "ids": join(rows, "id")}), len(late))
    return {**found, "expected.late.jsonl": lines(lines_of_late)}


@folder
def two_phase(at):
    kept, late, watermark = [], [], NEVER
    for row in table(at / "in.csv", at=time, n=int):
        target = late if start_of(row["at"], 10 * SECOND) + 10 * SECOND <= watermark else kept
        target.append(row)
        watermark = max(watermark, row["at"])

    def results(rows):
        n = values(rows, "n")
        mean = sum(n) / len(n) if n else None
        return {"rows": len(rows), "mean": mean, "different": len(set(n)), "ids": join(rows, "id")}

    found = out(windows(kept, 10 * SECOND, 0, ["k"], results), len(late))
    return {**found, "expected.late.jsonl": lines({**row, "at": iso(row["at"])} for row in late)}


@folder
def late_side_window(at):
    """The rows that are late for ten seconds, by hours."""
    late, watermark = [], NEVER
    for row in table(at / "in.csv", at=time, n=int):
        if start_of(row["at"], 10 * SECOND) + 10 * SECOND <= watermark:
            late.append(row)
        watermark = max(watermark, row["at"])
    results = lambda rows: {"window_emit": "final", "ids": join(rows, "id")}
    return out(windows(late, 3600 * SECOND, 0, ["k"], results), len(late))


def windows_of_rows(rows, size, step, result):
    """Every so many rows of a key its last so many."""
    seen, found = {}, []
    for row in rows:
        of_key = seen.setdefault(row["k"], [])
        of_key.append(row)
        if len(of_key) % step == 0:
            last = of_key[-size:]
            found.append((last, result(row["k"], last)))
    return found


@folder
def count(at):
    def result(k, rows):
        times = [row["at"] for row in rows]
        return {
            "window_start": iso(min(times)),
            "window_end": iso(max(times) + 1),
            "k": k,
            "rows": len(rows),
            "ids": join(rows, "id"),
        }

    found = windows_of_rows(table(at / "in.csv", at=time), 4, 4, result)
    found.sort(key=lambda pair: (max(row["at"] for row in pair[0]), rank(pair[1]["k"])))
    return out([row for _, row in found])


@folder
def count_sliding(at):
    result = lambda k, rows: {"k": k, "rows": len(rows), "ids": join(rows, "id")}
    found = windows_of_rows(table(at / "in.csv"), 6, 4, result)
    return out(sorted((row for _, row in found), key=lambda row: rank(row["k"])))


@folder
def global_window(at):
    keys = {}
    for row in table(at / "in.csv"):
        keys.setdefault(row["k"], []).append(row)
    return out([{"k": k, "rows": len(keys[k]), "ids": join(keys[k], "id")} for k in sorted(keys, key=rank)])


@folder
def running(at):
    """Without event time, and all rows in one epoch: each key has changed once."""
    return global_window(at)


def in_order_of_time(rows):
    return sorted(rows, key=lambda row: row["at"])  # Stable: rows of one time as they came.


@folder
def median(at):
    """Windows that overlap, and all of their values in order."""
    groups = {}
    for row in table(at / "in.csv", at=time, n=float):
        for start in range(row["at"] // (4 * SECOND) * 4 * SECOND, row["at"] - 8 * SECOND, -4 * SECOND):
            groups.setdefault((start + 8 * SECOND, row["k"]), []).append(row)
    rows = []
    for (end, k), found in sorted(groups.items(), key=lambda group: (group[0][0], rank(group[0][1]))):
        # The function takes no null.
        numbers = sorted(n for n in values(found, "n") if n is not None)
        half = len(numbers) // 2
        middle = None if not numbers else numbers[half] if len(numbers) % 2 else (numbers[half - 1] + numbers[half]) / 2
        rows.append({"window_start": iso(end - 8 * SECOND), "window_end": iso(end), "k": k, "half": middle})
    return out(rows)


@folder
def group_failures(at):
    """A group with a negative number fails, and one with a 7 makes the function panic; the others stand."""
    groups = {}
    for row in table(at / "in.csv", at=time, n=int):
        groups.setdefault((start_of(row["at"], 5 * SECOND), row["k"]), []).append(row)
    rows, failed = [], []
    for (start, k), found in sorted(groups.items()):
        window = {"window_start": iso(start), "window_end": iso(start + 5 * SECOND), "k": k}
        # The first of them in the order of time is met.
        cue = next((row["n"] for row in in_order_of_time(found) if row["n"] < 0 or row["n"] == 7), None)
        if cue is None:
            ids = [row["id"] for row in in_order_of_time(found)]
            rows += [{**window, "trail": ",".join(ids[i : i + 3])} for i in range(0, len(ids), 3)]
        elif cue < 0:
            failed.append({"step": "window", "function": "lab.trail", "reason": f"{cue} is negative", "row": window})
        else:
            failed.append({"step": "window", "function": "lab.trail", "fault": "trap", "row": window})
    assert {len(letter) for letter in failed} == {4} and len({"fault" in letter for letter in failed}) == 2
    return {**out(rows), **letters(failed)}


@folder
def late_without_bound(at):
    rows = table(at / "in.csv", at=time, id=lambda text: int(text.lstrip("r")))
    # The watermark is the source's: rows that the filter drops move it on as well.
    kept, late, watermark = [], 0, NEVER
    for row in rows:
        if row["id"] % 2 == 0:
            if start_of(row["at"], 10 * SECOND) + 10 * SECOND <= watermark:
                late += 1
            else:
                kept.append(row)
        watermark = max(watermark, row["at"])
    results = lambda rows: {"rows": len(rows), "ids": total(rows, "id")}
    return out(windows(kept, 10 * SECOND, 0, [], results), late)


@folder
def partitions(at):
    rows, late = [], 0
    for path in sorted(at.glob("in-*.csv")):
        kept, of_file = in_time(table(path, at=time, id=int), 15 * SECOND, 0, 8 * SECOND)
        rows, late = rows + kept, late + of_file

    def results(rows):
        ids = values(rows, "id")
        return {"rows": len(rows), "sum": sum(ids), "span_least": min(ids), "span_greatest": max(ids)}

    return out(windows(rows, 15 * SECOND, 0, ["k"], results), late)


@folder
def partition_steps(at):
    rows, kept = [], []
    for path in sorted(at.glob("in-*.csv")):
        of_file = table(path, at=time, id=int)
        rows += [row for row in of_file if row["id"] % 2 == 0]
        kept += [row for row in in_time(of_file, 15 * SECOND, 0, 8 * SECOND)[0] if row["id"] % 2 == 0]
    spread = lines(row | {"at": iso(row["at"])} for row in rows)
    found = windows(kept, 15 * SECOND, 0, ["k"], lambda rows: {"rows": len(rows), "sum": sum(values(rows, "id"))})
    return out(found, len(rows) - len(kept)) | {"expected.rows.jsonl": spread}


@folder
def partitions_in_turn(at):
    rows = [row for path in sorted(at.glob("in-*")) for row in table(path, id=int)]
    return out({"id": row["id"], "file": row["file"]} for row in rows if row["id"] % 2 == 0)


@folder
def no_key(at):
    rows = table(at / "in.csv", at=time)
    return out(windows(rows, 10 * SECOND, 0, [], lambda rows: {"rows": len(rows), "ids": join(rows, "id")}))


@folder
def null_keys(at):
    # A text in quotes is no null, which Python's reader can't tell: the file has one row in four of them.
    rows = table(at / "in.csv", at=time, number=int)
    with open(at / "in.csv") as file:
        for row, line in zip(rows, list(file)[1:]):
            if line.split(",")[1] == '""':
                row["text"] = ""
    results = lambda rows: {"rows": len(rows), "ids": join(rows, "id")}
    return out(windows(rows, 20 * SECOND, 0, ["text", "number"], results))


@folder
def text_keys(at):
    rows = table(at / "in.csv", at=time)
    return out(windows(rows, 3600 * SECOND, 0, ["k"], lambda rows: {"rows": len(rows)}))


@folder
def many_keys(at):
    rows = table(at / "in.csv", at=time, n=int, x=float, yes=lambda t: t == "true", day=lambda t: time(t + "T00:00:00Z"))
    results = lambda rows: {"rows": len(rows), "sum": total(rows, "n")}
    found = windows(rows, 600 * SECOND, 0, ["n", "x", "yes", "day"], results)
    return out(row | {"day": iso(row["day"])} for row in found)


@folder
def fold_order(at):
    rows = table(at / "in.csv", at=time)
    results = lambda rows: {"ids": join(rows, "id"), "again": join(rows, "k")}
    return out(windows(rows, 30 * SECOND, 0, ["k"], results))


@folder
def multiple_outputs(at):
    def results(rows):
        numbers = values(rows, "n")
        text, nulls = longest(rows, "t")
        return {
            "range_least": min(numbers, default=None),
            "range_greatest": max(numbers, default=None),
            "best_text": text,
            "best_nulls": nulls,
        }

    return out(windows(table(at / "in.csv", at=time, n=int), 5 * SECOND, 0, ["k"], results))


@folder
def behind_windows(at):
    rows, late = in_time(table(at / "in.csv", at=time, n=int), 5 * SECOND, 0, 10 * SECOND)
    assert late == 0
    results = lambda rows: {"rows": len(rows), "sum": total(rows, "n")}
    seconds = windows(rows, 5 * SECOND, 0, ["k"], results, times=False)
    seconds = [row | {"twice": 2 * row["sum"]} for row in seconds if row["rows"] % 2 == 0]
    # A result's time is the last moment of its window.
    again = [row | {"at": row["window_end"] - 1} for row in seconds]
    results = lambda rows: {"windows": len(rows), "rows": total(rows, "rows"), "twice": total(rows, "twice")}
    minutes = windows(again, 20 * SECOND, 5 * SECOND, ["k"], results)
    shown = [row | {"window_start": iso(row["window_start"]), "window_end": iso(row["window_end"])} for row in seconds]
    return {"expected.seconds.jsonl": lines(shown), "expected.minutes.jsonl": lines(minutes)}


@folder
def branches(at):
    rows = table(at / "in.csv", at=time, n=int)
    evens = [row for row in rows if row["n"] % 2 == 0]
    shown = lambda rows: lines({"at": iso(row["at"])} | {k: v for k, v in row.items() if k != "at"} for row in rows)
    return {
        "expected.all.jsonl": shown(rows),
        "expected.evens.jsonl": shown(evens),
        "expected.counted.jsonl": lines(windows(evens, 10 * SECOND, 0, [], lambda rows: {"rows": len(rows)})),
        "expected.copied.jsonl": shown(row | {"copy": copy} for row in evens for copy in range(row["n"])),
    }


@folder
def several_sources(at):
    words = [{"at": time(row["at"]), "word": row["word"]} for row in objects(at / "words.jsonl")]
    numbers = table(at / "numbers.csv", n=int)
    return {
        "expected.numbers.jsonl": lines(row | {"double": 2 * row["n"]} for row in numbers),
        "expected.words.out.jsonl": lines(windows(words, 10 * SECOND, 0, [], lambda rows: {"words": join(rows, "word")})),
    }


@folder
def no_event_time(at):
    rows = table(at / "in.csv", at=time, n=int)
    results = lambda rows: {"rows": len(rows), "sum": total(rows, "n")}
    without = [i for i, row in enumerate(rows) if row["at"] is None]
    timed = [row for row in rows if row["at"] is not None]
    reason = "column `at`: there is no event time"
    bad = [{"step": "source", "source": "in.csv", "position": i, "reason": reason} for i in without]
    return out(windows(timed, 10 * SECOND, 0, [], results)) | letters(bad)


@folder
def row_errors(at):
    rows = table(at / "in.csv", at=time, clock=int, n=int, copies=int, m=int)
    bad = []

    def fails(step, function, position, row, reason):
        letter = {"step": step, "function": function, "reason": reason, "source": "in.csv", "position": position}
        bad.append(letter)

    left = []
    for position, row in enumerate(rows):
        hour, minute = divmod(row["clock"], 100)
        if hour > 23 or minute > 59:
            fails("minute_of_day", "flights.minute_of_day", position, row, f"{row['clock']} is not a time of day such as 1405")
        elif row["n"] < 0:
            fails("picky", "lab.picky", position, row, f"{row['n']} is negative")
        elif row["n"] >= 100:
            continue
        elif row["copies"] < 0:
            fails("repeat_picky", "lab.repeat_picky", position, row, f"{row['copies']} copies can't be made")
        else:
            for _ in range(row["copies"]):
                # Of two reasons the first stands: that of the aggregate that comes first.
                if row["t"] == "bad":
                    fails("folded", "lab.join", position, row, "a bad text")
                elif row["m"] < 0:
                    fails("folded", "lab.sum_picky", position, row, f"{row['m']} is negative")
                else:
                    left.append(row)
    results = lambda rows: {"texts": join(rows, "t"), "rows": len(rows), "sum": total(rows, "m")}
    assert {letter["function"] for letter in bad} == {
        "flights.minute_of_day",
        "lab.picky",
        "lab.repeat_picky",
        "lab.join",
        "lab.sum_picky",
    }
    return out(windows(left, 10 * SECOND, 0, ["k"], results)) | letters(bad)


@folder
def row_errors_skip(at):
    rows = table(at / "in.csv", n=int)
    return out(row for row in rows if 0 <= row["n"] < 100)


def panicked(step, function, n, **more):
    return {"step": step, "function": function, "parameters": {"at": str(n)}, "fault": "trap"} | more


@folder
def row_errors_by_step(at):
    rows = [row["n"] for row in table(at / "in.csv", n=int)]
    bad = [panicked("panics_on", "lab.panics_on", 12, source="in.csv", position=12, row={"n": 12})]
    return out({"n": n, "panics_on": n} for n in rows if n >= 0 and n != 12) | letters(bad)


@folder
def panic(at):
    rows = table(at / "in.csv", n=int, third=int)
    row = next(row for row in rows if row["n"] == 4711)
    bad = [panicked("panics_on", "lab.panics_on", 4711, source="in.csv", position=4711, row=row)]
    kept = [row for row in rows if row["n"] != 4711 and row["n"] % 2 == 0 and row["third"] % 2 == 0]
    return out(row | {"panics_on": row["n"]} for row in kept) | letters(bad)


@folder
def panics(at):
    rows = [row | {"position": i} for i, row in enumerate(table(at / "in.csv", at=time, n=int))]
    folded = []
    for row in rows:
        if row["n"] in (5, 17, 33) or row["n"] % 2 == 0:
            continue
        folded += [row] * len(str(row["n"]))
    results = lambda rows: {"sum": total(rows, "n"), "ids": join(rows, "id")}
    where = lambda n: {"source": "in.csv", "position": n}
    bad = [
        panicked("panics_on", "lab.panics_on", 5, **where(5)),
        panicked("stumbles_on", "lab.stumbles_on", 17, **where(17)),
        panicked("picks_apart", "lab.picks_apart", 33, **where(33)),
    ]
    bad += [panicked("folded", "lab.sum_panics_on", 21, **where(21))] * 2
    kept = [row for row in folded if row["n"] != 21]
    return out(windows(kept, 60 * SECOND, 0, ["k"], results)) | letters(bad)


@folder
def panic_at_the_end(at):
    rows = table(at / "in.csv", at=time, n=int)
    results = lambda rows: {"rows": len(rows), "sum": total(rows, "n"), "last": join(rows, "k")}
    found = windows(rows, 10 * SECOND, 0, ["k"], results)
    lost = [row for row in found if row["sum"] == 42]
    named = ("window_start", "window_end", "k")
    assert len(lost) == 2, lost
    bad = [panicked("window", "lab.sum_finish_panics_on", 42, row={n: row[n] for n in named}) for row in lost]
    return out(row for row in found if row["sum"] != 42) | letters(bad)


@folder
def null_in_aggregate_and_failure(at):
    rows = table(at / "in.csv", at=time, n=int)
    bad, kept = [], []
    for position, row in enumerate(rows):
        letter = {"step": "window", "source": "in.csv", "position": position}
        if row["n"] is not None and row["n"] < 0:
            bad.append(letter | {"function": "lab.sum_picky", "reason": f"{row['n']} is negative"})
        elif row["t"] == "bad":
            bad.append(letter | {"function": "lab.join", "reason": "a bad text"})
        else:
            kept.append(row)
    results = lambda rows: {"rows": len(rows), "sum": sum(values(rows, "n")), "texts": join(rows, "t")}
    return out(windows(kept, 10 * SECOND, 0, [], results)) | letters(bad)


# --- joins


def sides(at, pattern, bound, **types):
    """The rows of a stream, each with its partition, place, and the watermark that it is judged by."""
    rows = []
    for part, path in enumerate(sorted(at.glob(pattern))):
        watermark = NEVER
        for row in table(path, at=time, **types):
            rows.append({"row": row, "at": row["at"], "mark": watermark, "place": (part, len(rows))})
            watermark = max(watermark, row["at"] - bound)
    return rows


def stream(rows, at):
    """The rows of a stream that comes in an order of its own."""
    return [{"row": row, "at": at(row), "mark": at(row), "place": (0, i)} for i, row in enumerate(rows)]


def placed(row):
    return row["at"], row["place"]


def keyed(row, key):
    return tuple(rank(row["row"][k]) for k in key)


def paired(left, right, key, right_key, prefix):
    """A pair's columns: the left row's, and the right row's without its key."""
    nulls = {prefix + name: None for name in right["names"] if name not in right_key}
    of = right["found"]
    columns = {} if of is None else {prefix + n: v for n, v in of["row"].items() if n not in right_key}
    return left["row"] | (columns or nulls)


def partners(left, rights, key, right_key):
    if None in (left["row"][k] for k in key):
        return []
    same = lambda right: all(left["row"][a] == right["row"][b] for a, b in zip(key, right_key))
    return sorted((right for right in rights if same(right)), key=placed)


def window_join(lefts, rights, around, key, right_key=None, prefix="right_", kind="inner"):
    """Each left row with each right row of its key in each window that both are in and not late for."""
    right_key = right_key or key
    names = list(rights[0]["row"])
    in_time = lambda row: [(end, start) for start, end in around(row["at"]) if end > row["mark"]]
    late = sum(not in_time(row) for row in lefts + rights)
    pairs = []
    for end, start in sorted({window for row in lefts for window in in_time(row)}):
        here = [row for row in rights if (end, start) in in_time(row)]
        of_window = [row for row in lefts if (end, start) in in_time(row)]
        for left in sorted(of_window, key=lambda row: (keyed(row, key), placed(row))):
            found = partners(left, here, key, right_key) or [None] * (kind == "left")
            for right in found:
                pair = paired(left, {"found": right, "names": names}, key, right_key, prefix)
                pair = {n: v for n, v in pair.items() if n not in ("window_start", "window_end")}
                pairs.append({"window_start": start, "window_end": end} | pair)
    return pairs, late


def interval_join(lefts, rights, before, after, key, right_key=None, prefix="right_", kind="inner"):
    """Each left row with each right row of its key that is near it in time. Pairs have a time of their own."""
    right_key = right_key or key
    names = list(rights[0]["row"])
    in_time = lambda rows: [row for row in rows if row["at"] >= row["mark"]]
    late = len(lefts) + len(rights) - len(in_time(lefts)) - len(in_time(rights))
    pairs = []
    for left in sorted(in_time(lefts), key=lambda row: (row["at"], keyed(row, key), placed(row))):
        near = [row for row in in_time(rights) if left["at"] - before <= row["at"] <= left["at"] + after]
        for right in partners(left, near, key, right_key) or [None] * (kind == "left"):
            pair = paired(left, {"found": right, "names": names}, key, right_key, prefix)
            pairs.append((max(left["at"], right["at"] if right else NEVER), pair))
    return pairs, late


def shown(pairs):
    """Times as they are written."""
    is_time = lambda name: name == "at" or name.endswith("_at") or name.startswith("window_")
    return [{name: iso(value) if is_time(name) else value for name, value in pair.items()} for pair in pairs]


def tumbling(size, offset=0):
    return lambda at: [(start_of(at, size, offset), start_of(at, size, offset) + size)]


@folder
def join_tumbling(at):
    lefts = sides(at, "left-*", 4 * SECOND, n=int)
    rights = sides(at, "right-*", 4 * SECOND, m=int)
    pairs, late = window_join(lefts, rights, tumbling(10 * SECOND, 3 * SECOND), ["k"], ["key"])
    return out(shown(pairs), late)


@folder
def join_left(at):
    lefts = sides(at, "left-*", 6 * SECOND, n=int)
    rights = sides(at, "right-*", 6 * SECOND, m=int)
    pairs, late = window_join(lefts, rights, tumbling(20 * SECOND), ["k", "n"], ["key", "m"], kind="left")
    assert any(pair["right_id"] for pair in pairs) and any(pair["k"] is None for pair in pairs)
    return out(shown(pairs), late or None)


@folder
def join_hopping(at):
    size, step, offset = 10 * SECOND, 4 * SECOND, SECOND

    def around(time):
        first = (time - offset - size) // step + 1
        starts = [n * step + offset for n in range(first, (time - offset) // step + 1)]
        return [(start, start + size) for start in starts]

    lefts, rights = (sides(at, pattern, 2 * SECOND, n=int) for pattern in ("left-*", "right-*"))
    pairs, late = window_join(lefts, rights, around, ["k"])
    return out(shown(pairs), late or None)


@folder
def join_cumulating(at):
    size, step = 12 * SECOND, 4 * SECOND

    def around(time):
        start = start_of(time, size)
        return [(start, start + n * step) for n in range(1, 4) if start + n * step > time]

    lefts, rights = (sides(at, pattern, 3 * SECOND, n=int) for pattern in ("left-*", "right-*"))
    pairs, late = window_join(lefts, rights, around, ["k"], kind="left")
    return out(shown(pairs), late or None)


@folder
def join_within(at):
    lefts = sides(at, "left-*", 5 * SECOND, n=int)
    rights = sides(at, "right-*", 5 * SECOND, m=int)
    pairs, late = interval_join(lefts, rights, SECOND, 7 * SECOND, ["k"], ["key"])
    return out(shown(pair for _, pair in pairs), late)


@folder
def join_within_left(at):
    lefts, rights = (sides(at, pattern, 4 * SECOND, n=int) for pattern in ("left-*", "right-*"))
    files, late = {}, 0
    for name, before, after in (("earlier", 6, -2), ("later", -2, 6)):
        pairs, of_join = interval_join(lefts, rights, before * SECOND, after * SECOND, ["k"], kind="left")
        files[f"expected.{name}.jsonl"] = lines(shown(pair for _, pair in pairs))
        late += of_join
    return files | {"expected.late": f"{late}\n"}


@folder
def join_broadcast(at):
    lefts, rights = (sides(at, pattern, 4 * SECOND, n=int) for pattern in ("left-*", "right-*"))
    near, late = interval_join(lefts, rights, 6 * SECOND, 2 * SECOND, ["k"])
    found, more = window_join(lefts, rights, tumbling(20 * SECOND), ["k"], kind="left")
    return {
        "expected.near.jsonl": lines(shown(pair for _, pair in near)),
        "expected.windows.jsonl": lines(shown(found)),
        "expected.late": f"{late + more}\n",
    }


@folder
def join_map(at):
    lefts = sides(at, "left-*", 30 * SECOND, n=int)
    rights = sides(at, "right-*", 30 * SECOND, m=int)
    pairs, late = window_join(lefts, rights, tumbling(10 * SECOND), ["k"], ["key"])
    kept, bad = [], []
    for pair in pairs:
        n, m = pair["n"], pair["right_m"]
        row = pair | {"sum": None if None in (n, m) else n + m}
        if row["sum"] is None or row["sum"] >= 100:
            continue
        if row["sum"] < 0:
            bad.append({"step": "picky", "function": "lab.picky", "reason": f"{row['sum']} is negative"})
        else:
            kept.append(row)
    assert late == 0 and bad and kept
    return out(shown(kept)) | letters(bad)


@folder
def join_then_window(at):
    lefts, rights = (sides(at, pattern, 4 * SECOND, n=int) for pattern in ("left-*", "right-*"))
    pairs, late = interval_join(lefts, rights, 2 * SECOND, 5 * SECOND, ["k"], kind="left")
    rows = [{"time": when, "k": pair["k"], "id": pair["id"], "right_id": pair["right_id"]} for when, pair in pairs]
    results = lambda rows: {"pairs": len(rows), "lefts": join(rows, "id"), "rights": join(rows, "right_id")}
    return out(windows(rows, 10 * SECOND, 0, ["k"], results, at="time"), late)


@folder
def join_of_windows(at):
    of, late = [], 0
    for pattern, size, results in (
        ("left-*", 5 * SECOND, lambda rows: {"rows": len(rows), "sum": total(rows, "n")}),
        ("right-*", 10 * SECOND, lambda rows: {"right_rows": len(rows)}),
    ):
        kept = []
        for path in sorted(at.glob(pattern)):
            some, of_file = in_time(table(path, at=time, n=int), size, 0, 4 * SECOND)
            kept, late = kept + some, late + of_file
        found = windows(kept, size, 0, ["k"], results, times=False)
        of.append(stream(found, lambda row: row["window_end"] - 1))
    pairs, none = window_join(*of, tumbling(10 * SECOND), ["k"], prefix="", kind="left")
    assert none == 0
    return out(shown(pairs), late or None)


@folder
def join_twice(at):
    lefts, rights = (sides(at, pattern, 4 * SECOND, n=int) for pattern in ("left-*", "right-*"))
    pairs, late = interval_join(lefts, rights, 3 * SECOND, 3 * SECOND, ["k"])
    found = [{"row": pair, "at": when, "mark": when, "place": (0, i)} for i, (when, pair) in enumerate(pairs)]
    third = sides(at, "third*", 3 * SECOND)
    pairs, more = window_join(third, found, tumbling(7 * SECOND), ["k"], prefix="pair_", kind="left")
    return out(shown(pairs), late + more)


@folder
def join_stateful(at):
    lefts, rights = (sides(at, pattern, 4 * SECOND, n=int) for pattern in ("left-*", "right-*"))
    for left, counted_row in zip(lefts, stateful([row["row"] for row in lefts], ["k"], counted("nth"))):
        left["row"] = counted_row
    pairs, late = window_join(lefts, rights, tumbling(10 * SECOND), ["k"])
    assert late == 0
    return out(shown(stateful(pairs, ["right_n"], summed("nth", "running_sum"))))


@folder
def join_with_itself(at):
    rows = sides(at, "left-*", 3 * SECOND, n=int)
    pairs, late = interval_join(rows, rows, 0, 5 * SECOND, ["k"], prefix="next_")
    return out(shown(pair for _, pair in pairs), late)


def hostile(at, function, fault):
    rows = [row["n"] for row in table(at / "in.csv", n=int)]
    letter = {"step": function, "function": f"lab.{function}", "parameters": {"at": "17"}, "fault": fault}
    bad = [letter | {"source": "in.csv", "position": 17, "row": {"n": 17}}]
    return out({"n": n, function: n, "double": 2 * n} for n in rows if n != 17) | letters(bad)


@folder
def spins(at):
    return hostile(at, "spins_on", "time")


@folder
def eats(at):
    return hostile(at, "eats_on", "memory")


@folder
def recurses(at):
    return hostile(at, "recurses_on", "stack")


@folder
def contract(at):
    rows = table(at / "in.csv", n=int)
    bad = [{"step": "words", "function": "liar.words", "fault": "contract", "position": i} for i in range(len(rows))]
    evens = lines(row for row in rows if row["n"] % 2 == 0)
    return {"expected.none.jsonl": "", "expected.evens.jsonl": evens} | letters(bad)


def stateful(rows, key, step, ttl=None, bound=0, at="at"):
    """The rows that `step(state, row)` gives for each row, with a state (a dict) of each key.

    With a time to live a state is gone where the highest time of the key's rows is so far behind the
    watermark that the row's file had before it."""
    states, highest, watermark, given = {}, {}, NEVER, []
    for row in rows:
        k = tuple(row[name] for name in key)
        if ttl is not None:
            if k in highest and highest[k] + ttl <= watermark:
                states[k] = {}
            highest[k] = max(highest.get(k, NEVER), row[at])
            watermark = max(watermark, row[at] - bound)
        given += step(states.setdefault(k, {}), row)
    return given


def counted(name):
    def step(state, row):
        state["rows"] = state.get("rows", 0) + 1
        return [row | {name: state["rows"]}]

    return step


def previous(column, name):
    def step(state, row):
        before, state["last"] = state.get("last"), row[column]
        return [row | {name: before}]

    return step


def summed(column, name):
    def step(state, row):
        if row[column] is None:
            return []
        state["sum"] = state.get("sum", 0) + row[column]
        return [row | {name: state["sum"]}]

    return step


@folder
def stateful_balances(at):
    rows = table(at / "in.csv", id=int, amount=int)
    return out(stateful(rows, ["account"], summed("amount", "balance")))


@folder
def stateful_distinct(at):
    def step(state, row):
        first = not state
        state["seen"] = True
        return [row] if first else []

    return out(stateful(table(at / "in.csv", b=int, n=int), ["a", "b"], step))


@folder
def stateful_chain(at):
    def changed(state, row):
        same = "value" in state and state["value"] == row["state"]
        state["value"] = row["state"]
        return [] if same else [row]

    rows = stateful(table(at / "in.csv"), ["sensor"], changed)
    rows = stateful(rows, ["site"], previous("id", "before"))
    return out(stateful(rows, [], counted("number")))


@folder
def stateful_types(at):
    def last_value(column):
        def step(state, row):
            if row[column] is not None:
                state["last"] = row[column]
            return [row | {f"last_{column}": state.get("last")}]

        return step

    def changed(column):
        def step(state, row):
            same = "value" in state and state["value"] == row[column]
            state["value"] = row[column]
            return [] if same else [row]

        return step

    rows = table(at / "in.csv", id=int, flag=lambda text: text == "true", n=int, x=float)
    for column in ("flag", "n", "x", "t", "word"):
        rows = stateful(rows, ["k"], last_value(column))
        rows = stateful(rows, ["k"], previous(column, f"previous_{column}"))
    rows = stateful(rows, ["k"], summed("last_x", "sum"))
    for column in ("last_t", "last_x", "n"):
        rows = stateful(rows, ["k"], changed(column))
    return out(stateful(rows, ["n"], changed("flag")))


@folder
def stateful_failures(at):
    failed = []

    def fail(row, step, function, reason, **more):
        letter = {"step": step, "function": function, "source": "in.csv", "position": row["position"]}
        failed.append(letter | ({"reason": reason} if reason else {"fault": "trap"}) | more)
        return []

    def tally(state, row):
        n = row["n"]
        if n is None:
            return []
        if n == 13:
            return fail(row, "tally", "lab.tally", None)
        if n < 0:
            return fail(row, "tally", "lab.tally", f"{n} is negative")
        before, state["last"] = state.get("last"), row["id"]
        state["rows"] = state.get("rows", 0) + 1
        copies = 0 if n % 7 == 0 else 2 if n % 5 == 0 else 1
        return [row | {"tally": state["rows"], "before": before}] * copies

    rows = [row | {"position": i} for i, row in enumerate(table(at / "in.csv", n=int))]
    kept = []
    for row in stateful(rows, ["k"], tally):
        if row["tally"] == 4:
            fail(row, "panics_on", "lab.panics_on", None)
        else:
            kept.append({name: value for name, value in row.items() if name != "position"})
    assert failed and kept
    return out(kept) | letters(failed)


@folder
def stateful_ttl(at):
    rows = stateful(table(at / "in.csv", at=time), ["k"], counted("seen"), 20 * SECOND, 3 * SECOND)
    without = stateful(table(at / "in.csv", at=time), ["k"], counted("seen"))
    assert rows != without, "the folder is there to forget"
    return out(row | {"at": iso(row["at"])} for row in rows)


@folder
def stateful_copies(at):
    def repeated(rows, column, name):
        return [row | {name: copy} for row in rows for copy in range(row[column])]

    rows = repeated(table(at / "in.csv", c=int), "c", "copy")
    rows = stateful(rows, ["k", "copy"], counted("of_copy"))
    return out(stateful(repeated(rows, "of_copy", "again"), ["again"], previous("id", "previous")))


@folder
def stateful_between(at):
    rows = stateful(table(at / "in.csv", at=time, c=int), ["k"], counted("nth"))
    results = lambda rows: {"ids": join(rows, "id"), "nths": total(rows, "nth")}
    tens = windows(rows, 10 * SECOND, 0, ["c"], results)
    totals = stateful(tens, ["c"], summed("nths", "running_sum"))
    timed = [row | {"at": time(row["window_end"]) - 1} for row in totals]
    results = lambda rows: {"last_total": max(values(rows, "running_sum")), "all": join(rows, "ids")}
    return out(windows(timed, 60 * SECOND, 0, [], results)) | {"expected.totals.jsonl": lines(totals)}


@folder
def stateful_partitions(at):
    rows = []
    for path in sorted(at.glob("in-*.csv")):
        rows += stateful(table(path, at=time), ["k"], previous("id", "previous"), 15 * SECOND)
    return out(row | {"at": iso(row["at"])} for row in rows)


def kept_as_parquet(at):
    kept, bad = [], []
    lines = (at / "in.csv").read_text(encoding="utf-8").splitlines()[1:]
    for position, line in enumerate(lines):
        number, name = line.split(",")
        where = {"source": "in.csv", "position": position}
        row = {"n": None, "name": name or None}
        if not number.lstrip("-").isdigit():
            bad.append({"step": "source", "line": position + 2, "text": line} | where)
            continue
        row["n"] = n = int(number)
        if n == 17:
            bad.append(panicked("panics_on", "lab.panics_on", 17, row=row, **where))
        elif n < 0:
            bad.append({"step": "picky", "function": "lab.picky", "reason": f"{n} is negative", "row": row | {"panics_on": n}} | where)
        elif n < 100:
            kept.append(row | {"panics_on": n})
    return out(kept) | letters(bad)


@folder
def letters_parquet(at):
    return kept_as_parquet(at)


@folder
def letters_folder(at):
    return kept_as_parquet(at)


def main():
    changed = 0
    for function in FOLDERS:
        at = HERE / function.__name__.replace("_", "-")
        for name, content in function(at).items():
            path = at / name
            if path.exists() and path.read_text(encoding="utf-8") == content:
                continue
            changed += 1
            print(path.relative_to(HERE))
            if "--check" not in sys.argv:
                path.write_text(content, encoding="utf-8")
    sys.exit(1 if changed and "--check" in sys.argv else 0)


main()
