"""MainWindow: docks and menus only. What they show and do is in the panels, the commands and the explorer."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QActionGroup, QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QSplitter, QVBoxLayout, QWidget

from headscope.core.examples import examples_for
from headscope.gui.appearance import CHOICES, Appearance
from headscope.gui.commands import COMMANDS, MENUS, Commands
from headscope.gui.explorer import Explorer
from headscope.gui.messages import label_of
from headscope.gui.paint.icons import icon
from headscope.gui.paint.theme import theme_of
from headscope.gui.panels.export_dialog import ExportDialog
from headscope.gui.panels.generation import GenerationPanel
from headscope.gui.panels.heads import HeadsPanel
from headscope.gui.panels.heatmap import HeatmapPanel
from headscope.gui.panels.help import show_about, show_shortcuts
from headscope.gui.panels.links import LinksPanel
from headscope.gui.panels.model_picker import ModelPicker
from headscope.gui.panels.predictions import PredictionsPanel
from headscope.gui.panels.status import StatusPanel
from headscope.gui.panels.text import TextPanel
from headscope.gui.panels.toolbar import Toolbar
from headscope.gui.state import ExplorerState
from headscope.gui.widgets.card import Card, CardDock
from headscope.gui.widgets.notice_bar import NoticeBar

_LAYOUT_VERSION = 1
_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_AREAS = (_LEFT, _RIGHT, _RIGHT)
_WIDTHS = (23, 21)
"""Hundredths of the window's width, for the docks on the left and on the right, on the first day."""
_FIRST_SIZE = QSize(1600, 1000)
"""Where the screen has room for it."""
_LONGEST_EXAMPLE = 72
"""Characters in the menu."""
_VIEWS = (56, 44)
"""Shares of the heatmap and of the links."""


