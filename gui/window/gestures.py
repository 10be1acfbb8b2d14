"""Gestures: what mouse and keys do inside each view, for the sheet of shortcuts. The views themselves do them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication

from headscope.gui.words.translating import QT_TRANSLATE_NOOP


@dataclass(frozen=True, slots=True)
class Gesture:
    """Where, how and to what end, in English; the context is "gestures"."""

    view: str
    how: str
    what: str

    @property
    def words(self) -> tuple[str, str, str]:
        """The three in the user's language."""
        translate = QCoreApplication.translate
        return translate("gestures", self.view), translate("gestures", self.how), translate("gestures", self.what)


_TEXT = QT_TRANSLATE_NOOP("gestures", "Text and tokens")
_HEADS = QT_TRANSLATE_NOOP("gestures", "Heads")
_HEATMAP = QT_TRANSLATE_NOOP("gestures", "Heatmap")
_LINKS = QT_TRANSLATE_NOOP("gestures", "Links")
_ARITHMETIC = QT_TRANSLATE_NOOP("gestures", "Arithmetic")
_READING = QT_TRANSLATE_NOOP("gestures", "Text view and heads by token")
_NUMBERS = QT_TRANSLATE_NOOP("gestures", "Predictions and generation")
_WINDOW = QT_TRANSLATE_NOOP("gestures", "Window")

# fmt: off
GESTURES: Final = (
    Gesture(_TEXT, QT_TRANSLATE_NOOP("gestures", "Enter"), QT_TRANSLATE_NOOP("gestures", "Run the text")),
    Gesture(_TEXT, QT_TRANSLATE_NOOP("gestures", "Shift+Enter"), QT_TRANSLATE_NOOP("gestures", "Start a new line")),
    Gesture(_TEXT, QT_TRANSLATE_NOOP("gestures", "Click a token"),
            QT_TRANSLATE_NOOP("gestures", "Mask it, or restore the word; without a masked model: pin it")),
    Gesture(_TEXT, QT_TRANSLATE_NOOP("gestures", "Shift+click a token"), QT_TRANSLATE_NOOP("gestures", "Pin it")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Click a head"), QT_TRANSLATE_NOOP("gestures", "Select it")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a head"),
            QT_TRANSLATE_NOOP("gestures", "Add it to the links, or remove it")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Click a layer's number, A"),
            QT_TRANSLATE_NOOP("gestures", "Collapse the layer to the average of its heads, or expand it")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Arrow keys"), QT_TRANSLATE_NOOP("gestures", "Move from head to head")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Point at a cell"),
            QT_TRANSLATE_NOOP("gestures", "Show its exact weight; the same tokens light up in every view")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Click a cell"), QT_TRANSLATE_NOOP("gestures", "Pin or unpin it")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a label"),
            QT_TRANSLATE_NOOP("gestures", "Select a row or a column to compare or sum")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Wheel, + and −"), QT_TRANSLATE_NOOP("gestures", "Zoom")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Drag"), QT_TRANSLATE_NOOP("gestures", "Pan")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Shift+drag"), QT_TRANSLATE_NOOP("gestures", "Zoom to a rectangle")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Drag an end of the colour bar, Page Up and Page Down"),
            QT_TRANSLATE_NOOP("gestures", "Move the upper end of the colour range, with Shift the lower; double-click or Home resets it")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Double-click, 0"), QT_TRANSLATE_NOOP("gestures", "Fit all")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Arrow keys, Enter, Esc"),
            QT_TRANSLATE_NOOP("gestures", "Move from cell to cell, pin, unpin")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Point at a token"),
            QT_TRANSLATE_NOOP("gestures", "Show only its links: on the left what it attends to, on the right what attends to it")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Click a token"), QT_TRANSLATE_NOOP("gestures", "Pin or unpin it")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a token"),
            QT_TRANSLATE_NOOP("gestures", "Add it to the selection: all their links stay, numbers are sums")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Click a head in the legend"),
            QT_TRANSLATE_NOOP("gestures", "Hide or show its links; double-click to show it alone, again to show all")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Arrow keys, Enter, Esc"),
            QT_TRANSLATE_NOOP("gestures", "Move from token to token, pin, unpin")),
    Gesture(_ARITHMETIC, QT_TRANSLATE_NOOP("gestures", "Point at a bar, ← and →"),
            QT_TRANSLATE_NOOP("gestures", "Show the numbers of one dimension")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Click a word or a token"),
            QT_TRANSLATE_NOOP("gestures", "Pin or unpin it")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a word"),
            QT_TRANSLATE_NOOP("gestures", "Add it to the selection, to be summed")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Point at a column"), QT_TRANSLATE_NOOP("gestures", "Preview the head")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Click a head of the strip"),
            QT_TRANSLATE_NOOP("gestures", "Select it; with Ctrl, add it")),
    Gesture(_NUMBERS, QT_TRANSLATE_NOOP("gestures", "Click a candidate"),
            QT_TRANSLATE_NOOP("gestures", "Put it into the text and run")),
    Gesture(_NUMBERS, QT_TRANSLATE_NOOP("gestures", "Click a generated token"),
            QT_TRANSLATE_NOOP("gestures", "Show its alternatives; choosing one continues from there")),
    Gesture(_WINDOW, QT_TRANSLATE_NOOP("gestures", "Drag a view's title"),
            QT_TRANSLATE_NOOP("gestures", "Dock it beside or onto another, or float it")),
    Gesture(_WINDOW, QT_TRANSLATE_NOOP("gestures", "Drop a file"),
            QT_TRANSLATE_NOOP("gestures", "Open a text file, a model's folder or a .gguf file")),
)
# fmt: on
