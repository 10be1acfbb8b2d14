"""Preferences: what the user set, kept for the next start. Values that are damaged count as not set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject, QSettings, Signal, Slot

from headscope.gui.paint.fonts import typefaces
from headscope.gui.paint.theme import INTER
from headscope.gui.session.kept_picture import forget_picture

LOOKS: Final = ("system", "light", "dark")
TYPE_SIZES: Final = (80, 90, 100, 110, 125, 150, 175, 200)
"""Hundredths of the designed size."""
DTYPES: Final = ("auto", "float32", "float16", "bfloat16")
CACHE_SIZES: Final = (64, 128, 256, 512, 1024, 2048, 4096)
"""MiB of heads that were looked at, kept to be seen again at once."""


class _Everyone(QObject):
    """Tells all windows of this process that have the same file of settings.

    Signals
    -------
    changed(str, str)
        The file, and the name of the value that was set.
    """

    changed = Signal(str, str)


_everyone = _Everyone()


class Preferences(QObject):
    """The settings dialog's values, the same in all windows.

    Signals
    -------
    changed(str)
        The name of the value that was set.
    """

    changed = Signal(str)

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        _everyone.changed.connect(self._on_set)

    @property
    def look(self) -> str:
        """One of `LOOKS`."""
        return self._choice("appearance", LOOKS, "system")

    @look.setter
    def look(self, look: str) -> None:
        self._keep("appearance", look, "look")

    @property
    def typeface(self) -> str:
        """One of `typefaces()`; Inter as long as the one that was chosen is not on this computer."""
        kept = self._settings.value("typeface")
        return kept if isinstance(kept, str) and kept in typefaces() else INTER

    @typeface.setter
    def typeface(self, family: str) -> None:
        self._keep("typeface", family, "typeface")

    @property
    def type_size(self) -> int:
        """One of `TYPE_SIZES`."""
        return self._number("type_size", TYPE_SIZES, 100)

    @type_size.setter
    def type_size(self, percent: int) -> None:
        self._keep("type_size", percent, "type_size")

    @property
    def device(self) -> str:
        """Where models are opened: "auto", or a name that torch understands; one that is not there is an error when a model is."""
        kept = self._settings.value("models/device")
        return kept if isinstance(kept, str) and kept.replace(":", "").isalnum() else "auto"

    @device.setter
    def device(self, device: str) -> None:
        self._keep("models/device", device, "device")

    @property
    def dtype(self) -> str:
        """One of `DTYPES`."""
        return self._choice("models/dtype", DTYPES, "auto")

    @dtype.setter
    def dtype(self, dtype: str) -> None:
        self._keep("models/dtype", dtype, "dtype")

    @property
    def cache_size(self) -> int:
        """One of `CACHE_SIZES`."""
        return self._number("cache_size", CACHE_SIZES, 256)

    @cache_size.setter
    def cache_size(self, mebibytes: int) -> None:
        self._keep("cache_size", mebibytes, "cache_size")

    @property
    def keep_picture(self) -> bool:
        """Whether the last picture, with its text, is kept for the next start."""
        return self._choice("keep_picture", ("yes", "no"), "yes") == "yes"

    @keep_picture.setter
    def keep_picture(self, keep: bool) -> None:
        self._keep("keep_picture", "yes" if keep else "no", "keep_picture")
        if not keep:
            forget_picture(self._settings)

    def _keep(self, key: str, value: object, name: str) -> None:
        self._settings.setValue(key, value)
        _everyone.changed.emit(self._settings.fileName(), name)

    @Slot(str, str)
    def _on_set(self, file: str, name: str) -> None:
        if file == self._settings.fileName():
            self.changed.emit(name)

    def _choice(self, key: str, choices: Sequence[str], otherwise: str) -> str:
        kept = self._settings.value(key)
        return kept if isinstance(kept, str) and kept in choices else otherwise

    def _number(self, key: str, choices: Sequence[int], otherwise: int) -> int:
        kept = self._settings.value(key)
        number = int(kept) if isinstance(kept, str | int) and str(kept).isdecimal() else otherwise
        return number if number in choices else otherwise
