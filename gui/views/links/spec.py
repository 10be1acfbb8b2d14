"""Links: heads as lines between tokens."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.core.errors import HeadscopeError
from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.control.looking import Looking
from headscope.gui.paint.figure import Figure
from headscope.gui.session.session import Session
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.links.commands import DRAWING, PAIRING
from headscope.gui.views.links.settings import LinksSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Point at a token"),
             QT_TRANSLATE_NOOP("gestures", "Show only its links: on the left what it attends to, on the right what attends to it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a token"), QT_TRANSLATE_NOOP("gestures", "Pin or unpin it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Ctrl+click a token"),
             QT_TRANSLATE_NOOP("gestures", "Add it to the selection: its links stay, too, and numbers are sums")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a head in the legend"),
             QT_TRANSLATE_NOOP("gestures", "Hide or show its links; double-click to show it alone, again to show all")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Arrow keys, Enter, Esc"),
             QT_TRANSLATE_NOOP("gestures", "Move from token to token, pin, unpin")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    return _of_run(context.session, context.explorer)


def _of_run(session: Session, explorer: Looking) -> QWidget:
    from headscope.gui.views.links.panel import LinksPanel

    return LinksPanel(session, explorer)


_OBEYS = frozenset({"heads", "axis_titles", "legend", "picked", "region", "transparent", "units", "lens", "kind"})


def _links_of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.links.paint.links import LinksPicture

    axis = subject.record.axis(subject.kind)
    return LinksPicture(subject.weights, axis.queries, axis.keys, lens=subject.record.lens)


def _arcs_of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.links.paint.arcs import ArcsPicture

    if subject.kind == "cross":
        raise HeadscopeError("no_arcs_between_texts")
    axis = subject.record.axis(subject.kind)
    one_sided = subject.kind == "decoder"
    return ArcsPicture(subject.weights, axis.queries, axis.keys, one_sided=one_sided, lens=subject.record.lens)


SPEC = ViewSpec(
    "links",
    QT_TRANSLATE_NOOP("views", "Links"),
    QT_TRANSLATE_NOOP("views", "Lines from each query to the keys it attends to."),
    "Alt+3",
    _create,
    shows_differences=True,
    settings=LinksSettings,
    of_reference=_of_run,
    reference_title=QT_TRANSLATE_NOOP("views", "Links of A"),
    commands=(*DRAWING, *PAIRING),
    gestures=_GESTURES,
    figures=(
        FigureSpec("links", QT_TRANSLATE_NOOP("views", "Links"), lambda panel: panel.figure(), _links_of_subject, _OBEYS),
        FigureSpec("arcs", QT_TRANSLATE_NOOP("views", "Arcs"), lambda panel: panel.arcs_figure(), _arcs_of_subject, _OBEYS),
    ),
)
