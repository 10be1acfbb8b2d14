"""What Undo and Redo say they take back or do again, in whole sentences."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication

from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
CHANGES: Final = {
    "": (QT_TRANSLATE_NOOP("changes", "Undo"), QT_TRANSLATE_NOOP("changes", "Redo")),
    "open model": (QT_TRANSLATE_NOOP("changes", "Undo open model"), QT_TRANSLATE_NOOP("changes", "Redo open model")),
    "example": (QT_TRANSLATE_NOOP("changes", "Undo choose example"), QT_TRANSLATE_NOOP("changes", "Redo choose example")),
    "open text": (QT_TRANSLATE_NOOP("changes", "Undo replace text"), QT_TRANSLATE_NOOP("changes", "Redo replace text")),
    "shorten": (QT_TRANSLATE_NOOP("changes", "Undo shorten text"), QT_TRANSLATE_NOOP("changes", "Redo shorten text")),
    "mask": (QT_TRANSLATE_NOOP("changes", "Undo mask token"), QT_TRANSLATE_NOOP("changes", "Redo mask token")),
    "candidate": (QT_TRANSLATE_NOOP("changes", "Undo choose candidate"), QT_TRANSLATE_NOOP("changes", "Redo choose candidate")),
    "generate": (QT_TRANSLATE_NOOP("changes", "Undo generate"), QT_TRANSLATE_NOOP("changes", "Redo generate")),
    "fill": (QT_TRANSLATE_NOOP("changes", "Undo fill masks"), QT_TRANSLATE_NOOP("changes", "Redo fill masks")),
    "branch": (QT_TRANSLATE_NOOP("changes", "Undo choose branch"), QT_TRANSLATE_NOOP("changes", "Redo choose branch")),
    "text": (QT_TRANSLATE_NOOP("changes", "Undo typing"), QT_TRANSLATE_NOOP("changes", "Redo typing")),
    "head": (QT_TRANSLATE_NOOP("changes", "Undo choose head"), QT_TRANSLATE_NOOP("changes", "Redo choose head")),
    "heads": (QT_TRANSLATE_NOOP("changes", "Undo choose heads"), QT_TRANSLATE_NOOP("changes", "Redo choose heads")),
    "kind": (QT_TRANSLATE_NOOP("changes", "Undo choose attention"), QT_TRANSLATE_NOOP("changes", "Redo choose attention")),
    "reading": (QT_TRANSLATE_NOOP("changes", "Undo choose units"), QT_TRANSLATE_NOOP("changes", "Redo choose units")),
    "step": (QT_TRANSLATE_NOOP("changes", "Undo choose step"), QT_TRANSLATE_NOOP("changes", "Redo choose step")),
    "pinned": (QT_TRANSLATE_NOOP("changes", "Undo pin"), QT_TRANSLATE_NOOP("changes", "Redo pin")),
    "unpinned": (QT_TRANSLATE_NOOP("changes", "Undo unpin"), QT_TRANSLATE_NOOP("changes", "Redo unpin")),
    "marks": (QT_TRANSLATE_NOOP("changes", "Undo select rows and columns"),
              QT_TRANSLATE_NOOP("changes", "Redo select rows and columns")),
    "lens": (QT_TRANSLATE_NOOP("changes", "Undo choose lens"), QT_TRANSLATE_NOOP("changes", "Redo choose lens")),
    "pairing": (QT_TRANSLATE_NOOP("changes", "Undo choose sentences"), QT_TRANSLATE_NOOP("changes", "Redo choose sentences")),
    "color_map": (QT_TRANSLATE_NOOP("changes", "Undo choose colours"), QT_TRANSLATE_NOOP("changes", "Redo choose colours")),
    "head_order": (QT_TRANSLATE_NOOP("changes", "Undo sort or filter heads"),
                   QT_TRANSLATE_NOOP("changes", "Redo sort or filter heads")),
}
"""For each name of a change: what the command is called that takes it back, and that does it again."""
# fmt: on


def undo_words(name: str) -> str:
    """What Undo is called while it takes back this change."""
    return QCoreApplication.translate("changes", CHANGES[name][0])


def redo_words(name: str) -> str:
    """What Redo is called while it makes this change again."""
    return QCoreApplication.translate("changes", CHANGES[name][1])
