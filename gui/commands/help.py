"""Commands that explain."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
HELP: Final = (
    Command("shortcuts", "help", QT_TRANSLATE_NOOP("commands", "Shortcuts"), "F1",
            QT_TRANSLATE_NOOP("commands", "All keyboard shortcuts and mouse gestures, view by view."), lambda c: c.window.show_shortcuts()),
    Command("about", "help", QT_TRANSLATE_NOOP("commands", "About Headscope"), "",
            QT_TRANSLATE_NOOP("commands", "Version and licence."), lambda c: c.window.show_about()),
)
# fmt: on
