"""Toolbar: the model, Run, Stop, Generate, Examples, the layout, the palette, and how busy the program is."""

from __future__ import annotations

from PySide6.QtCore import QSettings, QSize, Qt, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.icons import icon
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.session import Session
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.window.busy_bar import BusyBar
from headscope.gui.window.model_picker import ModelPicker


class Toolbar(QWidget):
    """The row at the top of the window.

    Parameters
    ----------
    run, stop, generate, export, palette : QAction
        Commands that get a button.
    examples, layouts : QMenu
    """

    def __init__(
        self,
        state: Session,
        explorer: Explorer,
        settings: QSettings,
        *,
        run: QAction,
        stop: QAction,
        generate: QAction,
        export: QAction,
        palette: QAction,
        examples: QMenu,
        layouts: QMenu,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = state
        self.picker = ModelPicker(state, explorer, settings)
        self.run = _ActionButton(run, "run", primary=True)
        self.stop = _ActionButton(stop, "stop")
        self.generate = _ActionButton(generate, "generate")
        self.export = _ActionButton(export, "export")
        self.search = _ActionButton(palette, "search", self.tr("Find"))
        self.examples = _menu_button(self.tr("Examples"), examples)
        self.examples.setToolTip(self.tr("Example sentences for this model, and recent texts"))
        self.layouts = _menu_button(self.tr("Layout"), layouts)
        self.layouts.setToolTip(self.tr("Arrange the views to explore, present, compare or teach"))
        self.busy = BusyBar()
        self.wordmark = _Wordmark("Headscope")
        self.wordmark.setObjectName("wordmark")
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        row.addWidget(self.wordmark)
        row.addSpacing(8)
        for widget in (self.picker, self.run, self.stop, self.generate, self.examples, self.export, self.layouts, self.search):
            row.addWidget(widget)
        row.addSpacing(8)
        row.addWidget(self.busy, 1)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark"}))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What can be chosen needs the room of a narrow window more than the program's name does."""
        super().resizeEvent(event)
        wordmark, spacing = self.wordmark.sizeHint().width(), self._row.spacing()
        with_it = self.sizeHint().width() + (wordmark + spacing if self.wordmark.isHidden() else 0)
        self.wordmark.setVisible(with_it <= event.size().width())

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "busy" in names:
            if self._state.busy is None:
                self.busy.clear()
            else:
                self.busy.show_busy(self._state.busy.message, self._state.busy.fraction)
        if "dark" in names:
            theme = theme_of(self._state.dark)
            self.run.tint(theme.on_accent)
            for button in (self.stop, self.generate, self.export, self.search):
                button.tint(theme.text)
            self.examples.setIcon(icon("examples", theme.text))
            self.layouts.setIcon(icon("layout", theme.text))


class _Wordmark(Label):
    """The program's name: whole, or not there."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())


def _menu_button(words: str, menu: QMenu) -> QPushButton:
    button = QPushButton(f"{words} ▾")
    button.setAccessibleName(words)
    button.setMenu(menu)
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return button


class _ActionButton(QPushButton):
    """A button for a command: its words or shorter ones, its help and shortcut in the tool tip, enabled as it is."""

    def __init__(self, action: QAction, drawing: str, words: str = "", *, primary: bool = False) -> None:
        super().__init__(words or action.text())
        self._action = action
        self._drawing = drawing
        if primary:
            self.setObjectName("primary")
        self.setAccessibleName(action.text())
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        self._follow()

    def tint(self, color: str) -> None:
        """The icon in a colour."""
        self.setIcon(icon(self._drawing, color))

    @Slot()
    def _follow(self) -> None:
        self.setEnabled(self._action.isEnabled())
        self.setToolTip(plain(f"{self._action.toolTip()}  {self._action.shortcut().toString()}"))
