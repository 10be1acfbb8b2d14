"""The menus, in the order of the menu bar."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Menu
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

MENUS: Final = {
    "file": Menu(QT_TRANSLATE_NOOP("commands", "&File")),
    "edit": Menu(QT_TRANSLATE_NOOP("commands", "&Edit")),
    "run": Menu(QT_TRANSLATE_NOOP("commands", "&Run")),
    "heads": Menu(QT_TRANSLATE_NOOP("commands", "He&ads")),
    "sorting": Menu(QT_TRANSLATE_NOOP("commands", "Sort by"), "heads"),
    "head_types": Menu(QT_TRANSLATE_NOOP("commands", "Show only"), "heads"),
    "view": Menu(QT_TRANSLATE_NOOP("commands", "&View")),
    "views": Menu(QT_TRANSLATE_NOOP("commands", "Views"), "view"),
    "layout": Menu(QT_TRANSLATE_NOOP("commands", "Layout"), "view"),
    "units": Menu(QT_TRANSLATE_NOOP("commands", "Tokens and words"), "view"),
    "pairing": Menu(QT_TRANSLATE_NOOP("commands", "Sentence pairs"), "view"),
    "scales": Menu(QT_TRANSLATE_NOOP("commands", "Heatmap scale"), "view"),
    "colors": Menu(QT_TRANSLATE_NOOP("commands", "Colour map"), "view"),
    "links": Menu(QT_TRANSLATE_NOOP("commands", "Links"), "view"),
    "text": Menu(QT_TRANSLATE_NOOP("commands", "Text colours"), "view"),
    "appearance": Menu(QT_TRANSLATE_NOOP("commands", "Appearance"), "view"),
    "examples": Menu(QT_TRANSLATE_NOOP("commands", "E&xamples")),
    "help": Menu(QT_TRANSLATE_NOOP("commands", "&Help")),
}
"""In the order of the menu bar; a menu inside another comes before the other's own commands."""
