#!/usr/bin/env python3
"""Draws the pictures of the documentation: each function below is one SVG of its name.

Run without arguments it writes them; with --check it says which would change. All are in one style,
which can be read on a light and on a dark background. Nothing but Python's standard library is needed.
"""

import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
WIDTH = 760
PICTURES = []

STYLE = """
    text { fill: #24292f; }
    .soft { fill: #57606a; font-size: 12px; }
    .line { stroke: #57606a; stroke-width: 1.5; fill: none; }
    .grid { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 4 4; fill: none; }
    .window { fill: #0969da; fill-opacity: 0.10; stroke: #0969da; stroke-opacity: 0.5; }
    .faint { fill: #57606a; fill-opacity: 0.10; stroke: none; }
    .row { fill: #0969da; }
    .late { fill: none; stroke: #cf222e; stroke-width: 2.5; }
    .latetext { fill: #cf222e; font-size: 12px; }
    .mark { stroke: #9a6700; stroke-width: 2.5; fill: none; }
    .marktext { fill: #9a6700; font-size: 12px; }
    .pair { stroke: #0969da; stroke-width: 1.5; }
    .result { fill: #1a7f37; }
    .resulttext { fill: #1a7f37; font-size: 12px; }
    .number { fill: #ffffff; font-size: 12px; font-weight: 600; text-anchor: middle; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .soft { fill: #9da7b3; }
      .line { stroke: #9da7b3; }
      .grid { stroke: #6e7681; }
      .window { fill: #58a6ff; stroke: #58a6ff; }
      .faint { fill: #9da7b3; }
      .row { fill: #388bfd; }
      .late { stroke: #ff7b72; }
      .latetext { fill: #ff7b72; }
      .mark { stroke: #d29922; }
      .marktext { fill: #d29922; }
      .pair { stroke: #58a6ff; }
      .result { fill: #3fb950; }
      .resulttext { fill: #3fb950; }
      .number { fill: #ffffff; }
    }
  """


class Drawing:
    """Shapes at their places, in the order in which they are drawn."""

    def __init__(self, title, description, height):
        self.title, self.description, self.height, self.shapes = title, description, height, []

    def shape(self, name, text=None, **attributes):
        short = {k: round(v, 1) if isinstance(v, float) else v for k, v in attributes.items()}
        written = "".join(f' {k.rstrip("_").replace("_", "-")}="{v}"' for k, v in short.items())
        end = "/>" if text is None else f">{escape(text)}</{name}>"
        self.shapes.append(f"  <{name}{written}{end}")

    def text(self, x, y, text, style=None, anchor=None):
        attributes = {"class_": style} if style else {}
        if anchor:
            attributes["text_anchor"] = anchor
        self.shape("text", text, x=x, y=y, **attributes)

    def line(self, x1, y1, x2, y2, style="line"):
        self.shape("line", class_=style, x1=x1, y1=y1, x2=x2, y2=y2)

    def rect(self, x1, y1, x2, y2, style="window"):
        self.shape("rect", class_=style, x=x1, y=y1, width=x2 - x1, height=y2 - y1, rx=2)

    def dot(self, x, y, style="row", size=4):
        self.shape("circle", class_=style, cx=x, cy=y, r=size)

    def row(self, x, y, number, late=False):
        self.dot(x, y, "late" if late else "row", 11)
        if late:
            self.text(x, y + 4, number, "latetext", "middle")
        else:
            self.text(x, y + 4, number, "number")

    def steps(self, points, style="mark"):
        """A line that goes on level, and up or down at each point."""
        (x, y), *others = points
        self.shape("path", class_=style, d=f"M{x} {y}" + "".join(f" H{x} V{y}" for x, y in others))

    def result(self, x, y):
        self.shape("path", class_="result", d=f"M{x - 6} {y} l6 -6 l6 6 l-6 6 z")

    def svg(self):
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}"'
            ' font-family="system-ui, sans-serif" font-size="14" role="img" aria-labelledby="t d">\n'
            f'  <title id="t">{escape(self.title)}</title>\n  <desc id="d">{escape(self.description)}</desc>\n'
            f"  <style>{STYLE}</style>\n"
        )
        return head + "\n".join(self.shapes) + "\n</svg>\n"


def picture(function):
    PICTURES.append(function)
    return function


