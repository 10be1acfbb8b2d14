"""Fields for numbers, without the arrows that a style sheet draws badly; keys and the wheel still step."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox


def whole_field(least: int, most: int, value: int) -> QSpinBox:
    """A field for a whole number."""
    field = QSpinBox()
    field.setRange(least, most)
    field.setValue(value)
    _make_slim(field)
    return field


def fraction_field(least: float, most: float, step: float, value: float) -> QDoubleSpinBox:
    """A field for a number with two decimals."""
    field = QDoubleSpinBox()
    field.setDecimals(2)
    field.setRange(least, most)
    field.setSingleStep(step)
    field.setValue(value)
    _make_slim(field)
    return field


def _make_slim(field: QAbstractSpinBox) -> None:
    field.setMinimumWidth(60)
    field.lineEdit().setTextMargins(6, 0, 0, 0)
