"""Layouts: how the docks lie on the desk, by name. A layout is a tree of rows and columns with tabs at its leaves.

All views are docks and the desk has no centre, so any of them can be large, small, on another screen or away. A layout is
shares, not pixels: it fits any window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from headscope.gui.words.translating import QT_TRANSLATE_NOOP

ROOMY: Final = QSize(1820, 800)
"""Pixels; on a smaller desk, docks under each other would be too low for their pictures."""


_BESIDE: Final = 28
"""Percent of the desk's width for what the layout has no place for."""
_MOST_BESIDE: Final = 2
"""So many of those under each other; more would be too low."""


@dataclass(frozen=True, slots=True)
class Tabs:
    """Docks on top of each other, the first in front, and their share of the row or column they are in."""

    share: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Parts beside each other (a row) or under each other (a column)."""

    share: int
    orientation: Qt.Orientation
    parts: tuple[Split | Tabs, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A named arrangement. `title` and `help` are English; their context is "layouts".

    Attributes
    ----------
    roomy : Split, optional
        The plan for a desk from `ROOMY` on, if it is another one: fewer docks lie behind others.
    """

    id: str
    title: str
    help: str
    plan: Split
    roomy: Split | None = None

    def plan_for(self, size: QSize) -> Split:
        """The plan for a desk of `size` pixels."""
        return self.plan if self.roomy is None or size.boundedTo(ROOMY) != ROOMY else self.roomy

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("layouts", self.title)

    @property
    def hint(self) -> str:
        """What it is for, in the user's language."""
        return QCoreApplication.translate("layouts", self.help)


def _tabs(share: int, *names: str) -> Tabs:
    return Tabs(share, names)


def _row(share: int, *parts: Split | Tabs) -> Split:
    return Split(share, Qt.Orientation.Horizontal, parts)


def _column(share: int, *parts: Split | Tabs) -> Split:
    return Split(share, Qt.Orientation.Vertical, parts)


LAYOUTS: Final = (
    Layout(
        "explore",
        QT_TRANSLATE_NOOP("layouts", "Explore"),
        QT_TRANSLATE_NOOP(
            "layouts", "Everything at hand: heads on the left, heatmap and links in the middle, numbers on the right."
        ),
        _row(
            100,
            _tabs(20, "heads", "heads_by_token"),
            _tabs(42, "heatmap", "text", "arithmetic"),
            _column(38, _tabs(58, "links"), _tabs(42, "predictions", "generation", "logit_lens", "film_strip")),
        ),
        roomy=_row(
            100,
            _column(18, _tabs(55, "heads"), _tabs(45, "heads_by_token")),
            _column(33, _tabs(60, "heatmap"), _tabs(40, "text", "film_strip")),
            _tabs(26, "links"),
            _column(23, _tabs(42, "predictions", "logit_lens"), _tabs(30, "arithmetic"), _tabs(28, "generation")),
        ),
    ),
    Layout(
        "present",
        QT_TRANSLATE_NOOP("layouts", "Present"),
        QT_TRANSLATE_NOOP("layouts", "For an audience: a large heatmap beside large links, and nothing else."),
        _row(100, _tabs(56, "heatmap"), _tabs(44, "links")),
    ),
    Layout(
        "compare",
        QT_TRANSLATE_NOOP("layouts", "Compare"),
        QT_TRANSLATE_NOOP(
            "layouts", "Two runs side by side: the reference A and the newest run B, with the predictions of both."
        ),
        _row(
            100,
            _tabs(18, "heads", "heads_by_token"),
            _column(
                82,
                _row(62, _tabs(50, "heatmap_of_reference", "links_of_reference"), _tabs(50, "heatmap", "links", "text")),
                _tabs(38, "predictions", "logit_lens", "film_strip"),
            ),
        ),
        roomy=_row(
            100,
            _column(16, _tabs(50, "heads", "heads_by_token"), _tabs(50, "predictions", "logit_lens", "film_strip")),
            _column(42, _tabs(56, "heatmap_of_reference"), _tabs(44, "links_of_reference")),
            _column(42, _tabs(56, "heatmap"), _tabs(44, "links", "text")),
        ),
    ),
    Layout(
        "teach",
        QT_TRANSLATE_NOOP("layouts", "Teach"),
        QT_TRANSLATE_NOOP("layouts", "How a weight is computed and what it leads to: heatmap, arithmetic and predictions."),
        _row(
            100,
            _tabs(20, "heads", "heads_by_token"),
            _tabs(36, "heatmap", "links", "text"),
            _column(44, _tabs(60, "arithmetic"), _tabs(40, "predictions", "logit_lens", "generation", "film_strip")),
        ),
        roomy=_row(
            100,
            _column(18, _tabs(50, "heads"), _tabs(50, "heads_by_token")),
            _column(38, _tabs(62, "heatmap"), _tabs(38, "links", "text")),
            _column(44, _tabs(64, "arithmetic"), _tabs(36, "predictions", "logit_lens", "generation", "film_strip")),
        ),
    ),
)
EXPLORE: Final = LAYOUTS[0]
"""That of the first day."""


