"""ModelPicker: which model, on which device, in which number format."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QWidget, QWidgetAction

from headscope.core.errors import readable_bytes
from headscope.core.models.catalogue_entries import CatalogueEntry
from headscope.gui.control.explorer import Explorer
from headscope.gui.session.session import Session
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.window.field_button import FieldButton

_RECENT_KEY = "models/recent"
_MOST_RECENT = 8
_SHORT = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}


class ModelPicker(QWidget):
    """Two buttons with menus: the model, and where it runs.

    Parameters
    ----------
    settings : QSettings
        Keeps the models opened lately.
    """

    def __init__(self, state: Session, explorer: Explorer, settings: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._settings = settings
        self._device = self._dtype = "auto"
        self._model_button = FieldButton(self.tr("Model"), 236)
        self._device_button = FieldButton(self.tr("Device"), 160)
        self._model_button.menu().aboutToShow.connect(self._fill_models)
        self._device_button.menu().aboutToShow.connect(self._fill_devices)
        self.name_field = QLineEdit()
        self.name_field.setPlaceholderText(self.tr("Hugging Face name, such as bert-base-uncased"))
        self.name_field.setMinimumWidth(320)
        self.name_field.returnPressed.connect(self._load_name)
        holder = QWidget()
        QHBoxLayout(holder).addWidget(self.name_field)
        self._name_action = QWidgetAction(self)  # outlives the menu's clear()
        self._name_action.setDefaultWidget(holder)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._model_button)
        row.addWidget(self._device_button)
        for part in (self, self._model_button, self._device_button):  # narrow windows elide what is chosen
            part.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        state.changed.connect(self._on_changed)
        self._show()

    def load(self, source: str) -> None:
        """Open `source` on the chosen device."""
        self._explorer.load(source, self._device, self._dtype)

    def ask_folder(self) -> None:
        """Let the user choose a model's folder."""
        dialog = QFileDialog(self, self.tr("Open a model's folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._ask(dialog)

    def ask_gguf(self) -> None:
        """Let the user choose a GGUF file."""
        dialog = QFileDialog(self, self.tr("Open a GGUF file"))
        dialog.setNameFilter(self.tr("GGUF models (*.gguf)"))
        self._ask(dialog)

    def ask_name(self) -> None:
        """Open the menu at the field for a Hugging Face name."""
        self._model_button.showMenu()

    @property
    def recent(self) -> list[str]:
        """Sources opened lately that are no toys, the latest first."""
        kept = self._settings.value(_RECENT_KEY)
        return [kept] if isinstance(kept, str) else kept if isinstance(kept, list) else []

    def _ask(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.load)
        dialog.open()

    @Slot()
    def _load_name(self) -> None:
        if name := self.name_field.text().strip():
            self._model_button.menu().close()
            self.load(name)

    # ---------------------------------------------------------------- what is shown
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "model" in names:
            self._show()
            self._remember()

    def _show(self) -> None:
        model = self._state.model
        if model is None:
            self._model_button.set_value(self.tr("none yet"))
            self._device_button.set_value("")
            return
        self._model_button.set_value(model.name, f"{model.architecture} · {model.checkpoint}")
        where = model.device.upper() if model.device.isalpha() else model.device
        self._device_button.set_value(f"{where} · {_SHORT.get(model.dtype, model.dtype)}")

    def _remember(self) -> None:
        model = self._state.model
        if model is None or not model.source or model.source.startswith("toy:"):
            return
        others = [source for source in self.recent if source != model.source]
        self._settings.setValue(_RECENT_KEY, [model.source, *others][:_MOST_RECENT])

    # ---------------------------------------------------------------- menus
    @Slot()
    def _fill_models(self) -> None:
        menu = self._model_button.menu()
        menu.clear()
        menu.addAction(self._name_action)
        if self._state.catalogue is None:
            self._explorer.refresh_catalogue()
        entries = self._state.catalogue.entries if self._state.catalogue else ()
        self._add_entries(menu, self.tr("Toys"), [entry for entry in entries if entry.group == "toy"])
        self._add_entries(menu, self.tr("On this computer"), [entry for entry in entries if entry.group == "cache"])
        listed = {entry.source for entry in entries}
        if recent := [source for source in self.recent if source not in listed]:
            _heading(menu, self.tr("Recent"))
            for source in recent:
                self._add_choice(menu, Path(source).name, partial(self.load, source), source)
        menu.addSeparator()
        menu.addAction(self.tr("Open folder…"), self.ask_folder)
        menu.addAction(self.tr("Open GGUF file…"), self.ask_gguf)
        self.name_field.setFocus()
        self.name_field.selectAll()  # the next name replaces the last one

    def _add_entries(self, menu: QMenu, title: str, entries: list[CatalogueEntry]) -> None:
        if entries:
            _heading(menu, title)
        for entry in entries:
            label = f"{entry.name}\t{readable_bytes(entry.size)}" if entry.size else entry.name
            self._add_choice(menu, label, partial(self.load, entry.source), entry.description)

    def _add_choice(self, menu: QMenu, label: str, choose: Callable[[], None], hint: str) -> None:
        menu.setToolTipsVisible(True)
        menu.addAction(label.replace("&", "&&"), choose).setToolTip(plain(hint))

    @Slot()
    def _fill_devices(self) -> None:
        menu = self._device_button.menu()
        menu.clear()
        catalogue = self._state.catalogue
        _heading(menu, self.tr("Device"))
        for device in catalogue.devices if catalogue else ("auto",):
            self._add_setting(menu, device, device == self._device, partial(self.place, device, self._dtype))
        _heading(menu, self.tr("Number format"))
        for dtype in catalogue.dtypes if catalogue else ("auto",):
            self._add_setting(menu, dtype, dtype == self._dtype, partial(self.place, self._device, dtype))

    def _add_setting(self, menu: QMenu, label: str, checked: bool, choose: Callable[[], None]) -> None:
        action = menu.addAction(self.tr("automatic") if label == "auto" else label, choose)
        action.setCheckable(True)
        action.setChecked(checked)

    def place(self, device: str, dtype: str) -> None:
        """Open models there and in this number format from now on, and the one that is open again."""
        self._device, self._dtype = device, dtype
        model = self._state.model
        if model is not None and model.source:  # one that somebody had in memory stays where it is
            self.load(model.source)


def _heading(menu: QMenu, text: str) -> None:
    label = Label(text)
    label.setObjectName("hint")
    action = QWidgetAction(menu)
    action.setDefaultWidget(label)
    action.setEnabled(False)
    menu.addAction(action)
