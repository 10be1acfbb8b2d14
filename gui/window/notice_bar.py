"""NoticeBar: one clear sentence, what to do about it, the details on demand. Never in the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from headscope.gui.paint.theme import scaled
from headscope.gui.widgets.plain import Label

_MARGIN, _WIDTH = 12, 960
"""Pixels around it, and that it is wide at most."""
_STAYS = 8000
"""Milliseconds that a notice stays which needs nothing."""


class NoticeBar(QFrame):
    """A strip over the lower edge of its parent, which stays where it is; hidden while there is nothing to say.

    Signals
    -------
    dismissed
        The user closed it.
    chosen
        One of the ways out, by its place among the labels.
    """

    dismissed = Signal()
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._icon = Label()
        self._sentence = Label()
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName(self.tr("Details"))
        self._details.setFixedHeight(160)
        self._more = QPushButton(self.tr("Details…"))
        self._more.setCheckable(True)
        self._more.toggled.connect(self._show_details)
        self._copy = QPushButton(self.tr("Copy"))
        self._copy.clicked.connect(self._copy_details)
        self._close = QToolButton()
        self._close.setObjectName("flat")
        self._close.setToolTip(self.tr("Dismiss"))
        self._close.setAccessibleName(self.tr("Dismiss"))
        self._close.clicked.connect(self.dismissed)
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (self._icon, self._sentence, self._copy, self._more, self._close):
            row.addWidget(widget)
        row.setStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 6, 6)
        self.choices: list[QPushButton] = []
        self._choice_row = QHBoxLayout()
        self._choice_row.setContentsMargins(24, 0, 0, 0)
        self._choice_row.setSpacing(8)
        self._choice_row.addStretch(1)
        column.addLayout(row)
        column.addLayout(self._choice_row)
        column.addWidget(self._details)
        self._fading = QTimer(self, singleShot=True, interval=_STAYS)
        self._fading.timeout.connect(self._fade)
        self.hide()

    def lie_over(self, parent: QWidget) -> None:
        """Be shown there from now on."""
        self.setParent(parent)
        parent.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the parent's size."""
        if watched is self.parentWidget() and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # details that open, another sentence
            self._place()
        return super().event(event)

    def _place(self) -> None:
        parent, layout = self.parentWidget(), self.layout()
        if parent is None or layout is None:
            return
        width = min(parent.width() - 2 * _MARGIN, scaled(_WIDTH))
        height = max(layout.totalHeightForWidth(width), self.minimumSizeHint().height())
        self.setGeometry((parent.width() - width) // 2, parent.height() - height - _MARGIN, width, height)

    @property
    def is_fading(self) -> bool:
        """Whether it will go by itself."""
        return self._fading.isActive()

    @Slot()
    def _fade(self) -> None:
        focus = QApplication.focusWidget()
        if self.underMouse() or (focus is not None and self.isAncestorOf(focus)):
            self._fading.start()
        else:
            self.dismissed.emit()

    def show_notice(
        self, level: str, message: str, remedy: str, details: str, choices: Sequence[str] = (), *, fades: bool = False
    ) -> None:
        """Say something. `level` is "error" or "info"; `details` may be empty; each of `choices` becomes a button.

        One that `fades` is dismissed after a while, but not while the pointer or the keyboard is in it.
        """
        self._fading.stop()
        if fades:
            self._fading.start()
        self._show_choices(choices)
        self._sentence.setText(f"{message} {remedy}".strip())
        self._details.setPlainText(details)
        self._more.setVisible(bool(details))
        self._more.setChecked(False)
        self._show_details(False)
        self.setProperty("level", level)
        self.style().polish(self)
        self.show()
        self.raise_()
        self._place()

    def set_icons(self, icon: QIcon, close: QIcon) -> None:
        """The drawings in the colours of the theme."""
        self._icon.setPixmap(icon.pixmap(16, 16))
        self._close.setIcon(close)

    @property
    def text(self) -> str:
        """The sentence on the screen, remedy included."""
        return self._sentence.text()

    def _show_choices(self, labels: Sequence[str]) -> None:
        for button in self.choices:
            self._choice_row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.choices = [QPushButton(label) for label in labels]
        for place, button in enumerate(self.choices):
            button.clicked.connect(partial(self._choose, place))
            self._choice_row.insertWidget(place, button)

    def _choose(self, place: int, _checked: bool = False) -> None:
        self.chosen.emit(place)

    @Slot(bool)
    def _show_details(self, on: bool) -> None:
        self._details.setVisible(on)
        self._copy.setVisible(on)

    @Slot()
    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._sentence.text()}\n\n{self._details.toPlainText()}")
