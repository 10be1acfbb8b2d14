"""Commands on the text and on what is pinned."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command, has_picture
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.words.changes import redo_words, undo_words
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _has_marks(state: Session) -> bool:
    return state.pinned != Cell() or state.marks != Marks()


# fmt: off
EDIT: Final = (
    Command("undo", "edit", QT_TRANSLATE_NOOP("commands", "Undo"), "Ctrl+Z",
            QT_TRANSLATE_NOOP("commands", "Undo the last change to the text or the selection, wherever the cursor is."),
            lambda c: c.window.undo(), lambda s: s.undoable > 0, words_now=lambda s: undo_words(s.undo_of)),
    Command("redo", "edit", QT_TRANSLATE_NOOP("commands", "Redo"), "Ctrl+Shift+Z Ctrl+Y",
            QT_TRANSLATE_NOOP("commands", "Redo the last change that was undone."),
            lambda c: c.window.redo(), lambda s: s.redoable > 0, words_now=lambda s: redo_words(s.redo_of)),
    Command("edit_text", "edit", QT_TRANSLATE_NOOP("commands", "Edit the text"), "Ctrl+T",
            QT_TRANSLATE_NOOP("commands", "Put the cursor into the text."),
            lambda c: c.window.edit_text(), separated=True),
    Command("find", "edit", QT_TRANSLATE_NOOP("commands", "Find in the text…"), "Ctrl+F",
            QT_TRANSLATE_NOOP("commands", "Find words in the text and mark every match; Enter moves to the next one, Shift+Enter to the previous one."),
            lambda c: c.window.find_in_text(), has_picture),
    Command("clear_marks", "edit", QT_TRANSLATE_NOOP("commands", "Clear pins and marks"), "Ctrl+Shift+X",
            QT_TRANSLATE_NOOP("commands", "Unpin the cell and deselect all rows and columns."),
            lambda c: c.session.update(pinned=Cell(), marks=Marks()), _has_marks),
    Command("palette", "edit", QT_TRANSLATE_NOOP("commands", "Find a command…"), "Ctrl+K Ctrl+Shift+P",
            QT_TRANSLATE_NOOP("commands", "Type part of any command, head, layout, example or model, and press Enter."),
            lambda c: c.window.show_palette(), separated=True),
    Command("settings", "edit", QT_TRANSLATE_NOOP("commands", "Settings…"), "Ctrl+,",
            QT_TRANSLATE_NOOP("commands", "Theme, typeface, type size, colours, device and memory; applied at once and remembered."),
            lambda c: c.window.show_settings(), separated=True),
)
# fmt: on
