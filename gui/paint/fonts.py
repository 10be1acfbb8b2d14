"""The bundled typeface, made known to Qt once."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QFontDatabase

from headscope.resources import font_files


@cache
def load_fonts() -> None:
    """Make Inter available to every painter; needs an application object."""
    for path in font_files():
        QFontDatabase.addApplicationFont(str(path))
