"""Words that are translated later, where they are shown: marked for Qt's tools to find."""

from __future__ import annotations


def QT_TRANSLATE_NOOP(_context: str, text: str) -> str:
    """Marks `text` for translators, who find it by this function's name; translated where shown. (Qt's own is untyped.)"""
    return text