class MainWindow(QMainWindow):
    """The window.

    Parameters
    ----------
    state : ExplorerState
    explorer : Explorer
    settings : QSettings
        Where the layout, the appearance and the models opened lately are kept.

    Signals
    -------
    first_painted
        Once, when the window is on the screen; slow work may begin.
    """

    first_painted = Signal()

    def __init__(self, state: ExplorerState, explorer: Explorer, settings: QSettings) -> None:
        super().__init__()
        self.state = state
        self.explorer: Explorer = explorer
        self._settings = settings
        self._was_painted = False
        self.setWindowTitle("Headscope")
        self.appearance = Appearance(state, settings, self)
        self.commands = Commands(self)
        self._examples = QMenu(self.tr("E&xamples"), self)
        self._examples.setToolTipsVisible(True)
        self._build_top()
        self._build_centre()
        self._build_docks()
        self._build_menus()
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(StatusPanel(state, explorer), 1)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "model"}))
        self._restore()
        self.edit_text()

    # ---------------------------------------------------------------- building
    def _build_top(self) -> None:
        action = self.commands.action
        self.toolbar = Toolbar(
            self.state,
            self.explorer,
            self._settings,
            run=action("run"),
            stop=action("stop"),
            generate=action("generate"),
            export=action("export"),
            examples=self._examples,
        )
        self.picker: ModelPicker = self.toolbar.picker
        self.text = TextPanel(self.state, self.explorer)
        self.notice = NoticeBar()
        self.notice.dismissed.connect(self._dismiss)
        self.notice.chosen.connect(self._take_offer)

    def _build_centre(self) -> None:
        """Heatmap and links in the middle of a desk that the docks lie on; tool bar, notice and text above it."""
        self.heatmap = HeatmapPanel(self.state, self.explorer)
        self.links = LinksPanel(self.state, self.explorer)
        self._views = QSplitter(Qt.Orientation.Horizontal)
        self._views.setChildrenCollapsible(False)
        self._views.setHandleWidth(8)
        self._views.addWidget(Card(self.tr("Heatmap"), self.heatmap))
        self._views.addWidget(Card(self.tr("Links"), self.links))
        for index, share in enumerate(_VIEWS):
            self._views.setStretchFactor(index, share)
        self._desk = QMainWindow(self, Qt.WindowType.Widget)
        self._desk.setDockNestingEnabled(True)
        self._desk.setCentralWidget(self._views)
        sheets = QVBoxLayout()
        sheets.setContentsMargins(12, 12, 12, 8)
        sheets.setSpacing(8)
        sheets.addWidget(self.notice)
        sheets.addWidget(Card("", self.text))
        sheets.addWidget(self._desk, 1)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addLayout(sheets, 1)
        self.setCentralWidget(centre)

    def _build_docks(self) -> None:
        state, explorer = self.state, self.explorer
        self.heads = HeadsPanel(state, explorer)
        self.predictions = PredictionsPanel(state, explorer)
        self.generation = GenerationPanel(state, explorer)
        self._docks = [
            CardDock("heads", self.tr("Heads"), self.heads),
            CardDock("predictions", self.tr("Predictions"), self.predictions),
            CardDock("generation", self.tr("Generation"), self.generation),
        ]
        self.reset_layout()

    def _build_menus(self) -> None:
        menus = {id_: self._examples if id_ == "examples" else QMenu(self) for id_ in MENUS}
        for id_, menu in menus.items():
            menu.setTitle(self.commands.menu_title(id_))
            self.menuBar().addMenu(menu)
        for dock in self._docks:
            menus["view"].addAction(dock.toggleViewAction())
        self._build_appearance(menus["view"])
        for command in COMMANDS:
            if command.separated:
                menus[command.menu].addSeparator()
            menus[command.menu].addAction(self.commands.action(command.id))

    def _build_appearance(self, menu: QMenu) -> None:
        menu.addSeparator()
        group = QActionGroup(self)
        words = {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")}
        for choice in CHOICES:
            action = menu.addAction(words[choice], partial(self.appearance.choose, choice))
            action.setCheckable(True)
            action.setChecked(choice == self.appearance.choice)
            group.addAction(action)

    # ---------------------------------------------------------------- what commands ask of the window
    def generate(self) -> None:
        """Generate with the settings of the generation panel."""
        self.generation.start()

    def export(self) -> None:
        """Ask what to write, and where."""
        figures = {"heatmap": self.heatmap.figure, "links": self.links.figure}
        ExportDialog(self.state, self.explorer, figures, self).open()

    def edit_text(self) -> None:
        """Put the cursor into the text."""
        self.text.setFocus()

    def show_shortcuts(self) -> None:
        """A list of all shortcuts."""
        show_shortcuts(self, [self.commands.action(command.id) for command in COMMANDS])

    def show_about(self) -> None:
        """What this program is."""
        show_about(self)

    def reset_layout(self) -> None:
        """Docks and splitter as on the first day."""
        for dock, area in zip(self._docks, _AREAS, strict=True):
            dock.setFloating(False)
            dock.show()
            self._desk.addDockWidget(area, dock)
        heads, predictions, generation = self._docks
        widths = [share * self.width() // 100 for share in _WIDTHS]
        self._desk.resizeDocks([heads, predictions], widths, Qt.Orientation.Horizontal)
        self._desk.resizeDocks([predictions, generation], [1, 1], Qt.Orientation.Vertical)
        self._views.setSizes([share * self._views.width() // sum(_VIEWS) for share in _VIEWS])

    def close_soon(self) -> None:
        """Close after the event that asks for it."""
        QTimer.singleShot(0, self, self.close)

    # ---------------------------------------------------------------- following the state
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "notice" in names or "dark" in names:
            self._show_notice()
        if "dark" in names:
            color = theme_of(self.state.dark).muted
            for dock in self._docks:
                dock.set_icons(icon("float", color), icon("close", color))
        if "model" in names:
            self._fill_examples()

    def _show_notice(self) -> None:
        notice, theme = self.state.notice, theme_of(self.state.dark)
        if notice is None:
            self.notice.hide()
            return
        self.notice.set_icons(
            icon(notice.level, theme.error if notice.level == "error" else theme.accent), icon("close", theme.muted)
        )
        choices = [label_of(offer) for offer in notice.offers]
        self.notice.show_notice(notice.level, notice.message, notice.remedy, notice.details, choices)

    @Slot()
    def _dismiss(self) -> None:
        self.state.update(notice=None)

    @Slot(int)
    def _take_offer(self, place: int) -> None:
        if self.state.notice is not None:
            self.explorer.take_offer(self.state.notice.offers[place])

    def _fill_examples(self) -> None:
        self._examples.clear()
        model = self.state.model
        for example in examples_for(model) if model is not None else ():
            words = example.text if example.pair is None else f"{example.text} | {example.pair}"
            words = words if len(words) <= _LONGEST_EXAMPLE else f"{words[:_LONGEST_EXAMPLE]}…"
            action = self._examples.addAction(words.replace("&", "&&"), partial(self.explorer.use_example, example))
            action.setToolTip(example.note)
        self._examples.setEnabled(not self._examples.isEmpty())

    # ---------------------------------------------------------------- life
    def _restore(self) -> None:
        """The geometry before the layout, or docks come out at the wrong size."""
        geometry, layout, views = (self._kept(name) for name in ("geometry", "layout", "views"))
        if not self.restoreGeometry(geometry):
            self.resize(_FIRST_SIZE.boundedTo(self.screen().availableSize() * 0.92))
            self.reset_layout()
        self._desk.restoreState(layout, _LAYOUT_VERSION)
        self._views.restoreState(views)

    def _kept(self, name: str) -> QByteArray:
        """What Qt saved of the window under this name; empty, which restores nothing, if it is not there or damaged."""
        kept = self._settings.value(f"window/{name}")
        return kept if isinstance(kept, QByteArray) else QByteArray()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self.first_painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.setValue("window/geometry", self.saveGeometry())
        self._settings.setValue("window/layout", self._desk.saveState(_LAYOUT_VERSION))
        self._settings.setValue("window/views", self._views.saveState())
        super().closeEvent(event)
        self.hide()
        self.explorer.close()
