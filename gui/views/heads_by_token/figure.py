"""The heads of a layer for one token, as a figure."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtGui import QPainter

from headscope.core.arguments import position
from headscope.core.attention.head_map import Side
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.lens_words import named
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import Theme
from headscope.gui.view_spec import Subject
from headscope.gui.views.heads_by_token.paint import HeadStripPicture

_LABELS, _COLUMN = 96.0, 28.0
"""In design units."""
translate = QCoreApplication.translate


def title_of(axis: TokenAxis, positions: tuple[int, ...], side: Side, layer: int) -> str:
    """Whose weights they are: those of a token of `axis`, or of several, from it or to it."""
    token = translate("HeadStripPanel", "“{token}”").format(token=axis.tokens[positions[0]].text)
    n = len(positions)
    token = token if n == 1 else translate("HeadStripPanel", "sum of %n token(s)", "", n)
    words = (
        translate("HeadStripPanel", "{token} attends to · layer {layer}")
        if side == "query"
        else translate("HeadStripPanel", "{token} is attended by · layer {layer}")
    )
    return words.format(token=token, layer=layer)


def strip_figure(
    weights: FloatArray, axis: TokenAxis, chosen: Collection[int], title: str, lens: Lens = WEIGHTS
) -> PaintedFigure:
    """Tokens down, heads across.

    Parameters
    ----------
    weights : float32, (n_heads, n_tokens)
    axis : TokenAxis
        The tokens down.
    chosen : collection of int
        Those of them that the weights are from or to.
    title : str
    lens : Lens
    """
    picture = HeadStripPicture(weights, axis, lens)

    def draw(painter: QPainter, width: float, height: float, theme: Theme) -> None:
        picture.paint(painter, picture.layout(QRectF(0, 0, width, height), whole=True), theme, chosen=chosen)

    def high(_width: float) -> float:
        return picture.layout(QRectF(0, 0, 400, 400)).height

    about = translate("HeadStripPanel", "Heads by token: {title}").format(title=title)
    return PaintedFigure(about, _LABELS + len(weights) * _COLUMN, high, draw, title, picture.scale)


def strip_of_subject(subject: Subject) -> PaintedFigure:
    """Of the layer of the subject's head, for its token."""
    from headscope.core.analyse.records.rows_and_columns import looks

    record, kind, layer = subject.record, subject.kind, subject.heads[0][0]
    axes = record.axis(kind)
    side: Side = "query" if subject.show == "attends_to" else "key"
    own, other = (axes.queries, axes.keys) if side == "query" else (axes.keys, axes.queries)
    at = position(subject.needed_token, len(own))
    weights = looks(record, kind, [(layer, head) for head in range(record.n_heads(kind))], (at,), side)
    title = named(title_of(own, (at,), side, layer), record.lens)
    return strip_figure(weights, other, (at,) if own is other else (), title, record.lens)