def axis(d, x, y, first, last, step, name, left=None, right=None):
    """Event time from left to right."""
    left, right = left or x(first), right or x(last)
    d.line(left, y, right, y)
    for time in range(first, last + 1, step):
        d.line(x(time), y - 3, x(time), y + 3)
        d.text(x(time), y + 18, str(time), "soft", "middle")
    d.text(20, y + 18, name, "soft")


def windows_below(d, x, rows, windows, y):
    """A bar for each window, with the rows that are in it."""
    for number, (start, end) in enumerate(windows):
        top = y + 28 * number
        d.rect(x(start), top, x(end), top + 20)
        for time in rows:
            if start <= time < end:
                d.dot(x(time), top + 10)
        d.text(20, top + 15, f"[{start}, {end})", "soft")


def of_time(title, description, rows, windows, first, last, step, panes=None):
    """Rows on an axis, and the windows below it."""
    d = Drawing(title, description, 100 + 28 * len(windows))
    x = lambda time: 120 + (time - first) * 610 // (last - first)
    if panes:
        for time in panes:
            d.line(x(time), 84, x(time), 88 + 28 * len(windows), "grid")
    d.text(20, 34, "rows")
    for number, time in enumerate(rows, 1):
        d.row(x(time), 30, str(number))
    axis(d, x, 54, first, last, step, "event time", 110, 740)
    windows_below(d, x, rows, windows, 88)
    return d


@picture
def tumbling():
    return of_time(
        "Tumbling windows",
        "Windows of 20 follow each other: every row is in one of them. A row at the end of one is in the next.",
        [3, 8, 14, 20, 27, 44, 52],
        [(0, 20), (20, 40), (40, 60)],
        0,
        60,
        10,
    )


@picture
def hopping():
    return of_time(
        "Hopping windows",
        "A window of 20 starts every 10, so every row is in two of them. They share panes of 10.",
        [3, 8, 14, 20, 27, 44, 52],
        [(n, n + 20) for n in range(-10, 51, 10)],
        -10,
        70,
        10,
        range(-10, 71, 10),
    )


@picture
def cumulating():
    return of_time(
        "Cumulating windows",
        "Every 10 there is a window of what has come since the start of 30; after 30 they start again.",
        [3, 8, 14, 20, 27, 44, 52],
        [(0, 10), (0, 20), (0, 30), (30, 40), (30, 50), (30, 60)],
        0,
        60,
        10,
        range(0, 61, 10),
    )


@picture
def session():
    d = Drawing(
        "Sessions",
        "Rows of one key that are at most 10 apart are in one session. A row that comes between two sessions makes them one.",
        272,
    )
    x = lambda time: 120 + time * 10
    for top, rows, sessions, said in [
        (20, [2, 6, 9, 25, 29, 46], [(2, 19), (25, 39), (46, 56)], "six rows, three sessions: each ends a gap of 10 behind its last row"),
        (146, [2, 6, 9, 25, 29, 46, 17], [(2, 39), (46, 56)], "row 7, whose time is 17, reaches both of the first two: they are one"),
    ]:
        d.text(20, top + 14, "rows")
        for number, time in enumerate(rows, 1):
            d.row(x(time), top + 10, str(number))
        for start, end in sessions:
            d.rect(x(start), top + 34, x(end), top + 54)
            for time in rows:
                if start <= time < end:
                    d.dot(x(time), top + 44)
            d.text(x(end) - 6, top + 49, f"[{start}, {end})", "soft", "end")
        d.text(20, top + 49, "sessions")
        d.text(120, top + 76, said, "soft")
    axis(d, x, 244, 0, 60, 10, "event time", 110, 740)
    return d


@picture
def count():
    d = Drawing(
        "Count windows",
        "Three rows each; and the last four rows, every two. The times of the rows make no difference.",
        258,
    )
    x = lambda number: 150 + 70 * (number - 1)
    d.text(20, 34, "rows of a key")
    for number in range(1, 9):
        d.row(x(number), 30, str(number))
    d.text(x(1) - 14, 62, "in the order in which they come", "soft")
    y = 80
    for said, windows in [
        ("count = 3", [(1, 3), (4, 6)]),
        ("count = 4,", [(1, 2), (1, 4), (3, 6), (5, 8)]),
    ]:
        d.text(20, y + 15, said)
        if said.endswith(","):
            d.text(20, y + 33, "step = 2")
        for first, last in windows:
            d.rect(x(first) - 20, y, x(last) + 20, y + 20)
            for number in range(first, last + 1):
                d.dot(x(number), y + 10)
            d.result(x(last) + 20, y + 10)
            y += 28 if said.endswith(",") or last == 6 else 0
        y += 14
    d.text(x(7) - 14, 95, "7 and 8 wait for a third", "soft")
    d.result(156, 242)
    d.text(170, 246, "a result, when the window is full", "resulttext")
    return d


