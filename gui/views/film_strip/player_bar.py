"""PlayerBar: play, pause and a slider over steps, as of a film."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget

from headscope.gui.views.film_strip.settings import FASTEST, SLOWEST
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.number_field import fraction_field
from headscope.gui.widgets.plain import plain

_OF_SLIDER, _OF_WORDS = 3, 2  # shares of the room between the buttons


class PlayerBar(QWidget):
    """Where one is among the steps, and how fast they go by.

    Signals
    -------
    moved(int)
        The slider was moved to a step.
    ticked()
        It is time for the next step.
    started()
        Play was pressed.
    speed_chosen(float)
        Steps a second.
    whole_asked()
        Not a step is to be seen but what came out in the end.
    """

    moved = Signal(int)
    ticked = Signal()
    started = Signal()
    speed_chosen = Signal(float)
    whole_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.play = QToolButton()
        self.play.setCheckable(True)
        self.play.setToolTip(self.tr("Play the steps one by one; Space in the strip does the same"))
        self.play.toggled.connect(self._toggle)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setMinimumWidth(40)
        self.slider.setAccessibleName(self.tr("Step"))
        self.slider.valueChanged.connect(self.moved)
        self.label = LineLabel(muted=True)
        self.speed = fraction_field(SLOWEST, FASTEST, 0.25, 1.0)
        self.speed.setSuffix(self.tr(" /s"))
        self.speed.setToolTip(self.tr("Steps per second"))
        self.speed.setAccessibleName(self.tr("Steps per second"))
        self.speed.valueChanged.connect(self.speed_chosen)
        self.whole = QToolButton()
        self.whole.setObjectName("flat")
        self.whole.setText(self.tr("Full text"))
        self.whole.setToolTip(self.tr("Back to the full generated text"))
        self.whole.clicked.connect(self.whole_asked)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.ticked)
        self.set_speed(self.speed.value())
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 8, 2)
        row.setSpacing(6)
        row.addWidget(self.play)
        row.addWidget(self.slider, _OF_SLIDER)
        row.addWidget(self.label, _OF_WORDS)
        row.addWidget(self.speed)
        row.addWidget(self.whole)
        self._show_words()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._show_words()
            self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    @property
    def is_playing(self) -> bool:
        return self.play.isChecked()

    def stop(self) -> None:
        """Play no further."""
        self.play.setChecked(False)

    def set_place(self, step: int, n_steps: int, words: str) -> None:
        """Show where one is, and `words` about it."""
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(0, n_steps - 1))
            self.slider.setValue(step)
        self.label.set_text(words)
        self.slider.setToolTip(plain(words))
        self._make_room()

    def _make_room(self) -> None:
        """No words where they would not be seen whole."""
        fixed = (self.play.minimumWidth(), self.speed.sizeHint().width(), self.whole.sizeHint().width())
        margins = self._row.contentsMargins()
        room = self.width() - sum(fixed) - margins.left() - margins.right() - 4 * self._row.spacing()
        share = _OF_WORDS / (_OF_WORDS + _OF_SLIDER)
        self.label.setVisible(room * share >= self.fontMetrics().horizontalAdvance(self.label.text()) + 2)

    @Slot(bool)
    def _toggle(self, plays: bool) -> None:
        self._show_words()
        if plays:
            self._timer.start()
            self.started.emit()
        else:
            self._timer.stop()

    def set_speed(self, steps_per_second: float) -> None:
        """Play at this speed."""
        if self.speed.value() != steps_per_second:  # set anew, a number that is being typed would be written out
            with QSignalBlocker(self.speed):
                self.speed.setValue(steps_per_second)
        self._timer.setInterval(round(1000 / steps_per_second))

    def _show_words(self) -> None:
        widest = max((self.tr("Play"), self.tr("Pause")), key=self.fontMetrics().horizontalAdvance)
        self.play.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest) + 28)  # the slider stays where it is
        self.play.setText(self.tr("Pause") if self.is_playing else self.tr("Play"))
