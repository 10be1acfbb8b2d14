"""SettingsDialog: what the user likes, applied at once and kept for the next start."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QPushButton, QVBoxLayout, QWidget

from headscope.core.errors import readable_bytes
from headscope.gui.paint.fonts import typefaces
from headscope.gui.session.preferences import CACHE_SIZES, DTYPES, LOOKS, TYPE_SIZES, Preferences
from headscope.gui.session.recent_prompts import RecentPrompts
from headscope.gui.session.session import Session
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.window.typeface_box import TypefaceBox


class SettingsDialog(QDialog):
    """A row for each preference."""

    def __init__(self, state: Session, preferences: Preferences, recent_texts: RecentPrompts, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._preferences = preferences
        self._boxes: dict[str, QComboBox] = {}
        self._recent_texts = recent_texts
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(24)
        self._form.setVerticalSpacing(12)
        automatic = self.tr("automatic")
        looks = {"system": self.tr("system"), "light": self.tr("light"), "dark": self.tr("dark")}
        devices = state.catalogue.devices if state.catalogue is not None else ("auto",)
        devices = tuple(dict.fromkeys(("auto", *devices, preferences.device)))  # one that is away today stays chosen
        self.look = self._row(self.tr("Appearance"), "look", [(look, looks[look]) for look in LOOKS])
        self.typeface = TypefaceBox(typefaces())
        self._add(
            self.tr("Typeface"), "typeface", self.typeface,
            self.tr("Typeface of the window; type part of a name to find one. Exported pictures always use Inter."),
        )  # fmt: skip
        self.type_size = self._row(self.tr("Type size"), "type_size", [(size, f"{size}%") for size in TYPE_SIZES])
        self.device = self._row(
            self.tr("Device"), "device", [(name, automatic if name == "auto" else name) for name in devices],
            self.tr("Device that models run on; the open model moves there."),
        )  # fmt: skip
        self.dtype = self._row(
            self.tr("Number format"), "dtype", [(name, automatic if name == "auto" else name) for name in DTYPES],
            self.tr("Number format of the weights; the open model is reloaded."),
        )  # fmt: skip
        self.cache_size = self._row(
            self.tr("Cache for heads"), "cache_size", [(size, readable_bytes(size * 2**20)) for size in CACHE_SIZES],
            self.tr("Heads you have viewed are cached up to this size, to reappear without delay."),
        )  # fmt: skip
        self.keep_picture = self._row(
            self.tr("Last picture"), "keep_picture", [(True, self.tr("shown at the next start")), (False, self.tr("not kept"))],
            self.tr("The head you viewed last is kept in a small file with its text, to be shown at once at the next start."),
        )  # fmt: skip
        preferences.changed.connect(self._follow)
        self.forget = QPushButton(self.tr("Clear recent texts"))
        self.forget.setToolTip(self.tr("Clear the list of recent texts"))
        self.forget.clicked.connect(self._forget)
        self.forget.setEnabled(bool(recent_texts.texts))
        self._form.addRow("", self.forget)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        said = Label(self.tr("Changes apply at once and are remembered."))
        said.setObjectName("muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(16)
        column.addLayout(self._form)
        column.addWidget(said)
        column.addWidget(buttons)

    def _row(self, title: str, name: str, choices: Iterable[tuple[object, str]], hint: str = "") -> QComboBox:
        box = QComboBox()
        for value, words in choices:
            box.addItem(words, value)
        self._add(title, name, box, hint)
        return box

    def _add(self, title: str, name: str, box: QComboBox, hint: str) -> None:
        box.setCurrentIndex(max(0, box.findData(getattr(self._preferences, name))))
        box.setAccessibleName(title)
        box.setToolTip(plain(hint))
        box.activated.connect(self._keeper(name, box))
        self._boxes[name] = box
        self._form.addRow(title, box)

    def _keeper(self, name: str, box: QComboBox) -> Callable[[int], None]:
        return lambda _index: setattr(self._preferences, name, box.currentData(Qt.ItemDataRole.UserRole))

    @Slot(str)
    def _follow(self, name: str) -> None:
        """A preference was set elsewhere."""
        box = self._boxes[name]
        box.setCurrentIndex(max(0, box.findData(getattr(self._preferences, name))))

    @Slot()
    def _forget(self) -> None:
        self._recent_texts.forget()
        self.forget.setEnabled(False)
