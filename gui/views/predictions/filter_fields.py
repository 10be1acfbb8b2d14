"""FilterFields: the sampling filters as one follows them: a slider for the temperature, fields for what cuts."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QSlider, QVBoxLayout, QWidget

from headscope.core.options import Sampling
from headscope.gui.widgets.drawing_fields import DrawingFields, labelled_grid
from headscope.gui.widgets.number_field import fraction_field, whole_field
from headscope.gui.widgets.plain import Label, plain

_STEPS = 20
"""Of the slider, for each 1 of temperature."""
_HOTTEST = 2
"""Of the slider; the field goes further."""
_DEFAULTS = Sampling()


class FilterFields(QWidget):
    """Temperature, repetition penalty, top-k, top-p and min-p.

    Signals
    -------
    changed()
        `sampling` has another value, by the user.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.temperature = fraction_field(0, 5, 0.05, _DEFAULTS.temperature)
        self.temperature.setAccessibleName(self.tr("Temperature"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _HOTTEST * _STEPS)
        self.slider.setAccessibleName(self.tr("Temperature"))
        hint = self.tr(
            "Divides the logits before the softmax: below 1 favours the most probable tokens, above 1 the "
            "others; 0 turns sampling off"
        )
        for part in (self.temperature, self.slider):
            part.setToolTip(plain(hint))
        self.top_k = whole_field(0, 1_000_000, _DEFAULTS.top_k)
        self.top_k.setSpecialValueText(self.tr("off"))
        self.top_p = fraction_field(0.0001, 1, 0.05, _DEFAULTS.top_p)
        self.min_p = fraction_field(0, 1, 0.05, _DEFAULTS.min_p)
        self.repetition = fraction_field(0.1, 5, 0.1, _DEFAULTS.repetition_penalty)
        self._drawing = DrawingFields(self.temperature, self.top_k, self.top_p, self.min_p, self.repetition, parent=self)
        self._drawing.changed.connect(self.changed)
        self.temperature.valueChanged.connect(self._move_slider)
        self.slider.valueChanged.connect(self._heat)
        self._arrange()

    @property
    def sampling(self) -> Sampling:
        """As the fields stand."""
        return self._drawing.sampling

    def set_sampling(self, sampling: Sampling) -> None:
        """Put values into the fields."""
        self._drawing.set_sampling(sampling)

    def _arrange(self) -> None:
        heat = QGridLayout()
        heat.setHorizontalSpacing(8)
        label = Label(self.tr("Temperature"))
        label.setObjectName("muted")
        heat.addWidget(label, 0, 0)
        heat.addWidget(self.slider, 0, 1)
        heat.addWidget(self.temperature, 0, 2)
        heat.setColumnStretch(1, 1)
        cuts = (
            ((self.tr("Repetition penalty"), self.repetition), (self.tr("Top-k"), self.top_k)),
            ((self.tr("Top-p"), self.top_p), (self.tr("Min-p"), self.min_p)),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(heat)
        column.addLayout(labelled_grid(cuts))

    @Slot(float)
    def _move_slider(self, temperature: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(temperature * _STEPS))
        self.slider.blockSignals(False)

    @Slot(int)
    def _heat(self, step: int) -> None:
        self.temperature.setValue(step / _STEPS)
