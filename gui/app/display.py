"""Checks that there is a display, so that an error is raised before Qt would abort."""

from __future__ import annotations

import os
import sys

from headscope.core.errors import HeadscopeError

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def require_display() -> None:
    """Raise HeadscopeError(``no_display``) where there is none."""
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _SCREENS):
        raise HeadscopeError("no_display")
