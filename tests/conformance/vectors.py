#!/usr/bin/env python3
"""Computes the vectors of the conformance kit, without Weir: `vectors.py > vectors.jsonl`.

First a line for each reference function (its signature), then a line for each case. README.md says
what the functions do.
"""

import json
import random
import statistics

EVERY = "b: boolean?, i: int32?, l: int64?, f: float32?, d: float64?, t: timestamp?, s: text?, y: bytes?"
SIGNATURES = [
    (f"map echo({EVERY}) -> ({EVERY})", [], []),
    ("map product(a: float64, b: float64) -> product: float64", [], []),
    ("map quotient(a: int64, b: int64) -> quotient: int64", [], []),
    ("map describe(text: text) -> describe: text", ["prefix: text"], []),
    (
        "map settings(row: int64) -> (flag: boolean, small: int32, large: int64, ratio: float64, since: timestamp, name: text, now: timestamp)",
        [
            "flag: boolean = true", "small: int32 = -7", "large: int64 = 9007199254740993", "ratio: float64 = 0.1",
            "since: timestamp = 1360326600000000", "name: text = né",
        ],
        [],
    ),
    ("filter above(value: float64)", ["threshold: float64 = 10.5"], []),
    ("flat-map words(text: text) -> (word: text, position: int64)", [], []),
    ("aggregate mean(value: float64) -> mean: float64?", [], ["sum: float64", "count: int64"]),
    ("aggregate longest(text: text) -> longest: text?", [], ["text: text?"]),
    ("stateful-map balance(amount: int64) -> balance: int64", [], ["value: int64"]),
    ("group-map median(value: float64) -> median: float64?", [], []),
    ("map complain(text: text) -> complain: text", [], []),
]

TEXTS = ["", "a", "plain words", "é", "日本語", "🙂 family 👨‍👩‍👧", "tab\tand\nline", "\"quoted\" \\ \u0000 zero", "ß" * 300, "e\u0301"]
I32, I64 = 2**31, 2**63
EXTREMES = [
    {"b": True, "i": I32 - 1, "l": I64 - 1, "f": 3.4028235e38, "d": 1.7976931348623157e308, "t": I64 - 1, "s": TEXTS[5], "y": "00ff80"},
    {"b": False, "i": -I32, "l": -I64, "f": 1e-45, "d": 5e-324, "t": -I64, "s": "", "y": ""},
    {"b": True, "i": 0, "l": 9007199254740993, "f": "NaN", "d": "NaN", "t": 0, "s": TEXTS[7], "y": "c328"},
    {"b": False, "i": -1, "l": -9007199254740993, "f": "inf", "d": "-inf", "t": -1, "s": TEXTS[4], "y": "00"},
    {"b": True, "i": 1, "l": 1, "f": -0.0, "d": -0.0, "t": 1360326600000001, "s": TEXTS[8], "y": "ff" * 300},
]

out = []


def case(function, name, rows, expect, **more):
    out.append({"name": name, "function": function, **more, "rows": rows, "expect": expect})


def some(row, mask):
    return {name: (value if mask >> place & 1 else None) for place, (name, value) in enumerate(row.items())}


def echo():
    case("echo", "no rows", [], [])
    case("echo", "extremes", EXTREMES, EXTREMES)
    for row, extreme in enumerate(EXTREMES):
        case("echo", f"one row, extremes {row}", [extreme], [extreme])
    nulls = [dict.fromkeys(EXTREMES[0])] * 9
    case("echo", "all null", nulls, nulls)
    case("echo", "one row, all null", nulls[:1], nulls[:1])
    rng = random.Random(7)
    mixed = [some(rng.choice(EXTREMES), rng.randrange(256)) for _ in range(67)]
    case("echo", "nulls here and there", mixed, mixed)
    one_null = [some(EXTREMES[i % 5], 255 if i != 8 else 0) for i in range(17)]
    case("echo", "a null in the second byte of validity", one_null, one_null)
    case("echo", "8,193 rows", mixed, mixed, times=8193)


