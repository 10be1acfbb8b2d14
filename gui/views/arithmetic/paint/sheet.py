"""The sheet of a cell's arithmetic: where each step lies in a given width, and how it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from headscope.gui.paint.theme import GRID, SMALL_SIZE, TEXT_SIZE, Theme, scaled, text_font
from headscope.gui.views.arithmetic.paint.formula import Box, typeset
from headscope.gui.views.arithmetic.steps import (
    Bars,
    Equation,
    Group,
    Heading,
    Largest,
    Readout,
    Row,
    RowKey,
    Sentence,
    Step,
    number_text,
)

MARGIN: Final = 16.0
FORMULA_SIZE: Final = 15.0
_GUTTER: Final = 44.0
"""For the names of bars."""
_LANE: Final = 40.0
_ROW: Final = 20.0
_WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
_WIDEST: Final = 600.0
"""A column of a textbook: on a wider sheet numbers would stand far from their formulas."""
_BESIDE: Final = 220.0
"""Where the values of formulas begin."""
_LEAST_BAR: Final = 6.0
"""Between the dimension's name and the number of `Largest`, at least."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A step and where it lies."""

    step: Step
    area: QRectF

    @property
    def plot(self) -> QRectF:
        """Of bars: where the bars are."""
        return self.area.adjusted(_GUTTER, 3, 0, -3)


@dataclass(frozen=True, slots=True)
class Pointed:
    """A dimension that is pointed at, of a group of bars."""

    group: Group
    dimension: int


