"""Commands on files, on the text and on the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from headscope.gui.commands.command import Command, has_model, has_picture
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

if TYPE_CHECKING:
    from headscope.gui.window.main_window import MainWindow


def _can_generate(state: Session) -> bool:
    return state.model is not None and bool(state.model.abilities & {"generate", "fill_mask"})


def _is_busy(state: Session) -> bool:
    return state.busy is not None


def _has_steps(state: Session) -> bool:
    return len(state.steps) > 1 and state.busy is None


def _has_marks(state: Session) -> bool:
    return state.pinned != Cell() or state.marks != Marks()


def _look_at_step(window: MainWindow, by: int) -> None:
    """A neighbour of the generation step that is looked at; the ends hold."""
    state = window.state
    now = len(state.steps) - 1 if state.step is None else state.step
    window.explorer.show_step(min(max(now + by, 0), len(state.steps) - 1))


# fmt: off
FILE: Final = (
    Command("open_name", "file", QT_TRANSLATE_NOOP("commands", "Choose a model…"), "Ctrl+M",
            QT_TRANSLATE_NOOP("commands", "Open the model list, ready for a Hugging Face name."),
            lambda w: w.picker.ask_name()),
    Command("open_folder", "file", QT_TRANSLATE_NOOP("commands", "Open model folder…"), "Ctrl+O",
            QT_TRANSLATE_NOOP("commands", "Open a model from a folder with its configuration, weights and tokenizer."),
            lambda w: w.picker.ask_folder()),
    Command("open_gguf", "file", QT_TRANSLATE_NOOP("commands", "Open GGUF file…"), "Ctrl+Shift+O",
            QT_TRANSLATE_NOOP("commands", "Open a model from a single .gguf file."),
            lambda w: w.picker.ask_gguf()),
    Command("refresh", "file", QT_TRANSLATE_NOOP("commands", "Refresh model list"), "",
            QT_TRANSLATE_NOOP("commands", "Search this computer for models again."),
            lambda w: w.explorer.refresh_catalogue()),
    Command("open_text", "file", QT_TRANSLATE_NOOP("commands", "Open text file…"), "",
            QT_TRANSLATE_NOOP("commands", "Replace the text with a file's; you can also drop a file on the window."),
            lambda w: w.ask_text_file(), separated=True),
    Command("export", "file", QT_TRANSLATE_NOOP("commands", "Export…"), "Ctrl+E",
            QT_TRANSLATE_NOOP("commands", "Write the heatmap or the links as PNG, SVG or PDF, or the numbers as CSV or NPZ."),
            lambda w: w.export(), has_picture, separated=True),
    Command("quit", "file", QT_TRANSLATE_NOOP("commands", "Quit"), "Ctrl+Q",
            QT_TRANSLATE_NOOP("commands", "Close the window; layout, settings and recent texts are remembered."),
            lambda w: w.close_soon(), separated=True),
)

EDIT: Final = (
    Command("undo", "edit", QT_TRANSLATE_NOOP("commands", "Undo"), "Ctrl+Z",
            QT_TRANSLATE_NOOP("commands", "Undo the last change to the text or the selection, wherever the cursor is."),
            lambda w: w.history.undo(), lambda s: s.undoable > 0),
    Command("redo", "edit", QT_TRANSLATE_NOOP("commands", "Redo"), "Ctrl+Shift+Z Ctrl+Y",
            QT_TRANSLATE_NOOP("commands", "Redo the last change that was undone."),
            lambda w: w.history.redo(), lambda s: s.redoable > 0),
    Command("edit_text", "edit", QT_TRANSLATE_NOOP("commands", "Edit the text"), "Ctrl+T",
            QT_TRANSLATE_NOOP("commands", "Put the cursor into the text."),
            lambda w: w.edit_text(), separated=True),
    Command("clear_marks", "edit", QT_TRANSLATE_NOOP("commands", "Clear pins and marks"), "Ctrl+Shift+X",
            QT_TRANSLATE_NOOP("commands", "Unpin the cell and deselect all rows and columns."),
            lambda w: w.state.update(pinned=Cell(), marks=Marks()), _has_marks),
    Command("palette", "edit", QT_TRANSLATE_NOOP("commands", "Find a command…"), "Ctrl+K Ctrl+Shift+P",
            QT_TRANSLATE_NOOP("commands", "Type part of any command, head, layout, example or model, and press Enter."),
            lambda w: w.show_palette(), separated=True),
    Command("settings", "edit", QT_TRANSLATE_NOOP("commands", "Settings…"), "Ctrl+,",
            QT_TRANSLATE_NOOP("commands", "Theme, typeface, type size, colours, device and memory; applied at once and remembered."),
            lambda w: w.show_settings(), separated=True),
)

RUN: Final = (
    Command("run", "run", QT_TRANSLATE_NOOP("commands", "Run"), "Ctrl+Return F5",
            QT_TRANSLATE_NOOP("commands", "Run the model on the text; Enter in the text does the same."),
            lambda w: w.explorer.run(), has_model),
    Command("generate", "run", QT_TRANSLATE_NOOP("commands", "Generate"), "Ctrl+G",
            QT_TRANSLATE_NOOP("commands", "Let the model continue the text, or fill its masks, as set in the Generation view."),
            lambda w: w.generate(), _can_generate),
    Command("stop", "run", QT_TRANSLATE_NOOP("commands", "Stop"), "Esc",
            QT_TRANSLATE_NOOP("commands", "Stop the model; what it has generated stays."),
            lambda w: w.explorer.stop(), _is_busy),
    Command("next_step", "run", QT_TRANSLATE_NOOP("commands", "Next generation step"), "Alt+PgDown",
            QT_TRANSLATE_NOOP("commands", "Show the attention of the next generated token."),
            lambda w: _look_at_step(w, 1), _has_steps, separated=True),
    Command("previous_step", "run", QT_TRANSLATE_NOOP("commands", "Previous generation step"), "Alt+PgUp",
            QT_TRANSLATE_NOOP("commands", "Show the attention of the previous generated token."),
            lambda w: _look_at_step(w, -1), _has_steps),
    Command("last_step", "run", QT_TRANSLATE_NOOP("commands", "All generation steps"), "",
            QT_TRANSLATE_NOOP("commands", "Show all generated tokens again."),
            lambda w: w.explorer.show_step(None), _has_steps),
)
# fmt: on
