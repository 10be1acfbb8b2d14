"""MainWindow: what stands where. What it shows and does is in the desk's views, the commands and the explorer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QStatusBar, QVBoxLayout, QWidget

from headscope.core.text.prompt import Prompt
from headscope.gui.context import Context
from headscope.gui.control.appearance import Appearance
from headscope.gui.control.explorer import Explorer
from headscope.gui.control.history import History
from headscope.gui.paint.icons import icon
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.kept_picture import keep_picture
from headscope.gui.session.last_session import keep_session, keep_views
from headscope.gui.session.preferences import Preferences
from headscope.gui.session.recent_prompts import RecentPrompts
from headscope.gui.session.session import Session
from headscope.gui.widgets.tab_order import move_focus
from headscope.gui.window import sheets
from headscope.gui.window.actions import Actions
from headscope.gui.window.card import Card
from headscope.gui.window.desk import Desk
from headscope.gui.window.drops import FileOpener, dropped_file
from headscope.gui.window.find_bar import FindBar
from headscope.gui.window.language_changes import LanguageChanges
from headscope.gui.window.layouts import Layout, layout_called
from headscope.gui.window.menus import Menus
from headscope.gui.window.model_picker import ModelPicker
from headscope.gui.window.notice_bar import NoticeBar
from headscope.gui.window.on_screen import bring_onto_screen
from headscope.gui.window.prompt.panel import TextPanel
from headscope.gui.window.saved_file import saved_choices, use_saved
from headscope.gui.window.status import StatusPanel
from headscope.gui.window.toolbar import Toolbar
from headscope.gui.words.notices import label_of

_FIRST_SIZE = QSize(1600, 1000)
"""Where the screen has room for it."""
_SMALLER = 0.75
"""What lay on a desk that was larger than this allows, as before a projector was plugged in, has to be laid anew."""
_CLOSE_SECONDS = 0.5
"""That closing may hold up other windows of this process; what takes longer to stop is waited for behind them."""
_ASK_AGAIN_MILLISECONDS = 50


class MainWindow(QMainWindow):
    """The window. Closing it frees it, what it shows, and its threads.

    Parameters
    ----------
    state : Session
    explorer : Explorer
    settings : QSettings
        Where the layout, the preferences, and the models and texts of late are kept.

    Signals
    -------
    first_painted, filled
        The window is on the screen, once; and all that is seen of it is made, so that slow work may begin.
    """

    first_painted = Signal()
    filled = Signal()

    def __init__(self, state: Session, explorer: Explorer, settings: QSettings) -> None:
        super().__init__()
        self.state: Session = state
        self.explorer: Explorer = explorer
        self._settings = settings
        self._was_painted = False
        LanguageChanges(self).happened.connect(self._reword)
        self._before_presenting: tuple[QByteArray, Layout, Qt.WindowState] | None = None
        self.setWindowTitle("Headscope")
        self.setAcceptDrops(True)
        self.preferences = Preferences(settings, self)
        self.appearance: Appearance = Appearance(state, self.preferences, self)
        self.recent = RecentPrompts(state, settings, self)
        self.context = Context(state, explorer, self.appearance, self.recent, self)
        self._opener = FileOpener(self.context, self)
        self._build()
        state.changed.connect(self._on_changed)
        self.preferences.changed.connect(self._prefer)
        for name in ("device", "cache_size"):
            self._prefer(name)
        self.history: History = History(state, explorer, (self.text.text, self.text.pair, self.text.target), self)
        self._on_changed(frozenset({"dark", "model"}))
        self._restore()
        self.commands.refresh()
        self.edit_text()

    # ---------------------------------------------------------------- building
    def _build(self) -> None:
        """All that has words."""
        self.commands = Actions(self.context, self)
        self.menus = Menus(self.context, self.commands, self)
        self._build_top()
        self.desk: Desk = Desk(self.context, self)
        self.desk.filled.connect(self.filled)
        self.first_painted.connect(self.desk.begin)
        self._arrange()
        self.menus.build()
        self.desk.docks_changed.connect(self.commands.refresh)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return move_focus(self, forwards=forwards)

    @Slot()
    def _reword(self) -> None:
        """Say everything in the language that is set now: words are made anew, what is looked at stays."""
        docks, layout, gone = self.desk.keep(), self.desk.layout_now, [self.commands, self.menus, *self.actions()]
        for action in self.actions():
            self.removeAction(action)  # and with it its keys
        self.menuBar().clear()
        self.setStatusBar(QStatusBar())
        self._build()  # the old desk and its views go with the central widget
        for thing in gone:
            thing.deleteLater()
        for field in (self.text.text, self.text.pair, self.text.target):
            field.installEventFilter(self.history)
        self._on_changed(frozenset({"dark", "model", "notice"}))
        self.choose_layout(layout.id)
        self.desk.bring_back(docks)
        self.desk.begin()
        self._prefer("device")

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
            palette=action("palette"),
            examples=self.menus.examples,
            layouts=self.menus.layouts,
        )
        self.picker: ModelPicker = self.toolbar.picker
        self.text = TextPanel(self.state, self.explorer)
        self.notice = NoticeBar()
        self.notice.dismissed.connect(self._dismiss)
        self.notice.chosen.connect(self._take_offer)

    def _arrange(self) -> None:
        """Tool bar and text above the desk that all views lie on; notices over its lower edge."""
        sheets = QVBoxLayout()
        sheets.setContentsMargins(12, 12, 12, 8)
        sheets.setSpacing(8)
        sheets.addWidget(Card("", self.text))
        sheets.addWidget(self.desk, 1)
        centre = QWidget()
        self._column = QVBoxLayout(centre)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.toolbar)
        self._column.addLayout(sheets, 1)
        self.setCentralWidget(centre)
        self.notice.lie_over(centre)
        self.statusBar().setSizeGripEnabled(False)
        self.find_bar = FindBar(self.state)
        self.statusBar().addWidget(self.find_bar)
        self.statusBar().addWidget(StatusPanel(self.state, self.explorer), 1)

    # ---------------------------------------------------------------- what commands ask of the window
    def panel(self, view: str) -> Any:
        return self.desk.panel(view)

    def toggle_view(self, view: str) -> None:
        self.desk.toggle(view)

    def bring_view(self, view: str) -> None:
        self.desk.bring(view)

    def is_view_open(self, view: str) -> bool:
        return self.desk.is_open(view)

    def is_view_seen(self, view: str) -> bool:
        return self.desk.is_seen(view)

    def focus_next_view(self, by: int) -> None:
        self.desk.focus_next(by)

    @property
    def layout_id(self) -> str:
        return self.desk.layout_now.id

    def ask_model(self, how: str) -> None:
        {"name": self.picker.ask_name, "folder": self.picker.ask_folder, "gguf": self.picker.ask_gguf}[how]()

    def open_model(self, source: str) -> None:
        self.picker.load(source)

    @property
    def recent_models(self) -> Sequence[str]:
        return self.picker.recent

    def find_in_text(self) -> None:
        self.find_bar.start()

    def undo(self) -> None:
        self.history.undo()

    def redo(self) -> None:
        self.history.redo()

    def export(self) -> None:
        sheets.open_export(self.context, self._settings, self)

    def edit_text(self) -> None:
        """Put the cursor into the text."""
        self.text.setFocus()

    def use_text(self, text: Prompt) -> None:
        """Put a text that was run before in the place of the text, and run it."""
        with self.state.doing("open text"):
            self.state.update(text=text.text, text_pair=text.text_pair, target=text.target)
        self.explorer.run()

    def ask_text_file(self) -> None:
        """Let the user choose a text file."""
        dialog = QFileDialog(self, self.tr("Open a text file"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._open_file)
        dialog.open()

    def show_palette(self) -> None:
        """Find a command, a head, an example, a model by a part of its name."""
        sheets.open_palette(self.context, self.commands, self)

    def show_settings(self) -> None:
        """What the user likes."""
        sheets.open_settings(self.context, self.preferences, self)

    def show_shortcuts(self) -> None:
        """All keys and gestures."""
        sheets.open_shortcuts(self.commands, self)

    def show_about(self) -> None:
        """What this program is."""
        sheets.open_about(self)

    def choose_layout(self, id_: str) -> None:
        """Arrange all views so; remembered."""
        for inside in (self.layout(), self._column):  # a window that is not shown yet has not laid itself out
            if inside is not None:
                inside.activate()
        self.desk.choose(layout_called(id_))

    def reset_layout(self) -> None:
        """The layout that was chosen last, as it was made."""
        self.choose_layout(self.layout_id)

    def present(self, on: bool) -> None:
        """Full screen with large type, only text, heatmap and links; or back to the window as it was."""
        if on == self.state.presenting:
            return
        if on:
            self._before_presenting = self.desk.keep(), self.desk.layout_now, self.windowState()
        self.menuBar().setVisible(not on)
        self.toolbar.setVisible(not on)
        self.state.update(presenting=on)
        for dock in self.desk.docks.values():
            dock.show_buttons(not on)
        if on:
            self.showFullScreen()
            self.choose_layout("present")
        elif self._before_presenting is not None:
            docks, self.desk.layout_now, look = self._before_presenting
            self.setWindowState(look)
            self.desk.bring_back(docks)
        self.commands.refresh()

    def close_soon(self) -> None:
        """Close after the event that asks for it."""
        QTimer.singleShot(0, self, self.close)

    # ---------------------------------------------------------------- following the state
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "notice" in names or "dark" in names:
            self._show_notice()
        if "dark" in names:
            self.desk.set_theme(theme_of(self.state.dark))
            self.statusBar().setMinimumHeight(self.find_bar.reserved)  # type may have another size
        if "model" in names:
            self.menus.fill_examples()

    def _show_notice(self) -> None:
        notice, theme = self.state.notice, theme_of(self.state.dark)
        if notice is None:
            self.notice.hide()
            return
        self.notice.set_icons(
            icon(notice.level, theme.error if notice.level == "error" else theme.accent), icon("close", theme.muted)
        )
        choices = [label_of(offer) for offer in notice.offers] if notice.path is None else saved_choices()
        fades = notice.path is not None
        self.notice.show_notice(notice.level, notice.message, notice.remedy, notice.details, choices, fades=fades)

    @Slot(str)
    def _prefer(self, name: str) -> None:
        """Do as the user likes from now on."""
        if name == "cache_size":
            self.explorer.limit_cache(self.preferences.cache_size * 2**20)
        elif name in {"device", "dtype"}:
            self.picker.place(self.preferences.device, self.preferences.dtype)
        self.commands.refresh()

    @Slot()
    def _dismiss(self) -> None:
        self.state.update(notice=None)

    @Slot(int)
    def _take_offer(self, place: int) -> None:
        notice = self.state.notice
        if notice is not None and notice.path is not None:
            use_saved(notice.path, place)
        elif notice is not None:
            self.explorer.take_offer(notice.offers[place])

    # ---------------------------------------------------------------- files that are dropped
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self._opener.open(path)

    @Slot(str)
    def _open_file(self, path: str) -> None:
        self._opener.open(Path(path))

    # ---------------------------------------------------------------- life
    def _restore(self) -> None:
        """The geometry before the layout, or docks come out at the wrong size."""
        if self.restoreGeometry(self._kept("geometry")):
            bring_onto_screen(self)
        else:
            self.resize(_FIRST_SIZE.boundedTo(self.screen().availableSize() * 0.92))
        self.desk.layout_now = layout_called(str(self._settings.value("window/layout_name")))
        self.reset_layout()
        was = self._settings.value("window/desk")
        if not isinstance(was, QSize) or self.desk.size().expandedTo(was * _SMALLER) == self.desk.size():
            self.desk.bring_back(self._kept("docks"))

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
        self.present(False)
        keep_session(self.state, self._settings)
        keep_views(self.state, self._settings)
        if self.preferences.keep_picture:
            keep_picture(self.state, self._settings)
        self._settings.setValue("window/geometry", self.saveGeometry())
        self._settings.setValue("window/docks", self.desk.keep())
        self._settings.setValue("window/desk", self.desk.size())
        self._settings.setValue("window/layout_name", self.desk.layout_now.id)
        super().closeEvent(event)
        self.hide()
        self._end()

    @Slot()
    def _end(self) -> None:
        """Free everything, as soon as no thread of it is in the middle of something."""
        if self.explorer.close(_CLOSE_SECONDS):
            self.destroyed.connect(
                partial(dict.clear, vars(self))
            )  # whoever still has the window in a variable has nothing more
            self.deleteLater()
        else:
            QTimer.singleShot(_ASK_AGAIN_MILLISECONDS, self, self._end)
