"""The text view's drawing: colour behind the words, and frames around those that are chosen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from headscope.core.attention.lens import Lens
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.found import paint_found
from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.scale_line import Scale, number_text
from headscope.gui.paint.theme import Theme
from headscope.gui.views.text.paint.layout import ReadingLayout

_STRONGEST = 0.6
"""Opacity of the largest value: the text stays readable on it in both looks."""
_BELOW = "below"
"""The theme's colour of numbers below 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Shades:
    """A number for each word of a passage.

    Attributes
    ----------
    values : float32, (n_words,)
        0 and more, unless they are `signed`; NaN where there is none.
    unit : str
        Behind the numbers; may be empty.
    stale : bool
        Of a text or a prediction that has changed since.
    signed : bool
        Colours diverge from 0.
    """

    values: FloatArray
    unit: str = ""
    stale: bool = False
    signed: bool = False

    @property
    def largest(self) -> float:
        """What has the strongest colour."""
        known = self.values[np.isfinite(self.values)]
        return float((np.abs(known) if self.signed else known).max(initial=0.0))

    def number(self, word: int, digits: int = 4) -> str:
        """A word's value with so many digits behind the point, and its unit; "" if it has none."""
        number = number_text(float(self.values[word]), digits) if word < len(self.values) else ""
        return f"{number} {self.unit}".rstrip() if number else ""

    def scale(self, theme: Theme) -> Scale | None:
        """What the colours mean; None if there are none."""
        if self.largest <= 0:
            return None
        name, largest = self.color_name, f"{number_text(self.largest)} {self.unit}".rstrip()
        colors = [theme.color(name, 0.0), theme.color(name, _STRONGEST)]
        if self.signed:
            colors = [theme.color(_BELOW, _STRONGEST), theme.color("panel"), colors[1]]
            return Scale(colors, largest, f"-{number_text(self.largest)}")
        return Scale(colors, largest)

    @property
    def color_name(self) -> str:
        """Of the theme's colours; numbers that are out of date are grey."""
        return "muted" if self.stale else "accent"


def shades_through(lens: Lens, values: FloatArray) -> Shades:
    """What a lens shows of attention; its numbers say what they are, if they are no weights."""
    return Shades(values, "" if lens.is_share else lens_name(lens), signed=lens.is_signed)


def paint_reading(
    painter: QPainter,
    layout: ReadingLayout,
    theme: Theme,
    top: float,
    bottom: float,
    *,
    shades: Shades | None = None,
    found: Collection[int] = (),
    chosen: Collection[int] = (),
    pointed: int | None = None,
    cursor: int | None = None,
) -> None:
    """Draw the lines between two heights; the text begins at the painter's origin.

    Parameters
    ----------
    found : collection of int
        Words that were found in the text: marked.
    chosen : collection of int
        Words whose attention is shown: framed in the colour of queries.
    pointed, cursor : int, optional
        Words under the mouse; where the keyboard is.
    """
    lines = layout.visible(top, bottom)
    if shades is not None:
        _paint_shades(painter, layout, theme, lines, shades)
    painter.setPen(theme.color("text"))
    for number in lines:
        layout.draw_line(painter, number)
    boxes = (box for word in found for box in layout.boxes_of(word))
    paint_found(painter, (box.adjusted(0, 2, 0, -2) for box in boxes if box.bottom() >= top and box.top() <= bottom), theme)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    frames = [(word, QPen(theme.color("query"), 2)) for word in chosen]
    frames += [(word, QPen(theme.color("muted"), 1)) for word in (pointed,) if word is not None and word not in chosen]
    frames += [(word, QPen(theme.color("text"), 1, Qt.PenStyle.DotLine)) for word in (cursor,) if word is not None]
    for word, pen in frames:
        painter.setPen(pen)
        for box in layout.boxes_of(word):
            if box.bottom() >= top and box.top() <= bottom:
                painter.drawRoundedRect(box.adjusted(-1, 1, 1, -1), 3, 3)


def _paint_shades(painter: QPainter, layout: ReadingLayout, theme: Theme, lines: range, shades: Shades) -> None:
    """A row of pixels for each line, drawn as high as the line."""
    if shades.largest <= 0 or not lines:
        return
    known = np.nan_to_num(shades.values, nan=0.0, posinf=shades.largest)
    strength = np.rint(np.abs(known) * np.float32(255 / shades.largest)).astype(np.uint8)
    of_words = _colors(shades.color_name, theme)[strength]
    if shades.signed:
        of_words = np.where(known < 0, _colors(_BELOW, theme)[strength], of_words)
    of_words = np.append(of_words, np.uint32(theme.color("panel").rgb()))  # the last, at -1: no word
    pixels = of_words[np.stack([layout.lines[number].pixels for number in lines])]
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    top = lines.start * layout.line_height
    painter.drawImage(QRectF(0, top, width, height * layout.line_height), image)
    for number in range(height + 1):
        painter.fillRect(QRectF(0, top + number * layout.line_height - 2, width, 4), theme.color("panel"))


def _colors(name: str, theme: Theme) -> npt.NDArray[np.uint32]:
    """256 colours, from the ground to the strongest."""
    ends = (QColor(theme.panel), theme.color(name))
    ground, ink = (np.array((color.red(), color.green(), color.blue()), np.float32) for color in ends)
    mixed = ground + np.linspace(0, _STRONGEST, 256, dtype=np.float32)[:, None] * (ink - ground)
    red, green, blue = np.rint(mixed).astype(np.uint32).T
    return np.asarray(0xFF000000 | (red << 16) | (green << 8) | blue, np.uint32)
