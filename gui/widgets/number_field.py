"""Fields for numbers, without the arrows that a style sheet draws badly; keys and the wheel still step."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox

DECIMALS = 4


def whole_field(least: int, most: int, value: int) -> QSpinBox:
    """A field for a whole number."""
    field = QSpinBox()
    field.setRange(least, most)
    field.setValue(value)
    _make_slim(field)
    return field


class FractionField(QDoubleSpinBox):
    """Shows two decimals, and more only where a value has them, as a model's own settings may."""

    def textFromValue(self, value: float) -> str:
        text = super().textFromValue(value)
        while len(text) > 2 and text[-1] == "0" and text[-3] in "0123456789":
            text = text[:-1]
        return text


def fraction_field(least: float, most: float, step: float, value: float) -> QDoubleSpinBox:
    """A field for a number with two decimals, or up to `DECIMALS`."""
    field = FractionField()
    field.setDecimals(DECIMALS)
    field.setRange(least, most)
    field.setSingleStep(step)
    field.setValue(value)
    _make_slim(field)
    return field


def _make_slim(field: QAbstractSpinBox) -> None:
    field.setMinimumWidth(60)
    field.lineEdit().setTextMargins(6, 0, 0, 0)
