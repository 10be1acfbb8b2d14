"""Commands on the window: its theme, its type size, presentation."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command
from headscope.gui.context import Context
from headscope.gui.session.views_of_session import default_views, has_default_views
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _look(choice: str, title: str, help_: str) -> Command:
    return Command(
        f"look_{choice}",
        "appearance",
        title,
        "",
        help_,
        lambda c: c.appearance.choose(choice),
        checked=lambda c: c.appearance.choice == choice,
    )


def _reset_views(context: Context) -> None:
    with context.session.doing("reset views"):
        context.session.update(**default_views())


# fmt: off
LOOKS: Final = (
    _look("system", QT_TRANSLATE_NOOP("commands", "System"),
          QT_TRANSLATE_NOOP("commands", "Follow the desktop's light or dark setting.")),
    _look("light", QT_TRANSLATE_NOOP("commands", "Light"), QT_TRANSLATE_NOOP("commands", "Dark on light.")),
    _look("dark", QT_TRANSLATE_NOOP("commands", "Dark"), QT_TRANSLATE_NOOP("commands", "Light on dark.")),
)
# fmt: on


# fmt: off
SCREEN: Final = (
    Command("next_view", "view", QT_TRANSLATE_NOOP("commands", "Next view"), "F6",
            QT_TRANSLATE_NOOP("commands", "Move the keyboard focus to the next view."), lambda c: c.window.focus_next_view(1), separated=True),
    Command("previous_view", "view", QT_TRANSLATE_NOOP("commands", "Previous view"), "Shift+F6",
            QT_TRANSLATE_NOOP("commands", "Move the keyboard focus to the previous view."), lambda c: c.window.focus_next_view(-1)),
    Command("larger_type", "view", QT_TRANSLATE_NOOP("commands", "Larger type"), "Ctrl++ Ctrl+=",
            QT_TRANSLATE_NOOP("commands", "Make all text larger."), lambda c: c.appearance.step_type(1),
            separated=True),
    Command("smaller_type", "view", QT_TRANSLATE_NOOP("commands", "Smaller type"), "Ctrl+-",
            QT_TRANSLATE_NOOP("commands", "Make all text smaller."), lambda c: c.appearance.step_type(-1)),
    Command("usual_type", "view", QT_TRANSLATE_NOOP("commands", "Default type size"), "Ctrl+0",
            QT_TRANSLATE_NOOP("commands", "Show all text in its default size."), lambda c: c.appearance.choose_type(100)),
    Command("reset_views", "view", QT_TRANSLATE_NOOP("commands", "Reset view settings"), "",
            QT_TRANSLATE_NOOP("commands", "Restore scales, colours, thresholds and every other setting of all views."),
            _reset_views, lambda s: not has_default_views(s), separated=True),
    Command("present", "view", QT_TRANSLATE_NOOP("commands", "Presentation"), "F11",
            QT_TRANSLATE_NOOP("commands", "Full screen, large type, heatmap and links only; F11 or Esc to leave."),
            lambda c: c.window.present(not c.session.presenting), checked=lambda c: c.session.presenting, separated=True),
    Command("stop_presenting", "view", QT_TRANSLATE_NOOP("commands", "Exit presentation"), "Esc",
            QT_TRANSLATE_NOOP("commands", "Return to the window with its views as they were."),
            lambda c: c.window.present(False), lambda s: s.presenting and s.busy is None),
)
# fmt: on