def layout_called(id_: str) -> Layout:
    """The layout with this id; that of the first day if there is none."""
    return next((layout for layout in LAYOUTS if layout.id == id_), EXPLORE)


def arrange(desk: QMainWindow, docks: Mapping[str, QDockWidget], layout: Layout, size: QSize) -> None:
    """Lay the docks on the desk; those that the layout has no place for go away, into the View menu.

    Parameters
    ----------
    docks : mapping of str to QDockWidget
        A name of a layout that is not among them is passed over.
    size : QSize
        The desk's size in pixels, which it may be about to get.
    """
    plan = _existing(layout.plan_for(size), docks)
    if plan is None:
        return
    for dock in docks.values():
        dock.setFloating(False)
        desk.removeDockWidget(dock)
    first = docks[_first(plan)]
    desk.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, first)
    first.show()
    _place(desk, docks, plan)
    for tabs in _leaves(plan):
        docks[tabs.names[0]].raise_()
    _share_out(desk, docks, plan, size)


def place_beside(desk: QMainWindow, docks: Mapping[str, QDockWidget], dock: QDockWidget) -> None:
    """Give a dock that the layout has no place for one at the right of all others; from the third on they lie on each other there."""
    right = Qt.DockWidgetArea.RightDockWidgetArea
    lying = [each for each in docks.values() if each is not dock and each.isVisible() and not each.isFloating()]
    beside = [each for each in lying if desk.dockWidgetArea(each) == right]
    columns = _columns(lying)
    if len(beside) < _MOST_BESIDE:
        desk.addDockWidget(right, dock, Qt.Orientation.Vertical)
    else:
        desk.tabifyDockWidget(max(beside, key=QDockWidget.y), dock)  # the lower one
    if beside and not desk.tabifiedDockWidgets(dock):
        desk.resizeDocks([*beside, dock], [desk.height()] * (len(beside) + 1), Qt.Orientation.Vertical)
    elif not beside:  # the others keep their shares of what is left
        lengths = [max(1, each.width() * (100 - _BESIDE) // 100) for each in columns]
        desk.resizeDocks([*columns, dock], [*lengths, max(1, desk.width() * _BESIDE // 100)], Qt.Orientation.Horizontal)


def _columns(docks: Iterable[QDockWidget]) -> list[QDockWidget]:
    """Docks that lie side by side from the left edge to the right one: of those above each other, the narrowest."""
    found: list[QDockWidget] = []
    for dock in sorted(docks, key=lambda dock: (dock.x(), dock.width())):
        if dock.x() > (found[-1].geometry().right() if found else -1):
            found.append(dock)
    return found


def _existing(part: Split | Tabs, docks: Mapping[str, QDockWidget]) -> Split | Tabs | None:
    if isinstance(part, Tabs):
        names = tuple(name for name in part.names if name in docks)
        return Tabs(part.share, names) if names else None
    parts = tuple(kept for inner in part.parts if (kept := _existing(inner, docks)) is not None)
    return Split(part.share, part.orientation, parts) if parts else None


def _leaves(part: Split | Tabs) -> Iterator[Tabs]:
    if isinstance(part, Tabs):
        yield part
    else:
        for inner in part.parts:
            yield from _leaves(inner)


def _first(part: Split | Tabs) -> str:
    return next(_leaves(part)).names[0]


def _place(desk: QMainWindow, docks: Mapping[str, QDockWidget], part: Split | Tabs) -> None:
    """Lay out a part whose first dock is in its place. The outer split comes first, so that inner ones stay inside their part."""
    if isinstance(part, Tabs):
        for under, name in zip(part.names, part.names[1:], strict=False):
            desk.tabifyDockWidget(docks[under], docks[name])
            docks[name].show()
        return
    for before, after in zip(part.parts, part.parts[1:], strict=False):
        desk.splitDockWidget(docks[_first(before)], docks[_first(after)], part.orientation)
        docks[_first(after)].show()
    for inner in part.parts:
        _place(desk, docks, inner)


def _share_out(desk: QMainWindow, docks: Mapping[str, QDockWidget], part: Split | Tabs, size: QSize) -> None:
    if isinstance(part, Tabs):
        return
    across = part.orientation == Qt.Orientation.Horizontal
    whole = size.width() if across else size.height()
    total = sum(inner.share for inner in part.parts)
    lengths = [max(1, whole * inner.share // total) for inner in part.parts]
    desk.resizeDocks([docks[_first(inner)] for inner in part.parts], lengths, part.orientation)
    for inner, length in zip(part.parts, lengths, strict=True):
        room = QSize(length, size.height()) if across else QSize(size.width(), length)
        _share_out(desk, docks, inner, room)