@dataclass
class Sheet:
    """Steps laid out in a width.

    Parameters
    ----------
    steps : sequence of Step
    width : float
        Pixels.
    is_sorted : bool
        Dimensions from the largest to the smallest; as they are numbered otherwise.
    """

    steps: Sequence[Step]
    width: float
    is_sorted: bool = False
    placed: tuple[Placed, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.placed = tuple(self._place())

    @property
    def height(self) -> float:
        """Pixels that it takes."""
        return self.placed[-1].area.bottom() + 3 * GRID if self.placed else 0.0

    def _place(self) -> Iterator[Placed]:
        y = 2.0 * GRID
        width = min(scaled(_WIDEST), max(1.0, self.width - 2 * MARGIN))
        for step in self.steps:
            y += 3 * GRID if isinstance(step, Heading) and y > 2 * GRID else 0
            height = self._height_of_readout(step, width) if isinstance(step, Readout) else _height(step, width)
            yield Placed(step, QRectF(MARGIN, y, width, height))
            y += height + GRID

    def _height_of_readout(self, readout: Readout, width: float) -> float:
        """Room for any dimension's numbers: the sheet does not move under the mouse."""
        lanes = [step for step in self.steps if isinstance(step, Bars) and step.group == readout.group]
        widest = _readout(len(readout.order), [(bars, f"{number_text(-0.8888)}{bars.unit}") for bars in lanes])
        return max(_wrapped(readout.hint, width), _wrapped(widest, width))

    # ---------------------------------------------------------------- dimensions
    def order(self, group: Group) -> Sequence[int]:
        """The dimensions of a group from left to right."""
        readout = self.readout(group)
        if readout is None:
            return ()
        return readout.step.order if self.is_sorted else range(len(readout.step.order))  # type: ignore[union-attr]

    def readout(self, group: Group) -> Placed | None:
        """Where a group's numbers are written."""
        found = (placed for placed in self.placed if isinstance(placed.step, Readout) and placed.step.group == group)
        return next(found, None)

    def lanes(self, group: Group) -> list[tuple[Bars, Placed]]:
        """The bars of a group, top to bottom."""
        return [(placed.step, placed) for placed in self.placed if isinstance(placed.step, Bars) and placed.step.group == group]

    def groups(self) -> list[Group]:
        """Those that there are, top to bottom."""
        return [placed.step.group for placed in self.placed if isinstance(placed.step, Readout)]

    def at(self, point: QPointF) -> Pointed | None:
        """The dimension at a point."""
        for placed in self.placed:
            if isinstance(placed.step, Bars) and placed.area.contains(point):
                order, plot = self.order(placed.step.group), placed.plot
                column = int((point.x() - plot.left()) / plot.width() * len(order))
                return Pointed(placed.step.group, order[column]) if 0 <= column < len(order) else None
        return None

    def area_of(self, group: Group) -> QRectF:
        """Everything that changes when another dimension of it is pointed at."""
        area = QRectF()
        for _, placed in self.lanes(group):
            area = area.united(placed.area)
        readout = self.readout(group)
        return area if readout is None else area.united(readout.area)

    def readout_text(self, pointed: Pointed) -> str:
        """The numbers of a dimension."""
        lanes = [(bars, f"{number_text(bars.numbers[pointed.dimension])}{bars.unit}") for bars, _ in self.lanes(pointed.group)]
        return _readout(pointed.dimension, lanes)


def _readout(dimension: int, lanes: Sequence[tuple[Bars, str]]) -> str:
    return f"{dimension}:  {'  ·  '.join(f'{bars.spoken} {number}' for bars, number in lanes)}"


def _height(step: Step, width: float) -> float:
    match step:
        case Heading():
            return _ROW
        case Sentence(text):
            return _wrapped(text, width)
        case Equation(formula, _, remark):
            box = _formula(formula, width)
            lines = box.height if _fits(step, width) else box.height + _ROW
            return max(_ROW, lines + 2 * GRID) + (_wrapped(remark, width) if remark else 0)
        case Bars():
            return _LANE
        case Readout(_, hint):
            return _wrapped(hint, width)
        case Largest(numbers):
            return _ROW * len(numbers)
        case Row(keys):
            return _ROW * (len(keys) + 1)


def _wrapped(text: str, width: float) -> float:
    return QFontMetricsF(text_font(SMALL_SIZE)).boundingRect(QRectF(0, 0, width, 1e5), _WRAP, text).height() + 2


def _formula(source: str, width: float) -> Box:
    """As large as there is room."""
    box = typeset(source, FORMULA_SIZE)
    return box if box.width <= width else typeset(source, round(FORMULA_SIZE * width / box.width - 0.5, 1))


def _fits(step: Equation, width: float) -> bool:
    """Whether formula and value have room on one line."""
    return _formula(step.formula, width).width + 4 * GRID + _value_width(step) <= width


def _value_font(step: Equation) -> QFont:
    return text_font(FORMULA_SIZE if step.strong else TEXT_SIZE, QFont.Weight.DemiBold, tabular=True)


def _value_width(step: Equation) -> float:
    return QFontMetricsF(_value_font(step)).horizontalAdvance(f"= {step.value}")


# ---------------------------------------------------------------- painting
def paint_sheet(
    painter: QPainter, sheet: Sheet, theme: Theme, clip: QRectF, pointed: Pointed | None, *, focused: bool = False
) -> None:
    """Paint what of a sheet lies in `clip`.

    Parameters
    ----------
    pointed : Pointed or None
        The dimension whose numbers are shown.
    focused : bool
        Whether keys move it.
    """
    painter.setClipRect(clip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for placed in sheet.placed:
        if placed.area.intersects(clip):
            _paint(painter, sheet, placed, theme, pointed)
    if focused and pointed is not None:
        painter.setPen(theme.color("accent", 0.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(sheet.area_of(pointed.group).adjusted(-6, -1, 5, 1), 6, 6)


def _paint(painter: QPainter, sheet: Sheet, placed: Placed, theme: Theme, pointed: Pointed | None) -> None:
    area = placed.area
    match placed.step:
        case Heading(text):
            painter.setFont(text_font(TEXT_SIZE, QFont.Weight.DemiBold))
            painter.setPen(theme.color("text"))
            fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, int(area.width()))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, fitted)
        case Sentence(text):
            _muted(painter, theme, area, text)
        case Equation() as step:
            _paint_equation(painter, step, area, theme)
        case Bars() as step:
            _paint_bars(painter, sheet, step, placed, theme, pointed)
        case Readout(group, hint):
            here = pointed if pointed is not None and pointed.group == group else None
            _muted(painter, theme, area, hint if here is None else sheet.readout_text(here), strong=here is not None)
        case Largest(numbers):
            _paint_largest(painter, numbers, area, theme)
        case Row(keys, key):
            _paint_row(painter, keys, key, area, theme)


def _muted(painter: QPainter, theme: Theme, area: QRectF, text: str, *, strong: bool = False) -> None:
    painter.setFont(text_font(SMALL_SIZE, tabular=strong))
    painter.setPen(theme.color("text" if strong else "muted"))
    painter.drawText(area, int(_WRAP), text)


def _paint_equation(painter: QPainter, step: Equation, area: QRectF, theme: Theme) -> None:
    box = _formula(step.formula, area.width())
    painter.setPen(theme.color("text"))
    baseline = area.top() + GRID + box.ascent
    box.draw(painter, area.left(), baseline)
    bottom = area.top() + box.height + 2 * GRID
    if not _fits(step, area.width()):
        baseline, bottom = bottom + _ROW - 2 * GRID, bottom + _ROW
    painter.setFont(_value_font(step))
    painter.setPen(theme.color("accent" if step.strong else "text"))
    left = max(area.left() + scaled(_BESIDE), area.left() + box.width + 4 * GRID)  # one under the other, near their formulas
    painter.drawText(QPointF(min(left, area.right() - _value_width(step)), baseline), f"= {step.value}")
    if step.remark:
        _muted(painter, theme, QRectF(area.left(), max(bottom, area.top() + _ROW), area.width(), area.height()), step.remark)


def _paint_bars(painter: QPainter, sheet: Sheet, bars: Bars, placed: Placed, theme: Theme, pointed: Pointed | None) -> None:
    plot, order = placed.plot, sheet.order(bars.group)
    largest = 180.0 if bars.unit else float(np.abs(bars.numbers).max(initial=0.0))
    _paint_name(painter, bars, placed.area, largest, theme)
    column = plot.width() / max(1, len(order))
    if pointed is not None and pointed.group == bars.group:
        _paint_column(painter, sheet, pointed, plot, column, theme)
    middle = plot.center().y()
    painter.setPen(QPen(theme.color("line"), 1))
    painter.drawLine(QPointF(plot.left(), middle), QPointF(plot.right(), middle))
    painter.setPen(Qt.PenStyle.NoPen)
    gap = 1.0 if column >= 4 else 0.0
    heights = bars.numbers[list(order)] / (largest or 1.0) * plot.height() / 2
    above = [
        QRectF(plot.left() + at * column, middle - height, column - gap, height)
        for at, height in enumerate(heights)
        if height > 0
    ]
    below = [
        QRectF(plot.left() + at * column, middle, column - gap, -height) for at, height in enumerate(heights) if height < 0
    ]
    for rects, color in ((above, theme.color("accent")), (below, theme.color("query"))):
        painter.setBrush(color)
        painter.drawRects(rects)


def _paint_column(painter: QPainter, sheet: Sheet, pointed: Pointed, plot: QRectF, column: float, theme: Theme) -> None:
    """The dimension that is pointed at, and the one that it is turned with."""
    order = list(sheet.order(pointed.group))
    readout = sheet.readout(pointed.group)
    partners = readout.step.partners if readout is not None and isinstance(readout.step, Readout) else ()
    marked = ({partners[pointed.dimension]: 0.14} if partners else {}) | {pointed.dimension: 0.28}
    painter.setPen(Qt.PenStyle.NoPen)
    for dimension, alpha in marked.items():
        painter.setBrush(theme.color("muted", alpha))
        width = max(column, 3.0)
        painter.drawRect(
            QRectF(plot.left() + (order.index(dimension) + 0.5) * column - width / 2, plot.top() - 2, width, plot.height() + 4)
        )


def _paint_name(painter: QPainter, bars: Bars, area: QRectF, largest: float, theme: Theme) -> None:
    box = typeset(bars.name, TEXT_SIZE)
    painter.setPen(theme.color("text"))
    box.draw(painter, area.left(), area.center().y() + 1)
    painter.setFont(text_font(SMALL_SIZE - 1, tabular=True))
    painter.setPen(theme.color("muted"))
    painter.drawText(QPointF(area.left(), area.bottom() - 4), f"±{number_text(largest, 2)}{bars.unit}")


def _paint_largest(painter: QPainter, numbers: tuple[tuple[int, float], ...], area: QRectF, theme: Theme) -> None:
    largest = max((abs(number) for _, number in numbers), default=0.0) or 1.0
    label, value = 52.0, 64.0
    middle = area.left() + label + (area.width() - label - value) / 2
    reach = max(_LEAST_BAR, (area.width() - label - value) / 2)
    for row, (dimension, number) in enumerate(numbers):
        line = QRectF(area.left(), area.top() + row * _ROW, area.width(), _ROW)
        painter.setFont(text_font(SMALL_SIZE, tabular=True))
        painter.setPen(theme.color("muted"))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, str(dimension))
        painter.setPen(theme.color("text"))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, number_text(number))
        length = abs(number) / largest * reach
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent" if number > 0 else "query"))
        painter.drawRect(QRectF(middle if number > 0 else middle - length, line.center().y() - 4, length, 8))


