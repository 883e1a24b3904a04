"""Curves as SVG of a few kilobytes: colours and type are the page's, so that they follow light, dark and print.

Altair with vl-convert draws more than this needs and costs 1.7 s of CPU, 100 MB of memory and 95 MB of disk at each
refresh; Vega's script would add 0.9 MB to each report, and neither draws in a language's own type on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

WIDTH, HEIGHT = 400, 290
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 24, 44
LINE_HEIGHT = 15
LETTER = 7.5  # the mean width of a bold letter of a mark
MARK_RADIUS = 6
STEP = 3  # between the points of a curve at which words are held against it
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One curve; `style` is a class of the page's style, `label` stands at its end."""

    points: Sequence[Point]
    style: str = "line-1"
    label: str = ""
    also: Sequence[str] = ()  # further labels, of curves that are this one


@dataclass(frozen=True)
class Mark:
    """A point worth a word."""

    at: Point
    label: str


@dataclass(frozen=True)
class Zone:
    """A part of the x-axis with a letter in it."""

    start: float
    end: float
    label: str
    style: str


@dataclass(frozen=True)
class Picture:
    """All that is drawn, in the units of the data."""

    lines: Sequence[Line]
    x_title: str
    x_ticks: Sequence[tuple[float, str]]
    y_text: Callable[[float], str]
    y_title: str = ""
    x_max: float = 1.0
    marks: Sequence[Mark] = ()
    zones: Sequence[Zone] = ()
    levels: Sequence[float] = ()  # dashed lines across
    label_room: int = 0  # to the right, for the curves' labels
    least_step: float = 0.01  # what the y-axis can still say: a percent, one account


def draw(picture: Picture) -> Markup:
    """The SVG element's content is hidden from screen readers: the figure around it has a summary and a table."""
    ys = [y for line in picture.lines for _, y in line.points]
    ticks = nice_ticks(min(0.0, *ys), max(ys), least_step=picture.least_step)
    right = WIDTH - RIGHT - picture.label_room

    def x_of(value: float) -> float:
        return LEFT + (right - LEFT) * value / picture.x_max

    def y_of(value: float) -> float:
        return (
            HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - ticks[0]) / (ticks[-1] - ticks[0])
        )

    parts = [
        *_zones(picture.zones, x_of),
        *_y_axis(ticks, picture, y_of, right),
        *_x_axis(picture, x_of, right),
    ]
    for level in picture.levels:
        y = _n(y_of(level))
        parts.append(f'<line class="level" x1="{LEFT}" x2="{_n(right)}" y1="{y}" y2="{y}"/>')
    for line in picture.lines:
        path = "L".join(f"{_n(x_of(x))} {_n(y_of(y))}" for x, y in line.points)
        parts.append(f'<path class="{line.style}" d="M{path}"/>')
    parts += _end_labels(picture.lines, x_of, y_of)
    parts += _marks(
        [(x_of(mark.at[0]), y_of(mark.at[1]), mark.label) for mark in picture.marks],
        curves=[[(x_of(x), y_of(y)) for x, y in line.points] for line in picture.lines],
        levels=[y_of(level) for level in picture.levels],
        title=picture.y_title,
    )
    head = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class="drawing" aria-hidden="true" focusable="false">'
    )
    return Markup(head + "".join(parts) + "</svg>")


