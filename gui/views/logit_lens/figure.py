"""The logit lens as a figure: positions in as many rows as there is room for."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPointF, QRectF
from PySide6.QtGui import QPainter

from headscope.gui.paint.painted_figure import PaintedFigure, bands, n_bands
from headscope.gui.paint.theme import Theme
from headscope.gui.view_spec import Subject
from headscope.gui.views.logit_lens.paint import CELL_HEIGHT, CELL_WIDTH, HEADER, NUMBERS, LogitLensLayout, LogitLensPicture
from headscope.gui.views.logit_lens.settings import Shows

_MOST_ACROSS = 10  # positions in a row, where there is a choice
_BETWEEN = 12.0  # design units between rows


def lens_figure(shown: LogitLensPicture, shows: Shows) -> PaintedFigure | None:
    """What was read; None while nothing is."""
    picture = shown.snapshot()
    if not picture.has_cells:
        return None
    count, row = picture.n_positions, HEADER + picture.n_depths * CELL_HEIGHT

    def draw(painter: QPainter, width: float, _height: float, theme: Theme) -> None:
        for columns in bands(count, CELL_WIDTH, width - NUMBERS):
            area = QRectF(0, 0, NUMBERS + len(columns) * CELL_WIDTH - 0.5, row)
            layout = LogitLensLayout(area, QPointF(columns.start * CELL_WIDTH, 0), picture.n_depths, columns.stop)
            picture.paint(painter, layout, theme, shows)
            painter.translate(0, row + _BETWEEN)

    def height(width: float) -> float:
        return n_bands(count, CELL_WIDTH, width - NUMBERS) * (row + _BETWEEN) - _BETWEEN

    translate = QCoreApplication.translate
    about = translate(
        "LogitLensPanel", "Logit lens: what the model would predict after each layer, at %n position(s)", "", count
    )
    natural = NUMBERS + min(count, _MOST_ACROSS) * CELL_WIDTH
    return PaintedFigure(about, natural, height, draw, translate("LogitLensPanel", "layers down, positions across"))


def lens_of_subject(subject: Subject) -> PaintedFigure:
    """Of the tokens that the subject's model had read."""
    from headscope.core.predict.logit_lens import labelled_lens

    record = subject.own
    axis = record.axis("decoder" if "decoder" in record.kinds else record.kinds[0]).queries
    layers = list(labelled_lens(subject.needed_model, record))
    picture = LogitLensPicture(layers[0].n_layers + 1, axis)
    for layer in layers:
        picture.add(layer)
    shows: dict[str, Shows] = {"entropy": "entropy", "token": "token"}
    figure = lens_figure(picture, shows.get(subject.show, "probability"))
    assert figure is not None, "all layers were read"
    return figure
