"""All heads as a figure: layers down, heads across, or in the order of the view."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtGui import QPainter

from headscope.gui.paint.head_grid import HeadGridPicture
from headscope.gui.paint.lens_words import lens_name, named
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import Theme

_UNBOUNDED = 1e5
_STEP, _LEAST, _MOST = 52.0, 200.0, 800.0
"""Design units: from one head to the next where there is a choice, and the width."""


def heads_figure(shown: HeadGridPicture) -> PaintedFigure | None:
    """The heads as they stand in the picture; None while there is no picture of any."""
    picture = shown.on_paper()
    if picture.thumbnails is None:
        return None

    def height(width: float) -> float:
        return picture.layout(QRectF(0, 0, width, _UNBOUNDED)).height

    def draw(painter: QPainter, width: float, high: float, theme: Theme) -> None:
        picture.paint(painter, picture.layout(QRectF(0, 0, width, high)), theme)

    translate = QCoreApplication.translate
    about = translate("HeadsPanel", "Attention {numbers} of every head: {n_layers} layers by {n_heads} heads")
    words = about.format(numbers=lens_name(picture.lens), n_layers=picture.n_layers, n_heads=picture.n_heads)
    natural = min(_MOST, max(_LEAST, 32 + min(picture.places.placed.n_columns, picture.n_heads) * _STEP))
    heading = named(translate("HeadsPanel", "layers down, heads across"), picture.lens)
    scale = None if picture.lens.is_share or picture.scale is None else picture.scale.scale
    return PaintedFigure(words, natural, height, draw, heading, scale)
