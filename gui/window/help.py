"""The two small windows of the Help menu; neither stands in the way of the main one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt, Slot
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from headscope.gui.paint.theme import scaled
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.window.actions import COMMANDS, Actions
from headscope.gui.window.gestures import GESTURES
from headscope.gui.window.palette.entries import keys_of, menu_path
from headscope.gui.window.views import VIEWS


@dataclass(frozen=True, slots=True)
class _Row:
    group: str
    what: str
    how: str
    hint: str


class ShortcutSheet(QDialog):
    """Every command by menu with its keys, and what mouse and keys do in each view; with a field to search in them."""

    def __init__(self, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self.setWindowTitle(self.tr("Shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Search, such as zoom, pin or Ctrl"))
        self.field.setAccessibleName(self.tr("Search the shortcuts"))
        self.field.textChanged.connect(self._search)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(16, 0, 16, 0)
        self._grid.setHorizontalSpacing(32)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self._parts: list[tuple[_Row, tuple[QLabel, QLabel]]] = []
        self._headings: dict[str, QLabel] = {}
        for row in (*_commands(actions), *_gestures()):
            self._add(row)
        inside = QWidget()
        below = QVBoxLayout(inside)
        below.setContentsMargins(0, 0, 0, 0)
        below.addLayout(self._grid)
        below.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.setAccessibleName(self.windowTitle())
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 16, 0, 8)
        column.setSpacing(12)
        over = QVBoxLayout()
        over.setContentsMargins(16, 0, 24, 0)
        over.addWidget(self.field)
        column.addLayout(over)
        column.addWidget(area, 1)
        wide = max(scaled(620), inside.sizeHint().width() + 32)
        self.resize(min(wide, window.width() - 32), min(scaled(720), window.height() - 64))
        self.field.setFocus()

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What is listed now: what it does, and how."""
        return [(row.what, row.how) for row, (label, _) in self._parts if not label.isHidden()]

    def _add(self, row: _Row) -> None:
        at = self._grid.rowCount()
        if row.group not in self._headings:
            heading = Label(row.group)
            heading.setObjectName("cardTitle")
            heading.setContentsMargins(0, 12 if self._headings else 0, 0, 0)
            self._headings[row.group] = heading
            self._grid.addWidget(heading, at, 0, 1, 2)
            at += 1
        what, how = Label(row.what), Label(row.how)
        what.setWordWrap(True)
        what.setMinimumWidth(scaled(260))
        what.setToolTip(plain(row.hint))
        how.setObjectName("muted")
        self._grid.addWidget(what, at, 0)
        self._grid.addWidget(how, at, 1, Qt.AlignmentFlag.AlignTop)
        self._parts.append((row, (what, how)))

    @Slot(str)
    def _search(self, words: str) -> None:
        """Hide what does not fit, and headings with nothing under them."""
        seen = set()
        for row, labels in self._parts:
            fits = all(_has(row, word) for word in words.split())
            for label in labels:
                label.setVisible(fits)
            if fits:
                seen.add(row.group)
        for group, heading in self._headings.items():
            heading.setVisible(group in seen)


def _has(row: _Row, word: str) -> bool:
    return any(word.casefold() in text.casefold() for text in (row.group, row.what, row.how, row.hint))


def _commands(actions: Actions) -> Iterator[_Row]:
    for command in COMMANDS:
        yield _Row(menu_path(command.menu), command.words.replace("&", ""), keys_of(actions, command.id), command.hint)


def _gestures() -> Iterator[_Row]:
    mouse = QCoreApplication.translate("help", "Mouse and keys in {view}")
    views = {QCoreApplication.translate("gestures", where): gestures for where, gestures in GESTURES.items()}
    for where, gestures in (*views.items(), *((view.words, view.gestures) for view in VIEWS)):
        for gesture in gestures:
            how, what = gesture.words
            yield _Row(mouse.format(view=where), what, how, "")


def show_shortcuts(actions: Actions, window: QWidget) -> ShortcutSheet:
    """All keys and gestures."""
    sheet = ShortcutSheet(actions, window)
    sheet.show()
    return sheet


def show_about(parent: QWidget) -> QDialog:
    """What this program is, and its licence."""
    from importlib.metadata import version  # which takes longer to import than the window to be laid out

    dialog = QDialog(parent)
    dialog.setWindowTitle(QCoreApplication.translate("help", "About Headscope"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 20, 24, 20)
    name = Label("Headscope")
    name.setObjectName("wordmark")
    column.addWidget(name)
    number = Label(QCoreApplication.translate("help", "Version {0}").format(version("headscope")))
    number.setObjectName("muted")
    column.addWidget(number)
    sentence = QCoreApplication.translate(
        "help",
        "A desktop instrument for looking into transformer attention: exact, offline, at any length.\n"
        "Apache License 2.0; the typeface Inter under the SIL Open Font License.",
    )
    column.addWidget(Label(sentence))
    dialog.show()
    return dialog