def product():
    rng = random.Random(8)
    rows = [{"a": rng.uniform(-1e3, 1e3), "b": rng.uniform(-1e3, 1e3)} for _ in range(100)]
    expect = [{"product": row["a"] * row["b"]} for row in rows]
    case("product", "no rows", [], [])
    case("product", "one row", rows[:1], expect[:1])
    case("product", "100 rows", rows, expect)
    case("product", "8,193 rows", rows, expect, times=8193)
    case("product", "past the largest", [{"a": 1e308, "b": 10}, {"a": "inf", "b": 0}], [{"product": "inf"}, {"product": "NaN"}])


def quotient():
    def of(a, b):
        if b == 0:
            return {"row-error": "division by zero"}
        whole = abs(a) // abs(b)
        return {"quotient": whole if (a < 0) == (b < 0) else -whole}

    pairs = [(7, 2), (-7, 2), (7, -2), (-7, -2), (1, 0), (I64 - 1, 1), (-I64, 1), (I64 - 1, 3), (9007199254740993, 1), (0, 0), (0, 5)]
    rows = [{"a": a, "b": b} for a, b in pairs]
    expect = [of(a, b) for a, b in pairs]
    case("quotient", "row errors between rows that stand", rows, expect)
    case("quotient", "every row fails", [{"a": 1, "b": 0}] * 3, [of(1, 0)] * 3)
    case("quotient", "8,193 rows", rows, expect, times=8193)


def describe():
    rows = [{"text": text} for text in TEXTS]
    for prefix in ["> ", "", "né\t"]:
        case("describe", f"prefix {prefix!r}", rows, [{"describe": f"{prefix}{t}:{len(t.encode())}"} for t in TEXTS], **{"with": {"prefix": prefix}})
    expect = [{"describe": f"{t}:{len(t.encode())}"} for t in TEXTS]
    case("describe", "8,193 texts", rows, expect, times=8193, **{"with": {"prefix": ""}})


def settings():
    defaults = {"flag": True, "small": -7, "large": 9007199254740993, "ratio": 0.1, "since": 1360326600000000, "name": "né"}
    given = {"flag": False, "small": -I32, "large": -I64, "ratio": 1e-7, "since": -1, "name": "a \"b\" 日"}
    now = 1360326600123456
    case("settings", "defaults", [{"row": 1}, {"row": 2}], [{**defaults, "now": now}] * 2, now=now)
    case("settings", "all given", [{"row": 1}], [{**given, "now": -5}], now=-5, **{"with": given})
    case("settings", "no time", [{"row": 1}], [{**defaults, "now": 0}])
    case("settings", "no rows", [], [])


def above():
    values = [10.5, 10.500001, -1.0, 1e9, 0.0, 11.0, 10.0, 12.0, 13.0]
    for threshold in [10.5, -2.0]:
        with_ = {"with": {"threshold": threshold}} if threshold != 10.5 else {}
        case("above", f"threshold {threshold}", [{"value": v} for v in values], [v > threshold for v in values], **with_)
        case("above", f"8,193 rows, threshold {threshold}", [{"value": v} for v in values], [v > threshold for v in values], times=8193, **with_)
    case("above", "a row that fails", [{"value": 11}, {"value": "NaN"}, {"value": 12}], [True, {"row-error": "not a number"}, True])
    case("above", "no rows", [], [])
    case("above", "none kept", [{"value": 0}] * 9, [False] * 9)


def words():
    def of(text):
        if text == "!":
            return {"row-error": "no words"}
        return [{"word": word, "position": place} for place, word in enumerate(w for w in text.split(" ") if w)]

    texts = ["a b c", "", "   ", "!", " lead", "trail ", "é 日本 🙂", "one", "two  spaces", "!"]
    rows = [{"text": text} for text in texts]
    case("words", "some words", rows, [of(t) for t in texts])
    case("words", "no words at all", [{"text": ""}] * 3, [[]] * 3)
    case("words", "no rows", [], [])
    case("words", "many words", [{"text": "x " * 1000}], [of("x " * 1000)])
    case("words", "8,193 rows", rows, [of(t) for t in texts], times=8193)


