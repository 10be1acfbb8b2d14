"""Heatmap: one head as a matrix."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.core.errors import HeadscopeError
from headscope.core.vocabulary import BoolArray, Head
from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.control.looking import Looking
from headscope.gui.paint.figure import Figure
from headscope.gui.session.session import Session
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.heatmap.commands import COLORS, SCALES
from headscope.gui.views.heatmap.settings import HeatmapSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Point at a cell"),
             QT_TRANSLATE_NOOP("gestures", "Show its exact weight; the same tokens light up in every view")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a cell"), QT_TRANSLATE_NOOP("gestures", "Pin or unpin it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Ctrl+click a label"),
             QT_TRANSLATE_NOOP("gestures", "Select a row or a column to compare or sum")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Wheel, + and −"), QT_TRANSLATE_NOOP("gestures", "Zoom")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Drag"), QT_TRANSLATE_NOOP("gestures", "Pan")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Shift+drag"), QT_TRANSLATE_NOOP("gestures", "Zoom to a rectangle")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Drag an end of the colour bar, Page Up and Page Down"),
             QT_TRANSLATE_NOOP("gestures", "Move the upper end of the colour range, with Shift the lower; double-click or Home resets it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Double-click, 0"), QT_TRANSLATE_NOOP("gestures", "Fit all")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Arrow keys, Enter, Esc"),
             QT_TRANSLATE_NOOP("gestures", "Move from cell to cell, pin, unpin")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    return _of_run(context.session, context.explorer)


def _of_run(session: Session, explorer: Looking) -> QWidget:
    from headscope.gui.views.heatmap.panel import HeatmapPanel

    return HeatmapPanel(session, explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.heatmap.paint.axes import boundaries_of
    from headscope.gui.views.heatmap.paint.picture import HeatmapPicture

    (head, *_), axis = subject.heads, subject.record.axis(subject.kind)
    weights = subject.record.attention_weights(*head, subject.kind)
    lens = subject.record.lens
    hidden = None if lens.hides else _hidden(subject, head)
    boundaries = boundaries_of(axis.queries), boundaries_of(axis.keys)
    return HeatmapPicture(weights, axis.queries, axis.keys, lens=lens, hidden=hidden, head=head, boundaries=boundaries)


def _hidden(subject: Subject, head: Head) -> BoolArray | None:
    """Where a key is hidden from a query; None where nothing is, and where scores are not known."""
    import numpy as np

    try:
        hidden = np.isnan(subject.record.attention_scores(*head, subject.kind))
    except HeadscopeError:
        return None
    return hidden if hidden.any() else None


SPEC = ViewSpec(
    "heatmap",
    QT_TRANSLATE_NOOP("views", "Heatmap"),
    QT_TRANSLATE_NOOP("views", "The selected head: a row for each query, a column for each key."),
    "Alt+2",
    _create,
    shows_differences=True,
    settings=HeatmapSettings,
    of_reference=_of_run,
    reference_title=QT_TRANSLATE_NOOP("views", "Heatmap of A"),
    commands=(*SCALES, *COLORS),
    gestures=_GESTURES,
    figures=(
        FigureSpec(
            "heatmap",
            QT_TRANSLATE_NOOP("views", "Heatmap"),
            lambda panel: panel.figure(),
            _of_subject,
            frozenset(
                {
                    "axis_titles",
                    "color_bar",
                    "edge_bars",
                    "color_map",
                    "scale",
                    "picked",
                    "region",
                    "transparent",
                    "head",
                    "units",
                    "lens",
                    "kind",
                }
            ),
            zoomed=lambda panel: panel.zoomed,
        ),
    ),
)
