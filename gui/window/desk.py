"""Desk: the part of the window that all views lie on, as docks that move, float, tab and remember."""

from __future__ import annotations

import json
from functools import partial
from typing import Final

from PySide6.QtCore import QByteArray, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QTabBar, QTabWidget, QWidget

from headscope.gui.context import Context
from headscope.gui.paint.icons import icon
from headscope.gui.paint.theme import Theme
from headscope.gui.window.card import CardDock
from headscope.gui.window.layouts import EXPLORE, Layout, arrange, place_beside
from headscope.gui.window.on_screen import bring_onto_screen
from headscope.gui.window.views import VIEWS
from headscope.gui.window.whose import Whose

_VERSION = 4
"""Of the set of docks: what was saved of another set is not restored."""
_FIRST: Final = "heatmap"
"""The view that is there when the window is painted first."""


class Desk(QMainWindow):
    """All views, each in a dock. There is no centre: what is in the middle is a matter of the layout.

    A view's panel is made when it is seen first, or asked for. Before the window's first paint that is one alone; from `begin` on
    the others follow, one a turn of the event loop, so that the window answers in between.

    Signals
    -------
    docks_changed
        One was opened, closed, or came to the front.
    filled
        After `begin`, once: all that is seen is made.
    """

    docks_changed = Signal()
    filled = Signal()

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Widget)
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self._create = {view.id: partial(view.create, context) for view in VIEWS}
        words = {view.id: view.words for view in VIEWS}
        for view in VIEWS:
            if view.of_reference is not None:
                self._create[view.reference_id] = partial(context.explorer.beside.panel, view.of_reference)
                words[view.reference_id] = view.reference_words
        self._panels: dict[str, QWidget] = {}
        self._has_begun = False
        self._moved = QTimer(self, singleShot=True, interval=0)  # many signals come when several move
        self._filling = QTimer(self, singleShot=True, interval=0)
        self._filling.timeout.connect(self._fill_next)
        self.docks = {name: CardDock(name, title, self) for name, title in words.items()}  # without a parent each were a window
        for dock in self.docks.values():
            dock.hide()
            for moved in (dock.visibilityChanged, dock.topLevelChanged, dock.dockLocationChanged):
                moved.connect(self._moved.start)
        self._moved.timeout.connect(self._place_all)
        self._moved.timeout.connect(self._rest_unseen)
        self._moved.timeout.connect(self._dress_tabs)
        self._moved.timeout.connect(self.docks_changed)
        self.layout_now = EXPLORE
        Whose(context.session, {view: self.docks[view.id] for view in VIEWS if view.of_run}, self)

    def panel(self, name: str) -> QWidget:
        """The panel of a view; made, if it is not yet."""
        if name not in self._panels:
            panel = self._panels[name] = self._create[name]()
            self.docks[name].fill(panel)
            panel.setVisible(self.is_seen(name))  # what is behind a tab asks and computes nothing
        return self._panels[name]

    def showEvent(self, event: QShowEvent) -> None:
        if self.is_open(_FIRST):
            self.panel(_FIRST)
        super().showEvent(event)

    @Slot()
    def begin(self) -> None:
        """The window is on the screen: make what is seen of it, now and whenever another view comes to be seen."""
        self._has_begun = True
        self._filling.start()

    @Slot()
    def _fill_next(self) -> None:
        missing = [name for name in self.docks if name not in self._panels and self.is_seen(name)]
        if missing:
            self.panel(missing[0])
            self._filling.start()
        else:
            self._filling.timeout.disconnect(self._fill_next)
            self.filled.emit()

    def choose(self, layout: Layout) -> None:
        """Arrange the docks so."""
        self.layout_now = layout
        arrange(self, self.docks, layout, self.size())
        self._dress_tabs()
        self.docks_changed.emit()

    def toggle(self, name: str) -> None:
        """Close a dock that is seen, open one that is not, and bring one to the front that is behind another."""
        dock = self.docks[name]
        if self.is_seen(name):
            dock.close()
        else:
            self.bring(name)

    def bring(self, name: str) -> None:
        """Open a dock and bring it to the front; the keyboard is in it then."""
        dock = self.docks[name]
        dock.show()
        self._place_all()
        dock.raise_()
        self.panel(name).show()
        self.panel(name).setFocus()

    @Slot()
    def _place_all(self) -> None:
        """A dock that was opened without a place, if only in the menu that Qt itself makes, would lie over the others."""
        for dock in self.docks.values():
            nowhere = self.dockWidgetArea(dock) == Qt.DockWidgetArea.NoDockWidgetArea
            if nowhere and not dock.isHidden() and not dock.isFloating():
                place_beside(self, self.docks, dock)

    @Slot()
    def _rest_unseen(self) -> None:
        """A panel behind another's tab is hidden, so that it asks and computes nothing: to Qt it would still be visible."""
        if not self._has_begun:
            return
        seen = [name for name in self.docks if self.is_seen(name)]
        for name in seen:
            if name in self._panels or not self._filling.isActive():
                self.panel(name).show()
        for name in self._panels.keys() - set(seen):
            dock = self.docks[name]
            if dock.isVisible() and not any(self.docks[other] in self.tabifiedDockWidgets(dock) for other in seen):
                continue  # it is coming to the front: Qt has not laid it out yet, and tells again when it has
            focus = self.focusWidget()
            if focus is not None and self.docks[name].isAncestorOf(focus):  # follows the tab, or Qt gives it to a button
                beside = self.tabifiedDockWidgets(self.docks[name])
                front = next((self.panel(other) for other in seen if self.docks[other] in beside), None)
                if front is not None:
                    front.setFocus()
            self._panels[name].hide()

    def is_seen(self, name: str) -> bool:
        """Whether a dock is open and not behind another."""
        dock = self.docks[name]
        return not dock.isHidden() and (not dock.isVisible() or not dock.visibleRegion().isEmpty())

    def is_open(self, name: str) -> bool:
        """Whether a dock is open, if only behind another."""
        return not self.docks[name].isHidden()

    def focus_next(self, by: int) -> None:
        """Put the keyboard into the next (1) or the previous (-1) view that is seen."""
        seen = [name for name in self.docks if self.is_seen(name)]
        if seen:
            focus = self.focusWidget()
            inside = [at for at, name in enumerate(seen) if focus is not None and self.docks[name].isAncestorOf(focus)]
            self.bring(seen[(inside[0] + by) % len(seen) if inside else 0 if by > 0 else -1])

    def set_theme(self, theme: Theme) -> None:
        """The docks' buttons in the colours of the theme."""
        for dock in self.docks.values():
            dock.set_icons(icon("float", theme.muted), icon("close", theme.muted))

    def keep(self) -> QByteArray:
        """How the docks lie, for `bring_back`: which are open, a line break, and what Qt saves of them."""
        opened = [name for name in self.docks if self.is_open(name)]
        return QByteArray(json.dumps(opened).encode() + b"\n" + self.saveState(_VERSION).data())

    def bring_back(self, kept: QByteArray) -> bool:
        """Lay the docks as they were kept; whether that was possible."""
        names, _, state = bytes(kept.data()).partition(b"\n")
        try:
            opened = json.loads(names)
        except ValueError:
            return False
        done = isinstance(opened, list) and self.restoreState(QByteArray(state), _VERSION)
        for name, dock in self.docks.items():
            if done and name not in opened:  # Qt opens those that it has not saved
                self.removeDockWidget(dock)
            if dock.isFloating() and not dock.isHidden():
                bring_onto_screen(dock)
        self._dress_tabs()
        return done

    # ---------------------------------------------------------------- tabs
    @Slot()
    def _dress_tabs(self) -> None:
        """Qt makes the bars of tabs itself, whenever docks come to lie on each other; a tab says the title already."""
        for dock in self.docks.values():
            dock.show_title(dock.isFloating() or not self.tabifiedDockWidgets(dock))
        for bar in self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if bar.property("dressed") is None:
                bar.setProperty("dressed", True)
                bar.setDrawBase(False)
                bar.setExpanding(False)
                bar.setElideMode(Qt.TextElideMode.ElideRight)
                bar.setUsesScrollButtons(True)
                bar.setAccessibleName(self.tr("Stacked views"))
                bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
                bar.customContextMenuRequested.connect(partial(self._offer_for_tab, bar))
                bar.tabBarDoubleClicked.connect(partial(self._float_tab, bar))

    def _dock_of(self, bar: QTabBar, tab: int) -> CardDock | None:
        return next((dock for dock in self.docks.values() if dock.windowTitle() == bar.tabText(tab)), None)

    @Slot(int)
    def _float_tab(self, bar: QTabBar, tab: int) -> None:
        if (dock := self._dock_of(bar, tab)) is not None:
            dock.setFloating(True)

    @Slot(QPoint)
    def _offer_for_tab(self, bar: QTabBar, at: QPoint) -> None:
        """What the row of a title has buttons for."""
        if (dock := self._dock_of(bar, bar.tabAt(at))) is not None:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addAction(self.tr("Float"), partial(dock.setFloating, True))
            menu.addAction(self.tr("Close"), dock.close)
            menu.popup(bar.mapToGlobal(at))
