"""BusyBar: what the program is doing and how far it is, once that takes longer than a blink."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QWidget

from headscope.gui.widgets.plain import Label, plain

_PATIENCE_MILLISECONDS = 300


class BusyBar(QWidget):
    """A sentence over a thin bar. It keeps its place when there is nothing to show, so that nothing jumps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._message = Label()
        self._message.setObjectName("muted")
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(112, 6)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._message, 1)
        row.addWidget(self._bar)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE_MILLISECONDS)
        self._timer.timeout.connect(self._reveal)
        self.clear()

    def show_busy(self, message: str, fraction: float | None) -> None:
        """Say what is being done; `fraction` is 0 to 1, or None while nobody knows."""
        if message != self._message.text():
            self._message.setText(message)
            self._message.setToolTip(plain(message))
        self._bar.setUpdatesEnabled(False)  # a new value would be painted at once, and the rest of the window with it
        self._bar.setRange(0, 0 if fraction is None else 1000)
        self._bar.setValue(0 if fraction is None else round(1000 * fraction))
        self._bar.setUpdatesEnabled(True)
        if not self.is_shown and not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Nothing is being done."""
        self._timer.stop()
        self._message.hide()
        self._bar.hide()

    @property
    def is_shown(self) -> bool:
        """Whether anything is on the screen."""
        return not self._bar.isHidden()

    @Slot()
    def _reveal(self) -> None:
        self._message.show()
        self._bar.show()
