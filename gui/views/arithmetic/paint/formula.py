"""Formulas set in type: italics, indices, fractions, roots and sums, from a small part of TeX's language.

``typeset(r"\alpha = \frac{e^{s - m}}{Z}", 15)`` is a box that knows its measures and draws itself in the painter's pen.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from headscope.gui.paint.theme import kept_by_type, text_font

_SIGNS: Final = {
    "cdot": "·", "times": "×", "div": "÷", "alpha": "α", "theta": "θ", "infty": "∞", "sum": "Σ", "norm": "‖", "prime": "′",
}  # fmt: skip
_SPACED: Final = "=+−×÷"
_SCRIPT: Final = 0.72
"""Size of an index, of the size of what it belongs to."""
_TOKEN: Final = re.compile(r"\\[a-zA-Z]+|[{}_^]|\d[\d.,]*|\S")


class Box(ABC):
    """Something set in type; measures in pixels from its baseline."""

    width: float
    ascent: float
    descent: float

    @abstractmethod
    def draw(self, painter: QPainter, x: float, baseline: float) -> None:
        """Draw it with its left end at `x`."""

    @property
    def height(self) -> float:
        return self.ascent + self.descent


class _Glyphs(Box):
    def __init__(self, text: str, pixels: float, *, italic: bool) -> None:
        self._text = text
        self._font = QFont(text_font(pixels))
        self._font.setItalic(italic)
        metrics = QFontMetricsF(self._font)
        outline = QPainterPath()
        outline.addText(0, 0, self._font, text)
        ink = outline.boundingRect()
        self.width = max(metrics.horizontalAdvance(text), ink.right() + 0.5)  # slanted letters lean over their end
        self.ascent = max(metrics.capHeight(), -ink.top())
        self.descent = max(0.0, ink.bottom())

    def draw(self, painter: QPainter, x: float, baseline: float) -> None:
        painter.setFont(self._font)
        painter.drawText(QPointF(x, baseline), self._text)


class _Space(Box):
    def __init__(self, width: float) -> None:
        self.width, self.ascent, self.descent = width, 0.0, 0.0

    def draw(self, painter: QPainter, x: float, baseline: float) -> None:
        """Nothing."""


class _Row(Box):
    def __init__(self, parts: Sequence[Box]) -> None:
        self._parts = parts
        self.width = sum(part.width for part in parts)
        self.ascent = max((part.ascent for part in parts), default=0.0)
        self.descent = max((part.descent for part in parts), default=0.0)

    def draw(self, painter: QPainter, x: float, baseline: float) -> None:
        for part in self._parts:
            part.draw(painter, x, baseline)
            x += part.width


class _Scripted(Box):
    """A base with an index below or an exponent above, or both."""

    def __init__(self, base: Box, below: Box | None, above: Box | None, pixels: float) -> None:
        self._base, self._below, self._above = base, below, above
        self._lowered = 0.22 * pixels
        self._raised = 0.42 * pixels
        scripts = [script for script in (below, above) if script is not None]
        self.width = base.width + max(script.width for script in scripts) + 1
        self.ascent = max(base.ascent, 0.0 if above is None else self._raised + above.ascent)
        self.descent = max(base.descent, 0.0 if below is None else self._lowered + below.descent)

    def draw(self, painter: QPainter, x: float, baseline: float) -> None:
        self._base.draw(painter, x, baseline)
        if self._below is not None:
            self._below.draw(painter, x + self._base.width + 0.5, baseline + self._lowered)
        if self._above is not None:
            self._above.draw(painter, x + self._base.width + 0.5, baseline - self._raised)


class _Fraction(Box):
    def __init__(self, top: Box, bottom: Box, pixels: float) -> None:
        self._top, self._bottom = top, bottom
        self._axis = 0.3 * pixels
        self._gap = 3.0
        self.width = max(top.width, bottom.width) + 6
        self.ascent = self._axis + self._gap + top.height
        self.descent = self._gap + bottom.height - self._axis

    def draw(self, painter: QPainter, x: float, baseline: float) -> None:
        middle, line = x + self.width / 2, baseline - self._axis
        self._top.draw(painter, middle - self._top.width / 2, line - self._gap - self._top.descent)
        self._bottom.draw(painter, middle - self._bottom.width / 2, line + self._gap + self._bottom.ascent)
        _rule(painter, [QPointF(x + 1, line), QPointF(x + self.width - 1, line)])


class _Root(Box):
    def __init__(self, inside: Box, pixels: float) -> None:
        self._inside = inside
        self._hook = 0.6 * pixels
        self.width = self._hook + inside.width + 3
        self.ascent = inside.ascent + 4
        self.descent = inside.descent + 1

    def draw(self, painter: QPainter, x: float, baseline: float) -> None:
        self._inside.draw(painter, x + self._hook + 1, baseline)
        top, foot = baseline - self.ascent + 1, baseline + self.descent - 1
        middle = baseline - self._inside.ascent * 0.45
        points = [(0.5, middle), (0.28 * self._hook, middle - 2), (0.6 * self._hook, foot), (self._hook, top)]
        _rule(painter, [QPointF(x + dx, y) for dx, y in (*points, (self.width - 1, top))])


def _rule(painter: QPainter, points: Sequence[QPointF]) -> None:
    pen = QPen(painter.pen())
    thin = QPen(pen)
    thin.setWidthF(1.0)
    painter.setPen(thin)
    painter.drawPolyline(QPolygonF(list(points)))
    painter.setPen(pen)


# ---------------------------------------------------------------- reading
@kept_by_type(512)
def typeset(source: str, pixels: float) -> Box:
    r"""Set `source` in type.

    Parameters
    ----------
    source : str
        Letters are variables (italic), numbers and signs upright. Known: ``_`` and ``^`` with a sign or a ``{group}``, ``\frac{}{}``,
        ``\sqrt{}``, ``\text{}`` and the names of `_SIGNS`.
    pixels : float
        Size of the type.

    Raises
    ------
    ValueError
        If it uses what is not known, or a group is not closed.
    """
    reader = _IncrementalPass(source, pixels)
    box = reader.row()
    if reader.peek() is not None:
        raise ValueError(f"}} without {{ in {source}")
    return box


@dataclass
class _IncrementalPass:
    """Reads a source from left to right."""

    source: str
    pixels: float
    at: int = 0

    def peek(self) -> str | None:
        found = _TOKEN.search(self.source, self.at)
        return found[0] if found else None

    def take(self) -> str:
        found = _TOKEN.search(self.source, self.at)
        if found is None:
            raise ValueError(f"something is missing at the end of {self.source}")
        self.at = found.end()
        return found[0]

    def row(self) -> Box:
        parts: list[Box] = []
        while (token := self.peek()) is not None and token != "}":
            parts.append(self._scripted(self._atom(), token))
        return _Row(parts)

    def _scripted(self, base: Box, token: str) -> Box:
        if token in _SPACED or token in ("\\times", "\\div"):
            return _Row([_Space(0.22 * self.pixels), base, _Space(0.22 * self.pixels)])
        below = above = None
        while (sign := self.peek()) in ("_", "^"):
            self.take()
            script = self._group(self.pixels * _SCRIPT)
            below, above = (script, above) if sign == "_" else (below, script)
        return base if below is None and above is None else _Scripted(base, below, above, self.pixels)

    def _group(self, pixels: float) -> Box:
        """What stands in braces, or the next sign alone."""
        before, self.pixels = self.pixels, pixels
        if self.peek() == "{":
            self.take()
            box = self.row()
            if self.take() != "}":
                raise ValueError(f"{{ without }} in {self.source}")
        else:
            box = self._atom()
        self.pixels = before
        return box

    def _atom(self) -> Box:
        token = self.take()
        if token == "{":
            self.at -= 1
            return self._group(self.pixels)
        if not token.startswith("\\"):
            return _Glyphs("−" if token == "-" else token, self.pixels, italic=token.isalpha() and token.isascii())
        name = token[1:]
        if name == "frac":
            return _Fraction(self._group(self.pixels * 0.9), self._group(self.pixels * 0.9), self.pixels)
        if name == "sqrt":
            return _Root(self._group(self.pixels), self.pixels)
        if name == "text":
            return self._words()
        if name == "quad":
            return _Space(self.pixels)
        if name == "tanh":
            space = _Space(0.16 * self.pixels)
            return _Row([space, _Glyphs(name, self.pixels, italic=False), space])
        if name in _SIGNS:
            return _Glyphs(_SIGNS[name], self.pixels * (1.25 if name == "sum" else 1), italic=False)
        raise ValueError(f"{token} is not known")

    def _words(self) -> Box:
        """Upright, with its blanks."""
        end = self.source.index("}", self.at)
        words = self.source[self.source.index("{", self.at) + 1 : end]
        self.at = end + 1
        return _Glyphs(words, self.pixels, italic=False)
