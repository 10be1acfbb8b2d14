"""Lines of a passage at one width: broken as people read, a slice at a time, so that a long text holds nothing up."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QFont, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextLine, QTextOption

from headscope.core.attention.head_map import IntArray
from headscope.gui.paint.theme import TEXT_SIZE, Theme, text_font
from headscope.gui.views.text.paint.passage import Passage

_SLICE: Final = 600
"""Characters that are broken into lines at a time: 1 ms or so."""
_NO_WORD: Final = -1
_LEAST_WIDTH: Final = 40.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line: which words stand on it, from where to where.

    Attributes
    ----------
    boxes : tuple of (word, left, right)
        Pixels from the left edge of the text; a word that is broken has a box on each of its lines.
    start : int
        Its first character's place in the passage.
    pixels : int32, (width,)
        The word behind each pixel, -1 where there is none: one look-up colours all lines in sight.
    """

    layout: QTextLayout | None
    index: int
    boxes: tuple[tuple[int, float, float], ...]
    start: int
    pixels: IntArray

    def text_line(self) -> QTextLine | None:
        """What Qt draws; None of an empty line."""
        return None if self.layout is None else self.layout.lineAt(self.index)


class ReadingLayout:
    """Breaks a passage into lines, in slices.

    Parameters
    ----------
    passage : Passage
    width : float
        Pixels that a line may have.
    theme : Theme
        Special tokens and masks have colours of their own.
    before : ReadingLayout, optional
        Of the same text when it was shorter: its lines stay.

    Attributes
    ----------
    lines : list of Line
        Those that are there so far.
    line_height : float
    is_complete : bool
    """

    def __init__(self, passage: Passage, width: float, theme: Theme, before: ReadingLayout | None = None) -> None:
        self.passage = passage
        self.width = max(width, _LEAST_WIDTH)
        self.lines: list[Line] = []
        self.is_complete = False
        self._font = text_font(TEXT_SIZE)
        metrics = QFontMetricsF(self._font)
        self.line_height = float(round(metrics.height() * 1.45))
        self._baseline = round((self.line_height + metrics.ascent() - metrics.descent()) / 2)
        self._theme = theme
        self._first_line: list[int] = []  # of each word
        self._starts = [start for start, _ in passage.spans]
        self._work = self._slices(self._kept_of(before))
        self._option = QTextOption()
        self._option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)

    @property
    def height(self) -> float:
        """Of the lines so far."""
        return len(self.lines) * self.line_height

    def advance(self, seconds: float) -> None:
        """Go on breaking lines for about so long."""
        end = time.perf_counter() + seconds
        while not self.is_complete and time.perf_counter() < end:
            self.is_complete = next(self._work, True)

    # ---------------------------------------------------------------- where things are
    def visible(self, top: float, bottom: float) -> range:
        """The lines that are at least partly between two heights."""
        return range(max(0, int(top // self.line_height)), max(0, min(len(self.lines), int(-(-bottom // self.line_height)))))

    def word_at(self, point: QPointF) -> int | None:
        """The word under a point, or None."""
        number = int(point.y() // self.line_height)
        if not 0 <= number < len(self.lines):
            return None
        return next((word for word, left, right in self.lines[number].boxes if left <= point.x() < right), None)

    def line_of(self, word: int) -> int | None:
        """The line that a word begins on; None if it is not there, or not yet."""
        return self._first_line[word] if 0 <= word < len(self._first_line) else None

    def boxes_of(self, word: int) -> list[QRectF]:
        """Where a word stands: one box, or one on each of its lines."""
        found = []
        first = self.line_of(word)
        for number in range(first, len(self.lines)) if first is not None else ():
            of_line = [QRectF(left, number * self.line_height, right - left, self.line_height)
                       for each, left, right in self.lines[number].boxes if each == word]  # fmt: skip
            if not of_line:
                break
            found += of_line
        return found

    def word_near(self, line: int, x: float) -> int | None:
        """The word of a line that is nearest to `x`; None if it has none."""
        boxes = self.lines[line].boxes if 0 <= line < len(self.lines) else ()
        nearest = min(boxes, key=lambda box: max(box[1] - x, x - box[2], 0.0), default=None)
        return None if nearest is None else nearest[0]

    def draw_line(self, painter: QPainter, number: int) -> None:
        """Draw the characters of a line with the painter's pen."""
        line = self.lines[number].text_line()
        if line is not None:
            line.draw(painter, QPointF(0, number * self.line_height + self._baseline - line.ascent()))

    # ---------------------------------------------------------------- breaking lines
    def _kept_of(self, before: ReadingLayout | None) -> int:
        """Take over the lines of a shorter text that cannot change; where the first of the others begins."""
        if before is None or not self._goes_on_from(before):
            return 0
        *self.lines, last = before.lines
        self._first_line = [line for line in before._first_line if line < len(self.lines)]
        return last.start

    def _goes_on_from(self, before: ReadingLayout) -> bool:
        same = (before.width, before.line_height, before._theme) == (self.width, self.line_height, self._theme)
        old, new = before.passage, self.passage
        return (
            same
            and before.is_complete
            and len(before.lines) > 1
            and new.text.startswith(old.text)
            and new.spans[: len(old.spans)] == old.spans
            and [token.masked for token in new.tokens[: len(old.tokens)]] == [token.masked for token in old.tokens]
        )

    def _slices(self, at: int) -> Iterator[bool]:
        """Work in steps, from a line's start on; each tells whether it was the last."""
        text = self.passage.text
        while text and at <= len(text):
            found = text.find("\n", at)
            end = len(text) if found < 0 else found
            if at == end:
                self.lines.append(Line(None, 0, (), at, self._no_words()))
            while at < end:
                at = self._break(at, end)
                yield False
            at = end + 1
        yield True

    def _no_words(self) -> IntArray:
        return np.full(int(self.width), _NO_WORD, np.int32)

    def _break(self, start: int, end: int) -> int:
        """Lines from `start` on, of a paragraph that ends at `end`; where the next one begins."""
        size = _SLICE
        while True:
            stop = min(end, start + size)
            layout, units = self._laid_out(start, stop)
            n_lines = layout.lineCount()
            if stop == end or n_lines > 1:
                break
            size *= 2  # not even a line: a very wide window
        whole = n_lines if stop == end else n_lines - 1  # the last would go on
        last = start
        for index in range(whole):
            last = self._add(layout, index, start, units)
        return last

    def _laid_out(self, start: int, stop: int) -> tuple[QTextLayout, list[int]]:
        """A layout, and where each character begins in Qt's text (which counts some as two); empty if all are one."""
        text = self.passage.text[start:stop]
        units = [] if text.isascii() or max(text) <= "\uffff" else [0, *accumulate(1 + (c > "\uffff") for c in text)]
        layout = QTextLayout(text, self._font)
        layout.setTextOption(self._option)
        layout.setCacheEnabled(True)
        layout.setFormats(list(self._formats(start, stop, units)))
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(self.width)
            line.setPosition(QPointF(0, 0))
        layout.endLayout()
        return layout, units

    def _add(self, layout: QTextLayout, index: int, offset: int, units: list[int]) -> int:
        """One line, with its words; where the line ends."""
        line = layout.lineAt(index)
        begin, end = line.textStart(), line.textStart() + line.textLength()
        first, last = (offset + (bisect_right(units, at) - 1 if units else at) for at in (begin, end))
        boxes = []
        pixels = self._no_words()
        word = max(0, bisect_right(self._starts, first) - 1)
        while word < len(self._starts) and self._starts[word] < last:
            span = self.passage.spans[word]
            low, high = max(span[0], first), min(span[1], last)
            if low < high:
                ends = (_x(line, units[at - offset] if units else at - offset) for at in (low, high))
                left, right = sorted(min(x, self.width) for x in ends)
                boxes.append((word, left, right))
                pixels[round(left) : round(right)] = word
                if span[0] >= first:
                    self._first_line.append(len(self.lines))
            word += 1
        self.lines.append(Line(layout, index, tuple(boxes), first, pixels))
        return last

    def _formats(self, start: int, stop: int, units: list[int]) -> Iterator[QTextLayout.FormatRange]:
        """Colours of what is not plain text between two places."""
        spans = self.passage.spans
        masks = [spans[at] for at in self._masked() if spans[at][1] > start and spans[at][0] < stop]
        for ranges, color, strong in ((self.passage.quiet, "muted", False), (masks, "mask", True)):
            first = max(0, bisect_right(ranges, (start, start)) - 1)
            for low, high in ranges[first:]:
                if low >= stop:
                    break
                low, high = max(low, start) - start, min(high, stop) - start
                if low < high:
                    low, high = (units[low], units[high]) if units else (low, high)
                    yield _format(low, high, self._theme, color, strong=strong)

    def _masked(self) -> list[int]:
        return [at for at, token in enumerate(self.passage.tokens) if token.masked]


def _x(line: QTextLine, at: int) -> float:
    x: Any = line.cursorToX(at)  # declared as an object; (x, at)
    return float(x[0])


def _format(start: int, end: int, theme: Theme, color: str, *, strong: bool) -> QTextLayout.FormatRange:
    format_ = QTextCharFormat()
    format_.setForeground(QBrush(theme.color(color)))
    if strong:
        format_.setFontWeight(QFont.Weight.DemiBold)
    found = QTextLayout.FormatRange()
    found.start, found.length, found.format = start, end - start, format_
    return found
