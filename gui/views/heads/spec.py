"""Heads: a thumbnail of every head."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.heads.commands import ORDERING
from headscope.gui.views.heads.settings import HeadsSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a head"), QT_TRANSLATE_NOOP("gestures", "Select it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Ctrl+click a head"),
             QT_TRANSLATE_NOOP("gestures", "Add it to the links, or remove it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a layer's number, A"),
             QT_TRANSLATE_NOOP("gestures", "Collapse the layer to the average of its heads, or expand it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Scatter"),
            QT_TRANSLATE_NOOP("gestures", "Show every head as a point; click one to select it, with Ctrl to add it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Arrow keys"), QT_TRANSLATE_NOOP("gestures", "Move from head to head")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    from headscope.gui.views.heads.panel import HeadsPanel

    return HeadsPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    import numpy as np

    from headscope.gui.paint.head_grid import HeadGridPicture
    from headscope.gui.views.heads.figure import heads_figure

    record, kind = subject.record, subject.kind
    pictures = dict(record.thumbnails(kind))
    side = next(iter(pictures.values())).shape[1:]
    shape = record.n_layers(kind), record.n_heads(kind)
    every = np.full((*shape, *side), np.nan, np.float32)  # of layers that were not kept there is nothing
    for layer, of_layer in pictures.items():
        every[layer] = np.where(np.isnan(of_layer), np.float32(-np.inf), of_layer)
    figure = heads_figure(HeadGridPicture(*shape, every, lens=record.lens))
    assert figure is not None
    return figure


SPEC = ViewSpec(
    "heads",
    QT_TRANSLATE_NOOP("views", "Heads"),
    QT_TRANSLATE_NOOP("views", "A thumbnail of every head in every layer."),
    "Alt+1",
    _create,
    shows_differences=True,
    settings=HeadsSettings,
    commands=ORDERING,
    gestures=_GESTURES,
    figures=(
        FigureSpec(
            "heads",
            QT_TRANSLATE_NOOP("views", "Heads"),
            lambda panel: panel.figure(),
            _of_subject,
            frozenset({"axis_titles", "units", "lens", "kind"}),
        ),
    ),
)