def mean():
    def of(values, groups):
        sums = {}
        errors = []
        for row, (value, group) in enumerate(zip(values, groups)):
            entry = sums.setdefault(group, [])
            if value < 0:
                errors.append({"row-error": "negative", "row": row})
            else:
                entry.append(value)
        count = max(groups, default=0) + 1
        means = [{"mean": sum(sums[g]) / len(sums[g]) if sums.get(g) else None} for g in range(count)]
        return means + errors

    # Sums of quarters are exact in any order.
    rng = random.Random(9)
    for name, values, groups in [
        ("one group", [1.0, 2.0, 4.5], [0, 0, 0]),
        ("no rows", [], []),
        ("a group without rows", [1.0, 3.0], [0, 2]),
        ("rows that fail", [1.0, -1.0, 3.0, -2.0], [0, 0, 1, 2]),
        ("200 rows of 7 groups", [rng.randrange(4000) / 4 for _ in range(200)], [rng.randrange(7) for _ in range(200)]),
        ("5,000 rows of 1,000 groups", [rng.randrange(4000) / 4 for _ in range(5000)], [rng.randrange(1000) for _ in range(5000)]),
    ]:
        case("mean", name, [{"value": v} for v in values], of(values, groups), groups=groups)


def longest():
    def of(texts, groups):
        best = {}
        for text, group in zip(texts, groups):
            if group not in best or len(text.encode()) > len(best[group].encode()):
                best[group] = text
        return [{"longest": best.get(g)} for g in range(max(groups, default=0) + 1)]

    for name, texts, groups in [
        ("one group", ["a", "ccc", "bb", "ddd"], [0, 0, 0, 0]),
        ("no rows", [], []),
        ("an empty text is a text", ["", ""], [0, 2]),
        ("bytes, not letters", ["abc", "éé", "日"], [0, 0, 1]),
        ("many groups", [TEXTS[i % 10] for i in range(200)], [(i * 7) % 13 for i in range(200)]),
    ]:
        case("longest", name, [{"text": t} for t in texts], of(texts, groups), groups=groups)


def balance():
    def of(amounts, keys):
        held = {}
        for amount, key in zip(amounts, keys):
            if held.get(key, 0) + amount < 0:
                yield {"row-error": "overdrawn"}
            else:
                held[key] = held.get(key, 0) + amount
                yield [{"balance": held[key]}]

    rng = random.Random(10)
    for name, amounts, keys in [
        ("one key", [5, -3, 10], [0, 0, 0]),
        ("a row that fails leaves its state", [5, -7, -5, -1, 3], [0, 0, 0, 0, 0]),
        ("two keys", [5, 7, -3, 1, -9], [0, 1, 0, 1, 1]),
        ("no rows", [], []),
        ("beyond 2^53", [9007199254740992, 1, 1], [0, 0, 0]),
        ("200 rows of 9 keys", [rng.randrange(-50, 100) for _ in range(200)], [rng.randrange(9) for _ in range(200)]),
    ]:
        case("balance", name, [{"amount": a} for a in amounts], list(of(amounts, keys)), groups=keys)


def median():
    def of(values, groups):
        for group in range(max(groups, default=0) + 1):
            mine = [v for v, g in zip(values, groups) if g == group]
            yield [{"median": statistics.median(mine) if mine else None}]

    rng = random.Random(11)
    many = sorted(rng.randrange(20) for _ in range(300))
    for name, values, groups in [
        ("one group", [3.0, 1.0, 2.0], [0, 0, 0]),
        ("an even number", [4.0, 1.0, 3.0, 2.0], [0, 0, 0, 0]),
        ("a group without rows", [1.0, 5.0], [0, 2]),
        ("no rows", [], []),
        ("20 groups", [rng.uniform(-9, 9) for _ in range(300)], many),
    ]:
        case("median", name, [{"value": v} for v in values], list(of(values, groups)), groups=groups)


def complain():
    case("complain", "the batch is refused", [{"text": "é"}], {"fault": "complained"})
    case("complain", "no rows, nothing to refuse", [], [])


for signature, parameters, accumulator in SIGNATURES:
    print(json.dumps({"signature": signature, "parameters": parameters, "accumulator": accumulator}, ensure_ascii=False))
for function in [echo, product, quotient, describe, settings, above, words, mean, longest, balance, median, complain]:
    function()
for line in out:
    print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
