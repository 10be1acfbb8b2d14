"""The arithmetic of a cell as a figure."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtGui import QPainter

from headscope.core.analyse.records.arithmetic_numbers import Arithmetic
from headscope.core.arguments import position
from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import Theme
from headscope.gui.view_spec import Subject
from headscope.gui.views.arithmetic.paint.sheet import Sheet, paint_sheet
from headscope.gui.views.arithmetic.steps import steps_of

_NATURAL: Final = 420.0
"""Width, in design units."""


def arithmetic_figure(answer: Arithmetic, queries: TokenAxis, keys: TokenAxis, *, is_sorted: bool = False) -> PaintedFigure:
    """All steps of a cell's weight.

    Parameters
    ----------
    answer : Arithmetic
    queries, keys : TokenAxis
        The model's own tokens.
    is_sorted : bool
        Dimensions from the largest product to the smallest.
    """
    steps = steps_of(answer, queries, keys, answer.cell.record.backend, on_paper=True)

    def draw(painter: QPainter, width: float, height: float, theme: Theme) -> None:
        paint_sheet(painter, Sheet(steps, width, is_sorted), theme, QRectF(0, 0, width, height), None)

    def high(width: float) -> float:
        return Sheet(steps, width, is_sorted).height

    words = first_sentence(answer)
    return PaintedFigure(words, _NATURAL, high, draw, words)


def first_sentence(answer: Arithmetic) -> str:
    """Which weight it is: of which query and key, in which head."""
    cell = answer.cell
    axes = cell.record.axis(cell.kind)
    words = QCoreApplication.translate(
        "arithmetic",
        "Attention weight of the query “{query}” (position {row}) for the key “{key}” (position {column}) in layer {layer}, "
        "head {head}, step by step.",
    )
    query, key = axes.queries.labels[cell.query], axes.keys.labels[cell.key]
    return words.format(query=query, row=cell.query, key=key, column=cell.key, layer=cell.layer, head=cell.head)


def arithmetic_of_subject(subject: Subject) -> PaintedFigure:
    """Of the subject's cell, in its first head."""
    from headscope.core.analyse.records.arithmetic import arithmetic

    shown, own = subject.record.axis(subject.kind), subject.own.axis(subject.kind)
    row, column = subject.needed_cell
    row, column = position(row, len(shown.queries)), position(column, len(shown.keys))
    answer = arithmetic(subject.record, subject.kind, *subject.heads[0], row, column)
    return arithmetic_figure(answer, own.queries, own.keys, is_sorted=subject.show == "largest_first")
