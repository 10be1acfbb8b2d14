"""The figures of a benchmark as one picture: each ratio on a logarithmic axis, with its spread, beside the line of 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from tests.benchmarks.figures import Figure

WIDTH, LABELS, ROW, TOP = 1180, 640, 22, 34


def svg(figures: Sequence[Figure]) -> str:
    """A scalable picture, as text."""
    shown = [figure for figure in figures if figure.ratio > 0]
    numbers = [number for figure in shown for number in (figure.low, figure.high, figure.ratio, 1.0) if number > 0]
    first, last = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)) + 1e-9)
    height = TOP + ROW * len(shown) + 12

    def x(number: float) -> float:
        return LABELS + (math.log10(max(number, 10**first)) - first) / max(1, last - first) * (WIDTH - LABELS - 70)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="Inter, sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for power in range(first, last + 1):
        at, one = x(10**power), power == 0
        parts += [
            f'<line x1="{at:.1f}" y1="{TOP - 8}" x2="{at:.1f}" y2="{height - 8}" stroke="{"#d9480f" if one else "#e2e5ea"}"/>',
            f'<text x="{at:.1f}" y="{TOP - 14}" text-anchor="middle" fill="#6a7483">{10.0**power:g}</text>',
        ]
    for row, figure in enumerate(shown):
        y = TOP + ROW * (row + 0.5)
        label = escape(f"{figure.what} · {figure.case}")
        parts += [
            f'<text x="{LABELS - 10}" y="{y + 4:.1f}" text-anchor="end" fill="#1b2430">{label}</text>',
            f'<line x1="{x(figure.low):.1f}" y1="{y}" x2="{x(figure.high):.1f}" y2="{y}" stroke="#9db8f2" stroke-width="5"/>',
            f'<circle cx="{x(figure.ratio):.1f}" cy="{y}" r="4" fill="#2563eb"/>',
            f'<text x="{x(figure.high) + 9:.1f}" y="{y + 4:.1f}" fill="#1b2430">{figure.ratio:.3g}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])
