"""Words that are translated where they are shown: marked here for Qt's tools, which read sources and need no Qt."""

from __future__ import annotations


def QT_TRANSLATE_NOOP(_context: str, text: str) -> str:
    """Marks `text` for translators, who find it by this function's name; it stays English until it is shown."""
    return text
