"""Gestures: what mouse and keys do inside each view, for the sheet of shortcuts. The views themselves do them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication

from headscope.gui.translating import QT_TRANSLATE_NOOP


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
    Gesture(_TEXT, QT_TRANSLATE_NOOP("gestures", "Shift+Enter"), QT_TRANSLATE_NOOP("gestures", "Begin a new line")),
    Gesture(_TEXT, QT_TRANSLATE_NOOP("gestures", "Click a token"),
            QT_TRANSLATE_NOOP("gestures", "Mask it, or put the word back; of a model without masks: pin it")),
    Gesture(_TEXT, QT_TRANSLATE_NOOP("gestures", "Shift+click a token"), QT_TRANSLATE_NOOP("gestures", "Pin it")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Click a head"), QT_TRANSLATE_NOOP("gestures", "Look at it")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a head"),
            QT_TRANSLATE_NOOP("gestures", "Draw it beside the others in the links, or no longer")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Click a layer's number, A"),
            QT_TRANSLATE_NOOP("gestures", "Fold the layer into the average of its heads, or unfold it")),
    Gesture(_HEADS, QT_TRANSLATE_NOOP("gestures", "Arrow keys"), QT_TRANSLATE_NOOP("gestures", "Move from head to head")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Point at a cell"),
            QT_TRANSLATE_NOOP("gestures", "Its exact weight; the same tokens light up in every view")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Click a cell"), QT_TRANSLATE_NOOP("gestures", "Pin it, or let it go")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a label"),
            QT_TRANSLATE_NOOP("gestures", "Pick out a row or a column, to be compared or summed")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Wheel, + and −"), QT_TRANSLATE_NOOP("gestures", "Zoom")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Drag"), QT_TRANSLATE_NOOP("gestures", "Move what is zoomed in on")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Shift+drag"), QT_TRANSLATE_NOOP("gestures", "Zoom to a rectangle")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Drag an end of the colour bar, Page Up and Page Down"),
            QT_TRANSLATE_NOOP("gestures", "Move the upper end of the colours, with Shift the lower; double-click or Home resets")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Double-click, 0"), QT_TRANSLATE_NOOP("gestures", "Show everything again")),
    Gesture(_HEATMAP, QT_TRANSLATE_NOOP("gestures", "Arrow keys, Enter, Esc"),
            QT_TRANSLATE_NOOP("gestures", "Move from cell to cell, pin, let go")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Point at a token"),
            QT_TRANSLATE_NOOP("gestures", "Only its links: at the left what it looks at, at the right what looks at it")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Click a token"), QT_TRANSLATE_NOOP("gestures", "Pin it, or let it go")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a token"),
            QT_TRANSLATE_NOOP("gestures", "Pick it out beside others: their links stay, the numbers are sums")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Click a head in the legend"),
            QT_TRANSLATE_NOOP("gestures", "Hide or show its links; a double click shows it alone, another all again")),
    Gesture(_LINKS, QT_TRANSLATE_NOOP("gestures", "Arrow keys, Enter, Esc"),
            QT_TRANSLATE_NOOP("gestures", "Move from token to token, pin, let go")),
    Gesture(_ARITHMETIC, QT_TRANSLATE_NOOP("gestures", "Point at a bar, ← and →"),
            QT_TRANSLATE_NOOP("gestures", "The numbers of one dimension")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Click a word or a token"),
            QT_TRANSLATE_NOOP("gestures", "Pin it, or let it go")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Ctrl+click a word"),
            QT_TRANSLATE_NOOP("gestures", "Pick it out beside others, to be summed")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Point at a column"), QT_TRANSLATE_NOOP("gestures", "Preview the head")),
    Gesture(_READING, QT_TRANSLATE_NOOP("gestures", "Click a head of the strip"),
            QT_TRANSLATE_NOOP("gestures", "Look at it; with Ctrl beside the others")),
    Gesture(_NUMBERS, QT_TRANSLATE_NOOP("gestures", "Click a candidate"),
            QT_TRANSLATE_NOOP("gestures", "Put it into the text and run")),
    Gesture(_NUMBERS, QT_TRANSLATE_NOOP("gestures", "Click a written token"),
            QT_TRANSLATE_NOOP("gestures", "Its rivals; choosing one goes on from there with it")),
    Gesture(_WINDOW, QT_TRANSLATE_NOOP("gestures", "Drag a view's title"),
            QT_TRANSLATE_NOOP("gestures", "Move it beside or onto another, or out of the window")),
    Gesture(_WINDOW, QT_TRANSLATE_NOOP("gestures", "Drop a file"),
            QT_TRANSLATE_NOOP("gestures", "Open a text file, a model's folder or a .gguf file")),
)
# fmt: on
