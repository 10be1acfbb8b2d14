"""What Undo and Redo say they take back or do again, in whole sentences."""

from __future__ import annotations

from collections.abc import Sequence
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
    "units": (QT_TRANSLATE_NOOP("changes", "Undo choose units"), QT_TRANSLATE_NOOP("changes", "Redo choose units")),
    "source": (QT_TRANSLATE_NOOP("changes", "Undo choose run"), QT_TRANSLATE_NOOP("changes", "Redo choose run")),
    "step": (QT_TRANSLATE_NOOP("changes", "Undo choose step"), QT_TRANSLATE_NOOP("changes", "Redo choose step")),
    "pinned": (QT_TRANSLATE_NOOP("changes", "Undo pin"), QT_TRANSLATE_NOOP("changes", "Redo pin")),
    "unpinned": (QT_TRANSLATE_NOOP("changes", "Undo unpin"), QT_TRANSLATE_NOOP("changes", "Redo unpin")),
    "find": (QT_TRANSLATE_NOOP("changes", "Undo find"), QT_TRANSLATE_NOOP("changes", "Redo find")),
    "marks": (QT_TRANSLATE_NOOP("changes", "Undo select rows and columns"),
              QT_TRANSLATE_NOOP("changes", "Redo select rows and columns")),
    "lens": (QT_TRANSLATE_NOOP("changes", "Undo choose lens"), QT_TRANSLATE_NOOP("changes", "Redo choose lens")),
    "pairing": (QT_TRANSLATE_NOOP("changes", "Undo choose sentences"), QT_TRANSLATE_NOOP("changes", "Redo choose sentences")),
    "head_order": (QT_TRANSLATE_NOOP("changes", "Undo sort or filter heads"),
                   QT_TRANSLATE_NOOP("changes", "Redo sort or filter heads")),
    "pooling": (QT_TRANSLATE_NOOP("changes", "Undo heads settings"), QT_TRANSLATE_NOOP("changes", "Redo heads settings")),
    "views": (QT_TRANSLATE_NOOP("changes", "Undo view settings"), QT_TRANSLATE_NOOP("changes", "Redo view settings")),
    "reset views": (QT_TRANSLATE_NOOP("changes", "Undo reset view settings"),
                    QT_TRANSLATE_NOOP("changes", "Redo reset view settings")),
    "views.heads": (QT_TRANSLATE_NOOP("changes", "Undo heads settings"), QT_TRANSLATE_NOOP("changes", "Redo heads settings")),
    "views.heatmap": (QT_TRANSLATE_NOOP("changes", "Undo heatmap settings"),
                      QT_TRANSLATE_NOOP("changes", "Redo heatmap settings")),
    "views.links": (QT_TRANSLATE_NOOP("changes", "Undo links settings"), QT_TRANSLATE_NOOP("changes", "Redo links settings")),
    "views.text": (QT_TRANSLATE_NOOP("changes", "Undo text settings"), QT_TRANSLATE_NOOP("changes", "Redo text settings")),
    "views.heads_by_token": (QT_TRANSLATE_NOOP("changes", "Undo heads by token settings"),
                             QT_TRANSLATE_NOOP("changes", "Redo heads by token settings")),
    "views.arithmetic": (QT_TRANSLATE_NOOP("changes", "Undo arithmetic settings"),
                         QT_TRANSLATE_NOOP("changes", "Redo arithmetic settings")),
    "views.predictions": (QT_TRANSLATE_NOOP("changes", "Undo predictions settings"),
                          QT_TRANSLATE_NOOP("changes", "Redo predictions settings")),
    "views.logit_lens": (QT_TRANSLATE_NOOP("changes", "Undo logit lens settings"),
                         QT_TRANSLATE_NOOP("changes", "Redo logit lens settings")),
    "views.generation": (QT_TRANSLATE_NOOP("changes", "Undo generation settings"),
                         QT_TRANSLATE_NOOP("changes", "Redo generation settings")),
    "views.film_strip": (QT_TRANSLATE_NOOP("changes", "Undo film strip settings"),
                         QT_TRANSLATE_NOOP("changes", "Redo film strip settings")),
}
"""For each name of a change: what the command is called that takes it back, and that does it again."""
# fmt: on


def name_of_views(ids: Sequence[str]) -> str:
    """What a change is called in which these views were set otherwise."""
    name = f"views.{ids[0]}"
    return name if len(ids) == 1 and name in CHANGES else "views"


def undo_words(name: str) -> str:
    """What Undo is called while it takes back this change."""
    return QCoreApplication.translate("changes", CHANGES[name][0])


def redo_words(name: str) -> str:
    """What Redo is called while it makes this change again."""
    return QCoreApplication.translate("changes", CHANGES[name][1])
