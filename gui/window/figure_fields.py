"""FigureFields: a field for each of the `FigureOptions`, as the command line has an option for each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from headscope.gui.commands.units import UNITS
from headscope.gui.paint.figure import LARGEST_PT, NARROWEST_MM, PLAIN, SMALLEST_PT, WIDEST_MM, WIDTHS_MM, FigureOptions
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.positions import Region, pins_of, region_of, written_pins, written_region
from headscope.gui.widgets.number_field import fraction_field, whole_field

_OTHER: Final = "other"


FIELDS: Final = {
    **{name: name for name in ("width_mm", "height_mm", "type_pt", "title", "color_map", "scale", "units", "special", "lens")},
    **{name: f"parts.{name}" for name in ("axis_titles", "color_bar", "edge_bars", "legend")},
    **{"picked": "pins", "region": "region", "ground": "ground", "outlines": "outlines", "dpi": "dpi"},
}
"""The option of the command line for each field, and the other way round (a test compares)."""


class FigureFields(QWidget):
    """How a figure is drawn.

    Signals
    -------
    changed()
    units_chosen(str, str)
        Units, and what is done with special tokens; the window shows them, and the figure follows it.
    lens_chosen(str)
        The id of a lens; as with units.
    """

    changed = Signal()
    units_chosen = Signal(str, str)
    lens_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.width_choice = _choices(
            {
                "": self.tr("As needed"),
                "column": self.tr("One column, 84 mm"),
                "page": self.tr("Both columns, 174 mm"),
                _OTHER: self.tr("Other…"),
            }
        )
        self.width_mm = _millimetres(WIDTHS_MM["column"])
        self.width_mm.setAccessibleName(self.tr("Width in millimetres"))
        self.height_mm = _millimetres(0.0)
        self.height_mm.setMinimum(0.0)
        self.height_mm.setSpecialValueText(self.tr("As needed"))
        self.height_mm.setValue(0.0)
        self.type_pt = fraction_field(SMALLEST_PT, LARGEST_PT, 0.5, PLAIN.type_pt)
        self.type_pt.setSuffix(self.tr(" pt"))
        self.title = QLineEdit()
        self.title.setPlaceholderText(self.tr("None"))
        self.parts = {
            "axis_titles": QCheckBox(self.tr("Axis titles")),
            "color_bar": QCheckBox(self.tr("Colour bar")),
            "edge_bars": QCheckBox(self.tr("Edge bars")),
            "legend": QCheckBox(self.tr("Legend")),
        }
        for part in self.parts.values():
            part.setChecked(True)
        self.color_map = _choices(
            {
                "": self.tr("As shown"),
                "plain": self.tr("One hue"),
                "viridis": self.tr("Viridis"),
                "cividis": self.tr("Cividis"),
                "grey": self.tr("Grey"),
            }
        )
        self.scale = _choices(
            {
                "": self.tr("As shown"),
                "linear": self.tr("Linear"),
                "log": self.tr("Logarithmic"),
                "row": self.tr("Row by row"),
                "rank": self.tr("Rank in the head"),
            }
        )
        self.ground = _choices({"light": self.tr("Light"), "dark": self.tr("Dark"), "transparent": self.tr("Transparent")})
        self.units = _choices(_titles("units_"))
        self.special = _choices(_titles("special_"))
        self.lens = _choices(_titles("lens_"))
        for box in (self.units, self.special, self.lens):
            box.setToolTip(self.tr("Changes the views, too"))
        self.pins = QLineEdit()
        self.pins.setPlaceholderText(self.tr("None"))
        self.pins.setToolTip(
            self.tr("Cells to highlight: 5:2 for a query and a key, 5: for a query, :2 for a key; positions count from 0")
        )
        self.region = QLineEdit()
        self.region.setPlaceholderText(self.tr("All"))
        self.region.setToolTip(self.tr("Queries and keys to draw, as in 0-9,0-9; positions count from 0"))
        self._picked = NOTHING
        self._zoomed: Region | None = None
        self.outlines = QCheckBox(self.tr("Text as outlines"))
        self.dpi = whole_field(36, 2400, PLAIN.dpi)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(16)
        self._rows.setVerticalSpacing(8)
        self._rows.addRow(self.tr("Width"), self.width_choice)
        self._rows.addRow("", self.width_mm)
        self._rows.addRow(self.tr("Height"), self.height_mm)
        self._rows.addRow(self.tr("Type size"), self.type_pt)
        self._rows.addRow(self.tr("Dots per inch"), self.dpi)
        self._rows.addRow(self.tr("Title"), self.title)
        self._rows.addRow(self.tr("Theme"), self.ground)
        self._rows.addRow(self.tr("Colours"), self.color_map)
        self._rows.addRow(self.tr("Scale"), self.scale)
        self._rows.addRow(self.tr("Units"), self.units)
        self._rows.addRow(self.tr("Special"), self.special)
        self._rows.addRow(self.tr("Numbers"), self.lens)
        self._rows.addRow(self.tr("Pins"), self.pins)
        self._rows.addRow(self.tr("Region"), self.region)
        self.checks = QWidget()
        column = QVBoxLayout(self.checks)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for check in (*self.parts.values(), self.outlines):
            column.addWidget(check)
        self._rows.addRow(self.tr("With"), self.checks)

    def _connect(self) -> None:
        for box in (self.width_choice, self.color_map, self.scale, self.ground):
            box.currentIndexChanged.connect(self._on_changed)
        for number in (self.width_mm, self.height_mm, self.type_pt, self.dpi):
            number.valueChanged.connect(self._on_changed)
        for check in (*self.parts.values(), self.outlines):
            check.toggled.connect(self._on_changed)
        for line in (self.title, self.pins, self.region):
            line.textChanged.connect(self._on_changed)
        for box in (self.units, self.special):
            box.activated.connect(self._on_units)
        self.lens.activated.connect(lambda: self.lens_chosen.emit(self.lens.currentData()))
        self._on_changed()

    @Slot()
    def _on_changed(self) -> None:
        self._rows.setRowVisible(self.width_mm, self.width_choice.currentData() == _OTHER)
        self.changed.emit()

    @Slot()
    def _on_units(self) -> None:
        self.units_chosen.emit(self.units.currentData(), self.special.currentData())

    # ---------------------------------------------------------------- what the screen shows
    def show_screen(self, picked: Picked, zoomed: Region | None, units: str, special: str, lens: str) -> None:
        """Begin with what stands out there; what was typed here stays."""
        with QSignalBlocker(self):
            if self.pins.text() == written_pins(self._picked):
                self.pins.setText(written_pins(picked))
            if self.region.text() == written_region(self._zoomed):
                self.region.setText(written_region(zoomed))
            self._picked, self._zoomed = picked, zoomed
            self.units.setCurrentIndex(self.units.findData(units))
            self.special.setCurrentIndex(self.special.findData(special))
            self.lens.setCurrentIndex(self.lens.findData(lens))

    # ---------------------------------------------------------------- what is asked for
    def show_for(self, obeys: frozenset[str], form: str) -> None:
        """Show the fields that have a meaning for such a figure in such a file."""
        for name, check in self.parts.items():
            check.setVisible(name in obeys)
        self._rows.setRowVisible(self.color_map, "color_map" in obeys)
        self._rows.setRowVisible(self.scale, "scale" in obeys)
        fields = (
            (self.units, "units"),
            (self.special, "units"),
            (self.lens, "lens"),
            (self.pins, "picked"),
            (self.region, "region"),
        )
        for field, name in fields:
            self._rows.setRowVisible(field, name in obeys)
        self.outlines.setVisible(form == "svg")
        clear = self.ground.findData("transparent")
        model = self.ground.model()
        assert isinstance(model, QStandardItemModel)
        model.item(clear).setEnabled("transparent" in obeys)
        if "transparent" not in obeys and self.ground.currentIndex() == clear:
            self.ground.setCurrentIndex(0)
        self._rows.setRowVisible(self.dpi, form == "png")

    def options(self, obeys: frozenset[str]) -> FigureOptions:
        """What the fields ask for of a figure that `obeys` some of them; ``bad_option`` where pins or a region cannot be read."""
        preset = self.width_choice.currentData()
        width = self.width_mm.value() if preset == _OTHER else WIDTHS_MM.get(preset)
        height = self.height_mm.value()
        asked = FigureOptions(
            width_mm=width,
            height_mm=max(height, NARROWEST_MM) if height else None,
            type_pt=self.type_pt.value(),
            title=self.title.text().strip(),
            ground=self.ground.currentData(),
            picked=self._asked_pins if "picked" in obeys else NOTHING,
            region=region_of(self.region.text()) if "region" in obeys else None,
            outlines=self.outlines.isChecked(),
            dpi=self.dpi.value(),
            axis_titles=self.parts["axis_titles"].isChecked(),
            color_bar=self.parts["color_bar"].isChecked(),
            edge_bars=self.parts["edge_bars"].isChecked(),
            legend=self.parts["legend"].isChecked(),
        )
        if "color_map" in obeys:
            asked = replace(asked, color_map=self.color_map.currentData() or None)
        if "scale" in obeys:
            asked = replace(asked, scale=self.scale.currentData() or None)
        return asked

    @property
    def _asked_pins(self) -> Picked:
        """Those of the screen, as long as nothing else is typed."""
        return self._picked if self.pins.text() == written_pins(self._picked) else pins_of(self.pins.text())

    # ---------------------------------------------------------------- what is remembered
    def kept(self) -> str:
        """What was chosen, but for title and pins, which belong to one figure; as JSON."""
        values: dict[str, Any] = {name: check.isChecked() for name, check in self.parts.items()}
        values |= {name: box.currentData() for name, box in self._boxes.items()}
        values |= {name: number.value() for name, number in self._numbers.items()}
        return json.dumps({**values, "outlines": self.outlines.isChecked()})

    def restore(self, kept: object) -> None:
        """What `kept` said; whatever is not understood is left as it is."""
        try:
            values = json.loads(str(kept))
        except ValueError:
            return
        if not isinstance(values, dict):
            return
        for name, check in {**self.parts, "outlines": self.outlines}.items():
            if isinstance(values.get(name), bool):
                check.setChecked(values[name])
        for name, box in self._boxes.items():
            if isinstance(values.get(name), str) and (at := box.findData(values[name])) >= 0:
                box.setCurrentIndex(at)
        for name, number in self._numbers.items():
            value = values.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and number.minimum() <= value <= number.maximum():
                number.setValue(type(number.minimum())(value))

    @property
    def _boxes(self) -> dict[str, QComboBox]:
        return {"width": self.width_choice, "color_map": self.color_map, "scale": self.scale, "ground": self.ground}

    @property
    def _numbers(self) -> dict[str, Any]:
        return {"width_mm": self.width_mm, "height_mm": self.height_mm, "type_pt": self.type_pt, "dpi": self.dpi}


def _titles(begins: str) -> dict[str, str]:
    """What the menu of units calls them."""
    return {command.id.removeprefix(begins): command.words for command in UNITS if command.id.startswith(begins)}


def _millimetres(value: float) -> QDoubleSpinBox:
    field = fraction_field(NARROWEST_MM, WIDEST_MM, 1.0, value)
    field.setSuffix(" mm")
    return field


def _choices(words: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for value, text in words.items():
        box.addItem(text, value)
    return box