def _paint_row(painter: QPainter, keys: Sequence[RowKey], own: int, area: QRectF, theme: Theme) -> None:
    """A line for each key: its score, what the exponential makes of it, and its weight, each as a number and a bar."""
    label = area.width() * 0.22
    column = (area.width() - label) / 3
    largest = max((abs(key.score) for key in keys), default=0.0) or 1.0
    for at, name in enumerate((r"s_j", r"e^{s_j - m}", r"\alpha_j")):
        box = typeset(name, FORMULA_SIZE)
        painter.setPen(theme.color("muted"))
        box.draw(painter, area.left() + label + at * column, area.top() + _ROW / 2 + box.ascent / 2)
    for row, key in enumerate(keys, 1):
        line = QRectF(area.left(), area.top() + row * _ROW, area.width(), _ROW)
        strong = key.position == own
        painter.setFont(text_font(SMALL_SIZE, QFont.Weight.DemiBold if strong else QFont.Weight.Normal, tabular=True))
        painter.setPen(theme.color("accent" if strong else "text"))
        words = painter.fontMetrics().elidedText(key.label, Qt.TextElideMode.ElideMiddle, int(label - GRID))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        for at, (number, share) in enumerate(
            ((key.score, key.score / largest), (key.exponential, key.exponential), (key.weight, key.weight))
        ):
            cell = QRectF(line.left() + label + at * column, line.top(), column - 2 * GRID, _ROW)
            _paint_number_and_bar(painter, cell, number, share, theme)


def _paint_number_and_bar(painter: QPainter, cell: QRectF, number: float, share: float, theme: Theme) -> None:
    """`share` of the longest bar, -1 to 1; the number stands before it."""
    words = number_text(number, 3)
    width = min(cell.width(), QFontMetricsF(painter.font()).horizontalAdvance("−8.88×10⁻⁸") + GRID)
    painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
    pen = painter.pen()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("accent" if share >= 0 else "query"))
    painter.drawRect(
        QRectF(cell.left() + width, cell.center().y() - 4, max(0.0, cell.width() - width) * min(1.0, abs(share)), 8)
    )
    painter.setPen(pen)
