"""Commands on the window: views, layouts, looks, type size, presentation, help."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command
from headscope.gui.window.layouts import LAYOUTS, Layout
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _dock(name: str, title: str, help_: str, keys: str = "") -> Command:
    return Command(
        f"view_{name}", "views", title, keys, help_, lambda w: w.desk.toggle(name), checked=lambda w: w.desk.is_open(name)
    )


def _layout(number: int, layout: Layout) -> Command:
    return Command(
        f"layout_{layout.id}",
        "layout",
        layout.title,
        f"Ctrl+{number}",
        layout.help,
        lambda w: w.choose_layout(layout),
        checked=lambda w: w.desk.layout_now is layout,
        context="layouts",
    )


def _look(choice: str, title: str, help_: str) -> Command:
    return Command(
        f"look_{choice}",
        "appearance",
        title,
        "",
        help_,
        lambda w: w.appearance.choose(choice),
        checked=lambda w: w.appearance.choice == choice,
    )


def _colors(name: str, title: str, help_: str) -> Command:
    return Command(
        f"colors_{name}",
        "colors",
        title,
        "",
        help_,
        lambda w: w.state.update(color_map=name),
        checked=lambda w: w.state.color_map == name,
    )


# fmt: off
VIEWS: Final = (
    _dock("heads", QT_TRANSLATE_NOOP("commands", "Heads"),
          QT_TRANSLATE_NOOP("commands", "A thumbnail of every head in every layer."), "Alt+1"),
    _dock("heatmap", QT_TRANSLATE_NOOP("commands", "Heatmap"),
          QT_TRANSLATE_NOOP("commands", "The selected head: a row for each query, a column for each key."), "Alt+2"),
    _dock("links", QT_TRANSLATE_NOOP("commands", "Links"),
          QT_TRANSLATE_NOOP("commands", "Lines from each query to the keys it attends to."), "Alt+3"),
    _dock("reading", QT_TRANSLATE_NOOP("commands", "Text"),
          QT_TRANSLATE_NOOP("commands", "The text itself, coloured by attention, surprisal or attribution."), "Alt+4"),
    _dock("head_strip", QT_TRANSLATE_NOOP("commands", "Heads by token"),
          QT_TRANSLATE_NOOP("commands", "How each head of the layer attends from or to the selected token."), "Alt+5"),
    _dock("arithmetic", QT_TRANSLATE_NOOP("commands", "Arithmetic"),
          QT_TRANSLATE_NOOP("commands", "How one weight is computed, with the actual numbers."), "Alt+6"),
    _dock("predictions", QT_TRANSLATE_NOOP("commands", "Predictions"),
          QT_TRANSLATE_NOOP("commands", "What the model predicts, with probabilities."), "Alt+7"),
    _dock("lens", QT_TRANSLATE_NOOP("commands", "Logit lens"),
          QT_TRANSLATE_NOOP("commands", "What the model would predict if it stopped after each layer."), "Alt+8"),
    _dock("generation", QT_TRANSLATE_NOOP("commands", "Generation"),
          QT_TRANSLATE_NOOP("commands", "Generation settings and the generated tokens."), "Alt+9"),
    _dock("film_strip", QT_TRANSLATE_NOOP("commands", "Film strip"),
          QT_TRANSLATE_NOOP("commands", "The steps of a generation, one by one."), "Alt+0"),
)

LAYOUT: Final = (
    *(_layout(number, layout) for number, layout in enumerate(LAYOUTS, start=1)),
    Command("reset_layout", "layout", QT_TRANSLATE_NOOP("commands", "Reset layout"), "",
            QT_TRANSLATE_NOOP("commands", "Restore the layout's own arrangement of views."),
            lambda w: w.reset_layout(), separated=True),
)

LOOKS: Final = (
    _look("system", QT_TRANSLATE_NOOP("commands", "System"),
          QT_TRANSLATE_NOOP("commands", "Follow the desktop's light or dark setting.")),
    _look("light", QT_TRANSLATE_NOOP("commands", "Light"), QT_TRANSLATE_NOOP("commands", "Dark on light.")),
    _look("dark", QT_TRANSLATE_NOOP("commands", "Dark"), QT_TRANSLATE_NOOP("commands", "Light on dark.")),
)

COLORS: Final = (
    _colors("plain", QT_TRANSLATE_NOOP("commands", "One hue"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap in one hue of the theme.")),
    _colors("viridis", QT_TRANSLATE_NOOP("commands", "Viridis"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap from purple to yellow.")),
    _colors("cividis", QT_TRANSLATE_NOOP("commands", "Cividis"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap from blue to yellow, made for colour-blind eyes.")),
    _colors("grey", QT_TRANSLATE_NOOP("commands", "Grey"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap in greys, for print.")),
)

SCREEN: Final = (
    Command("next_view", "view", QT_TRANSLATE_NOOP("commands", "Next view"), "F6",
            QT_TRANSLATE_NOOP("commands", "Move the keyboard focus to the next view."), lambda w: w.desk.focus_next(1), separated=True),
    Command("previous_view", "view", QT_TRANSLATE_NOOP("commands", "Previous view"), "Shift+F6",
            QT_TRANSLATE_NOOP("commands", "Move the keyboard focus to the previous view."), lambda w: w.desk.focus_next(-1)),
    Command("larger_type", "view", QT_TRANSLATE_NOOP("commands", "Larger type"), "Ctrl++ Ctrl+=",
            QT_TRANSLATE_NOOP("commands", "Make all text larger."), lambda w: w.appearance.step_type(1),
            separated=True),
    Command("smaller_type", "view", QT_TRANSLATE_NOOP("commands", "Smaller type"), "Ctrl+-",
            QT_TRANSLATE_NOOP("commands", "Make all text smaller."), lambda w: w.appearance.step_type(-1)),
    Command("usual_type", "view", QT_TRANSLATE_NOOP("commands", "Default type size"), "Ctrl+0",
            QT_TRANSLATE_NOOP("commands", "Show all text in its default size."), lambda w: w.appearance.choose_type(100)),
    Command("present", "view", QT_TRANSLATE_NOOP("commands", "Presentation"), "F11",
            QT_TRANSLATE_NOOP("commands", "Full screen, large type, heatmap and links only; F11 or Esc to leave."),
            lambda w: w.present(not w.state.presenting), checked=lambda w: w.state.presenting, separated=True),
    Command("stop_presenting", "view", QT_TRANSLATE_NOOP("commands", "Leave the presentation"), "Esc",
            QT_TRANSLATE_NOOP("commands", "Return to the window with its views as they were."),
            lambda w: w.present(False), lambda s: s.presenting and s.busy is None),
)

HELP: Final = (
    Command("shortcuts", "help", QT_TRANSLATE_NOOP("commands", "Shortcuts"), "F1",
            QT_TRANSLATE_NOOP("commands", "All keyboard shortcuts and mouse gestures, view by view."), lambda w: w.show_shortcuts()),
    Command("about", "help", QT_TRANSLATE_NOOP("commands", "About Headscope"), "",
            QT_TRANSLATE_NOOP("commands", "The version and the licence."), lambda w: w.show_about()),
)
# fmt: on
