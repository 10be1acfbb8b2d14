"""Commands on files."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command, has_picture
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
FILE: Final = (
    Command("open_name", "file", QT_TRANSLATE_NOOP("commands", "Choose a model…"), "Ctrl+M",
            QT_TRANSLATE_NOOP("commands", "Open the model list, ready for a Hugging Face name."),
            lambda c: c.window.ask_model("name")),
    Command("open_folder", "file", QT_TRANSLATE_NOOP("commands", "Open model folder…"), "Ctrl+O",
            QT_TRANSLATE_NOOP("commands", "Open a model from a folder with its configuration, weights and tokenizer."),
            lambda c: c.window.ask_model("folder")),
    Command("open_gguf", "file", QT_TRANSLATE_NOOP("commands", "Open GGUF file…"), "Ctrl+Shift+O",
            QT_TRANSLATE_NOOP("commands", "Open a model from a single .gguf file."),
            lambda c: c.window.ask_model("gguf")),
    Command("refresh", "file", QT_TRANSLATE_NOOP("commands", "Refresh model list"), "",
            QT_TRANSLATE_NOOP("commands", "Search this computer for models again."),
            lambda c: c.explorer.refresh_catalogue()),
    Command("open_text", "file", QT_TRANSLATE_NOOP("commands", "Open text file…"), "",
            QT_TRANSLATE_NOOP("commands", "Replace the text with a file's; you can also drop a file on the window."),
            lambda c: c.window.ask_text_file(), separated=True),
    Command("export", "file", QT_TRANSLATE_NOOP("commands", "Export…"), "Ctrl+E",
            QT_TRANSLATE_NOOP("commands", "Write the heatmap or the links as PNG, SVG or PDF, or the numbers as CSV or NPZ."),
            lambda c: c.window.export(), has_picture, separated=True),
    Command("quit", "file", QT_TRANSLATE_NOOP("commands", "Quit"), "Ctrl+Q",
            QT_TRANSLATE_NOOP("commands", "Close the window; layout, settings and recent texts are remembered."),
            lambda c: c.window.close_soon(), separated=True),
)
# fmt: on