@picture
def global_():
    d = Drawing("A global window", "All rows of a key are in one window, which gives its result when the input ends.", 138)
    x = lambda number: 150 + 70 * (number - 1)
    d.text(20, 34, "rows of a key")
    for number in range(1, 8):
        d.row(x(number), 30, str(number))
    d.line(700, 14, 700, 120, "grid")
    d.text(694, 72, "end of the input", "soft", "end")
    d.rect(130, 88, 700, 108)
    for number in range(1, 8):
        d.dot(x(number), 98)
    d.result(700, 98)
    d.text(20, 103, "global = true")
    return d


@picture
def late():
    d = Drawing(
        "A late row",
        "Rows arrive in the order 1 to 6. Row 5 has an event time in the first window, but its partition's watermark has already passed that window's end, so it is late.",
        330,
    )
    x, y, times, bound = (lambda n: 130 + 90 * (n - 1)), (lambda t: 260 - 8 * t), [4, 9, 7, 15, 8, 21], 3
    for start in [0, 10, 20]:
        d.rect(90, y(start + 10), 710, y(start))
    for start in [0, 10, 20]:
        d.text(700, y(start) - (8 if start < 20 else 60), f"window [{start}, {start + 10})", "soft", "end")
    d.line(90, 12, 90, 260)
    d.line(90, 260, 718, 260)
    for time in [0, 10, 20, 30]:
        d.text(82, y(time) + 4, str(time), "soft", "end")
    d.shape("text", "event time", transform="translate(28 190) rotate(-90)")
    d.text(400, 284, "order of arrival in one partition", anchor="middle")
    watermark, points = None, []
    for number, time in enumerate(times, 1):
        if watermark is None or time - bound > watermark:
            watermark = time - bound
            points.append((x(number), y(watermark)))
    d.steps(points)
    d.shape("path", class_="mark", d=f"M{points[-1][0]} {points[-1][1]} H710")
    d.text(592, 132, "watermark", "marktext")
    d.line(x(5), y(12), x(5), y(8) - 11, "grid")
    for number, time in enumerate(times, 1):
        d.row(x(number), y(time), str(number), late=number == 5)
    d.text(508, 212, "late: 12 ≥ 10", "latetext")
    said = "out-of-order = 3. Row 3 is out of order and on time: the watermark before it is 6. Row 5 comes when it is 12."
    d.text(90, 314, said, "soft")
    return d


@picture
def firing():
    d = Drawing(
        "Early, final and late results of a window",
        "A window from 0 to 30 with results every 10 and an allowed lateness of 15 gives early results at 10 and 20, the final one at 30, and a late one after a row that comes when the watermark is 36. A row that comes when it is 47 is late.",
        268,
    )
    x = lambda time: 150 + time * 10
    d.rect(x(0), 20, x(30), 128)
    d.rect(x(30), 20, x(45), 128, "faint")
    d.text(x(0) + 8, 38, "window [0, 30)", "soft")
    d.text(x(30) + 8, 38, "allowed lateness", "soft")
    d.text(x(45) + 8, 38, "late", "latetext")
    d.text(20, 70, "its rows,")
    d.text(20, 88, "as they come")
    for at, time, is_late in [(3, 5, False), (8, 12, False), (16, 19, False), (26, 24, False), (36, 22, False), (47, 27, True)]:
        d.row(x(at), 74, str(time), is_late)
    d.text(x(0) + 8, 118, "each with its event time", "soft")
    axis(d, x, 128, 0, 50, 10, "watermark", 140, 710)
    d.text(20, 204, "results")
    for at, said in [(10, "early"), (20, "early"), (30, "final"), (36, "late")]:
        d.line(x(at), 152, x(at), 190, "grid")
        d.result(x(at), 200)
        d.text(x(at), 224, said, "resulttext", "middle")
    d.text(x(47), 204, "none: counted, dropped or", "latetext", "middle")
    d.text(x(47), 222, "in the stream of late rows", "latetext", "middle")
    d.text(20, 254, 'emit = { every = "10s" }, allowed-lateness = "15s". Without them there is one result, the final one.', "soft")
    return d


