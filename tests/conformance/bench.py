#!/usr/bin/env python3
"""The README's table: the same numeric map in every language, by `weir bench`.

    tests/conformance/bench.py target/release/weir [SECONDS]

The compilers have to be on PATH (tests/toolchains/install prints where they are).
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RUNS = [
    ("Rust", "rust", "product"),
    ("C", "c", "product"),
    ("C++", "cpp", "product"),
    ("Zig", "zig", "product"),
    ("Zig, row by row", "zig", "product_rows"),
    ("Go", "go", "product"),
    ("Go, row by row", "go", "product_rows"),
    ("JavaScript (QuickJS)", "javascript", "product"),
    ("JavaScript, typed arrays", "javascript", "product_items"),
    ("JavaScript, row by row", "javascript", "product_rows"),
    ("Python", "python", "product"),
    ("Python, item by item", "python", "product_items"),
    ("Python, row by row", "python", "product_rows"),
]


def size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 1024:.0f} KiB"


def main() -> None:
    weir, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "2"
    rust = None
    print("| language | ns/row | least | of Rust | component | instance | compiled in |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, folder, function in RUNS:
        command = [weir, "bench", str(HERE / folder), function, "--seconds", seconds, "--json"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        batch = max(found["batches"], key=lambda batch: batch["rows"])
        # A machine with neighbours is measured best by what it does when they are quiet.
        row, least = batch["ns_per_row_median"], batch["ns_per_row_min"]
        rust = rust or least
        instance, compiled = found["instantiate_us"], found["compile_ms"]
        print(f"| {name} | {row:.1f} | {least:.1f} | {least / rust:.1f} | {size(found['component_bytes'])} | {instance:.0f} us | {compiled:.0f} ms |")


main()