def nice_ticks(
    low: float, high: float, *, at_most: int = 6, least_step: float = 0.0
) -> list[float]:
    """Round numbers that hold both ends: steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if span < 1e-9 * max(1.0, abs(low), abs(high)):
        span = 1.0  # a flat line
    power = 10.0 ** math.floor(math.log10(span / at_most))
    for factor in (1, 2, 5, 10, 20):
        step = max(factor * power, least_step)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        last = max(last, first + 1)
        if last - first <= at_most:
            break
    return [round(step * index, 10) for index in range(first, last + 1)]


def _zones(zones: Sequence[Zone], x_of: Callable[[float], float]) -> list[str]:
    parts = []
    for zone in zones:
        x, width = x_of(zone.start), x_of(zone.end) - x_of(zone.start)
        parts.append(
            f'<rect class="zone {zone.style}" x="{_n(x)}" y="{TOP}" width="{_n(max(width, 0.5))}" '
            f'height="{HEIGHT - BOTTOM - TOP}"/>'
        )
        if width >= 12:
            parts.append(
                f'<text class="zone-label" x="{_n(x + width / 2)}" y="{HEIGHT - BOTTOM - 9}" '
                f'text-anchor="middle">{escape(zone.label)}</text>'
            )
    return parts


def _y_axis(
    ticks: Sequence[float], picture: Picture, y_of: Callable[[float], float], right: float
) -> list[str]:
    parts = []
    for tick in ticks:
        y = _n(y_of(tick))
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{_n(right)}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{_n(y_of(tick) + 4)}" text-anchor="end">'
            f"{escape(picture.y_text(tick))}</text>"
        )
    if picture.y_title:
        parts.append(f'<text x="2" y="12">{escape(picture.y_title)}</text>')
    return parts


def _x_axis(picture: Picture, x_of: Callable[[float], float], right: float) -> list[str]:
    bottom = HEIGHT - BOTTOM
    parts = [f'<line class="axis" x1="{LEFT}" x2="{_n(right)}" y1="{bottom}" y2="{bottom}"/>']
    for value, text in picture.x_ticks:
        x = x_of(value)
        anchor = "end" if x > WIDTH - 30 else "middle"
        x = min(x + 8, WIDTH - 1) if anchor == "end" else x
        parts.append(
            f'<text x="{_n(x)}" y="{bottom + 17}" text-anchor="{anchor}">{escape(text)}</text>'
        )
    parts.append(
        f'<text x="{_n((LEFT + right) / 2)}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(picture.x_title)}</text>"
    )
    return parts


def _end_labels(
    lines: Sequence[Line], x_of: Callable[[float], float], y_of: Callable[[float], float]
) -> list[str]:
    """Beside the ends of the curves, moved apart where they would lie on each other."""
    ends = sorted(
        (
            (y_of(line.points[-1][1]), x_of(line.points[-1][0]), line.style, label)
            for line in lines
            for label in (line.label, *line.also)
            if label
        ),
        key=lambda end: end[:2],
    )
    parts, above = [], -math.inf
    for y, x, style, label in ends:
        above = max(y, above + LINE_HEIGHT)
        parts.append(
            f'<text class="{style}-label" x="{_n(x + 6)}" y="{_n(above + 4)}">{escape(label)}</text>'
        )
    return parts


def _marks(
    marks: Sequence[tuple[float, float, str]],
    *,
    curves: Sequence[Sequence[Point]],
    levels: Sequence[float],
    title: str,
) -> list[str]:
    """Circles on the curve, each with its words where they lie on nothing else."""
    parts, taken = [], [Box(0, 0, len(title) * LETTER, LINE_HEIGHT)]
    taken += [
        Box(x - MARK_RADIUS, y - MARK_RADIUS, x + MARK_RADIUS, y + MARK_RADIUS) for x, y, _ in marks
    ]
    on_curves = [point for curve in curves for point in _along(curve)]
    for x, y, label in marks:
        box = min(
            _places(x, y, len(label) * LETTER),
            key=lambda place: (
                sum(place.holds(*point) for point in on_curves)
                + 10 * sum(place.meets(other) for other in taken),
                sum(place.top < level < place.bottom for level in levels),
                place.distance(x, y),
            ),
        )
        taken.append(box)
        parts.append(f'<circle class="mark" cx="{_n(x)}" cy="{_n(y)}" r="4"/>')
        parts.append(
            f'<text class="mark-label" x="{_n(box.left)}" y="{_n(box.bottom - 4)}" '
            f'text-anchor="start">{escape(label)}</text>'
        )
    return parts


@dataclass(frozen=True)
class Box:
    """What a text takes up, in units of the drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a point of a curve lies in it, or so near that the curve may cut a corner."""
        near = STEP / 2
        return self.left - near < x < self.right + near and self.top - near < y < self.bottom + near

    def meets(self, other: Box) -> bool:
        """Whether two lie on each other."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def distance(self, x: float, y: float) -> float:
        """From a point to the nearest of its own."""
        return math.hypot(
            max(self.left - x, x - self.right, 0), max(self.top - y, y - self.bottom, 0)
        )


def _places(x: float, y: float, width: float) -> list[Box]:
    """Below and above a point, to its right and left, inside the drawing: nearest first."""
    lefts = (x + 8, min(x + 8, WIDTH - 2 - width), x - width / 2, x - 8 - width)
    tops = [y + sign * step for step in range(5, HEIGHT, 5) for sign in (1, -1)]
    return [
        Box(left, top, left + width, top + LINE_HEIGHT)
        for top in (top if top > y else top - LINE_HEIGHT for top in tops)
        for left in lefts
        if left >= LEFT + 2 and left + width <= WIDTH
        if top >= 0 and top + LINE_HEIGHT <= HEIGHT - BOTTOM - 2
    ] or [Box(max(0.0, min(x, WIDTH - width)), y + 5, WIDTH, y + 5 + LINE_HEIGHT)]


def _along(curve: Sequence[Point]) -> list[Point]:
    """Points of a curve, close enough that no text fits between them."""
    found = list(curve)
    for (x, y), (next_x, next_y) in pairwise(curve):
        steps = int(math.hypot(next_x - x, next_y - y) / STEP)
        found += [
            (x + (next_x - x) * step / steps, y + (next_y - y) * step / steps)
            for step in range(1, steps)
        ]
    return found


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