@picture
def idle():
    d = Drawing(
        "An idle partition",
        "The second partition gives nothing from second 2 to 14. After 5 seconds it is idle, and the stream's watermark is that of the first. When it comes back the stream's watermark stands still until it has caught up.",
        392,
    )
    x, y = (lambda clock: 120 + clock * 34), (lambda time: 330 - 12 * (time - 8))
    first, second = [(1, 10), (3, 12), (6, 15), (9, 18), (12, 21), (16, 25)], [(2, 11), (14, 13), (15, 22)]
    d.rect(x(7), 18, x(14), 330, "faint")
    d.text(x(7) + 6, 88, "partition 2 is idle", "soft")
    for top, name, rows in [(30, "partition 1", first), (64, "partition 2", second)]:
        d.text(20, top + 4, name)
        for clock, time in rows:
            d.row(x(clock), top, str(time), late=(clock, time) == (14, 13))
    d.text(20, 108, "watermarks")
    d.line(110, y(20), 720, y(20), "grid")
    d.text(120, y(20) - 8, "end of the window [10, 20)", "soft")
    d.line(110, 110, 110, 330)
    for time in [10, 15, 20, 25]:
        d.text(102, y(time) + 4, str(time), "soft", "end")
    for rows, anchor in [(first, 16), (second, 16)]:
        highest, points = None, []
        for clock, time in rows:
            highest = max(time, highest or time)
            points.append((x(clock), y(highest)))
        d.steps([*points, (x(17), points[-1][1])], "line")
    stream = [(2, 10), (3, 11), (7, 15), (9, 18), (12, 21), (16, 22)]
    d.steps([*((x(clock), y(time)) for clock, time in stream), (x(17), y(22))])
    d.text(x(4), y(11) + 18, "of the stream", "marktext")
    d.text(x(2) + 8, y(14.6), "of partition 1", "soft")
    d.text(x(9), y(11) + 18, "of partition 2", "soft")
    d.result(x(12), y(20))
    d.text(x(12) + 10, y(20) - 22, "it fires", "resulttext")
    d.text(x(14) + 10, 98, "late: it has fired", "latetext")
    d.line(110, 330, 720, 330)
    for clock in range(0, 18, 2):
        d.text(x(clock), 348, str(clock), "soft", "middle")
    d.text(110, 368, "the clock, in seconds", "soft")
    d.text(20, 388, 'idle-after = "5s", out-of-order = "0s"; the number of a row is its event time.', "soft")
    return d


@picture
def interval_join():
    d = Drawing(
        "An interval join",
        "A left row with time 10 is paired with the right rows from 8 to 15: before is 2, after is 5. It gives its pairs when the watermark has passed 15. The right rows at 6 and 17 are in no pair of it.",
        272,
    )
    x, left, right = (lambda time: 90 + 30 * time), 70, 180
    d.rect(x(8), 30, x(15), 220)
    d.text(x(9), 24, "before = 2", "soft", "middle")
    d.text(x(12.5), 24, "after = 5", "soft", "middle")
    d.line(x(10), 30, x(10), 220, "grid")
    d.text(20, left + 5, "left")
    d.text(20, right + 5, "right")
    d.line(90, left, 720, left)
    outside = [6, 17]
    for start, end in zip([90, *(x(time) + 12 for time in outside)], [*(x(time) - 12 for time in outside), 720]):
        d.line(start, right, end, right)
    for time in [8, 11, 15]:
        d.line(x(10), left, x(time), right, "pair")
    d.row(x(10), left, "10")
    for time in [8, 11, 15]:
        d.row(x(time), right, str(time))
    for time in outside:
        d.dot(x(time), right, "line", 11)
        d.text(x(time), right + 4, str(time), "soft", "middle")
    d.line(x(15.5), 30, x(15.5), 220, "mark")
    d.text(x(15.5) + 8, 44, "watermark behind 15:", "marktext")
    d.text(x(15.5) + 8, 60, "the left row gives its pairs", "marktext")
    axis(d, x, 238, 5, 20, 5, "event time", 90, 720)
    return d


def main():
    changed = []
    for function in PICTURES:
        path = HERE / f"{function.__name__.rstrip('_').replace('_', '-')}.svg"
        drawn = function().svg()
        if not path.exists() or path.read_text(encoding="utf-8") != drawn:
            changed.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(drawn, encoding="utf-8")
    for name in changed:
        print(name)
    sys.exit(1 if changed and "--check" in sys.argv else 0)


main()
