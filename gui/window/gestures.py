"""What mouse and keys do outside of the views, for the sheet of shortcuts."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.gesture import Gesture
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
GESTURES: Final = {
    QT_TRANSLATE_NOOP("gestures", "Text and tokens"): (
        Gesture(QT_TRANSLATE_NOOP("gestures", "Enter"), QT_TRANSLATE_NOOP("gestures", "Run the text")),
        Gesture(QT_TRANSLATE_NOOP("gestures", "Shift+Enter"), QT_TRANSLATE_NOOP("gestures", "Start a new line")),
        Gesture(QT_TRANSLATE_NOOP("gestures", "Click a token"),
                QT_TRANSLATE_NOOP("gestures", "Mask it, or restore the word; without a masked language model, pin it")),
        Gesture(QT_TRANSLATE_NOOP("gestures", "Shift+click a token"), QT_TRANSLATE_NOOP("gestures", "Pin it")),
    ),
    QT_TRANSLATE_NOOP("gestures", "Window"): (
        Gesture(QT_TRANSLATE_NOOP("gestures", "Drag a view's title"),
                QT_TRANSLATE_NOOP("gestures", "Dock it beside or onto another, or float it")),
        Gesture(QT_TRANSLATE_NOOP("gestures", "Right-click a tab"),
                QT_TRANSLATE_NOOP("gestures", "Float or close the view; double-click floats it")),
        Gesture(QT_TRANSLATE_NOOP("gestures", "Drop a file"),
                QT_TRANSLATE_NOOP("gestures", "Open a text file, a model's folder or a .gguf file")),
    ),
}
# fmt: on
