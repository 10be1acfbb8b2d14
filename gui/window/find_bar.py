"""FindBar: what to look for in the text, and which of how many places one has come to. It lies in the line at the window's foot."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QToolButton, QWidget

from headscope.gui.control.finding import Finding
from headscope.gui.paint.icons import icon
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.session import Session
from headscope.gui.widgets.plain import Label, plain

_WIDTH = 220


class FindBar(QWidget):
    """Enter goes on to the next match, Shift+Enter back, Escape ends the search."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._finding = Finding(session, self)
        self._came_from: QWidget | None = None
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Find in the text"))
        self.field.setAccessibleName(self.tr("Find in the text"))
        self.field.setMinimumWidth(_WIDTH)
        self.field.textEdited.connect(self._finding.look_for)
        self.field.installEventFilter(self)
        self.back = self._button("‹", self.tr("Previous match (Shift+Enter)"))
        self.next = self._button("›", self.tr("Next match (Enter)"))
        self.close_button = self._button("", self.tr("Close (Esc)"))
        self.back.clicked.connect(self._go_back)
        self.next.clicked.connect(self._go_on)
        self.close_button.clicked.connect(self.end)
        self.count = Label()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 0, 0)
        row.setSpacing(2)
        for part in (self.field, self.back, self.next, self.close_button, self.count):
            row.addWidget(part)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.hide()
        session.changed.connect(self._on_changed)
        self._on_changed(frozenset({"find", "dark"}))

    def _button(self, words: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName("flat")
        button.setText(words)
        button.setToolTip(plain(tip))
        button.setAccessibleName(tip)
        return button

    @property
    def reserved(self) -> int:
        """Pixels of height that are kept for it also while it is not there, so that nothing moves when it comes."""
        self.field.ensurePolished()
        return self.field.sizeHint().height() + 4

    def start(self) -> None:
        """Show it with the cursor in it; the words of the last search are there to be replaced."""
        focus = self.window().focusWidget()
        if focus is not self.field:
            self._came_from = focus
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        if self.field.text():
            self._finding.look_for(self.field.text())

    @Slot()
    def end(self) -> None:
        """Look for nothing any more, and give the keyboard back."""
        self._finding.end()
        self.hide()
        if self._came_from is not None:
            self._came_from.setFocus(Qt.FocusReason.OtherFocusReason)
            self._came_from = None

    @Slot()
    def _go_on(self) -> None:
        self._finding.step(1)

    @Slot()
    def _go_back(self) -> None:
        self._finding.step(-1)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Its keys, before the field and the window's shortcuts take them."""
        if event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) and isinstance(event, QKeyEvent):
            key, shift = event.key(), event.modifiers() == Qt.KeyboardModifier.ShiftModifier
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
                event.accept()
                if event.type() == QEvent.Type.KeyPress:
                    self.end() if key == Qt.Key.Key_Escape else self._finding.step(-1 if shift else 1)
                return True
        return False

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.close_button.setIcon(icon("close", theme_of(self._session.dark).muted))
        if "find" in names:
            find = self._session.find
            n_matches = len(find.matches)
            if not find.query.strip():
                words = ""
            elif find.current is None:
                words = self.tr("{count} found").format(count=n_matches) if n_matches else self.tr("No match")
            else:
                words = self.tr("{place} of {count}").format(place=find.current + 1, count=n_matches)
            self.count.setText(words)
            for button in (self.back, self.next):
                button.setEnabled(n_matches > 0)
