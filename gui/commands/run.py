"""Commands on files, on the text and on the model."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command, has_model
from headscope.gui.context import Context
from headscope.gui.session.session import Session
from headscope.gui.session.source import DIFFERENCE, A, B, Source
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _can_generate(state: Session) -> bool:
    return state.model is not None and bool(state.model.abilities & {"generate", "fill_mask"})


def _is_busy(state: Session) -> bool:
    return state.busy is not None


def _has_steps(state: Session) -> bool:
    return len(state.steps) > 1 and state.busy is None


def _has_run(state: Session) -> bool:
    return state.run is not None


def _look_at_step(context: Context, by: int) -> None:
    """A neighbour of the generation step that is looked at; the ends hold."""
    state = context.session
    now = len(state.steps) - 1 if state.step is None else state.step
    context.explorer.show_step(min(max(now + by, 0), len(state.steps) - 1))


def _source(source: Source, title: str, help_: str) -> Command:
    return Command(
        f"source_{source.id}",
        "run",
        title,
        "",
        help_,
        lambda c: c.explorer.sources.show(source),
        lambda state: state.can_show(source),
        lambda c: c.session.source == source,
        separated=source == B,
    )


# fmt: off
RUN: Final = (
    Command("run", "run", QT_TRANSLATE_NOOP("commands", "Run"), "Ctrl+Return F5",
            QT_TRANSLATE_NOOP("commands", "Run the model on the text; Enter in the text does the same."),
            lambda c: c.explorer.run(), has_model),
    Command("generate", "run", QT_TRANSLATE_NOOP("commands", "Generate"), "Ctrl+G",
            QT_TRANSLATE_NOOP("commands", "Let the model continue the text, or fill its masks, as set in the Generation view."),
            lambda c: c.window.panel("generation").start(), _can_generate),
    Command("stop", "run", QT_TRANSLATE_NOOP("commands", "Stop"), "Esc",
            QT_TRANSLATE_NOOP("commands", "Stop the model; what it has generated stays."),
            lambda c: c.explorer.stop(), _is_busy),
    Command("next_step", "run", QT_TRANSLATE_NOOP("commands", "Next generation step"), "Alt+PgDown",
            QT_TRANSLATE_NOOP("commands", "Show the attention of the next generated token."),
            lambda c: _look_at_step(c, 1), _has_steps, separated=True),
    Command("previous_step", "run", QT_TRANSLATE_NOOP("commands", "Previous generation step"), "Alt+PgUp",
            QT_TRANSLATE_NOOP("commands", "Show the attention of the previous generated token."),
            lambda c: _look_at_step(c, -1), _has_steps),
    Command("last_step", "run", QT_TRANSLATE_NOOP("commands", "All generation steps"), "",
            QT_TRANSLATE_NOOP("commands", "Show all generated tokens again."),
            lambda c: c.explorer.show_step(None), _has_steps),
    _source(B, QT_TRANSLATE_NOOP("commands", "Show this run (B)"),
            QT_TRANSLATE_NOOP("commands", "Show the newest run in all views.")),
    _source(A, QT_TRANSLATE_NOOP("commands", "Show the reference (A)"),
            QT_TRANSLATE_NOOP("commands", "Show, in all views, the run before the last edit of the text, or the run that was kept.")),
    _source(DIFFERENCE, QT_TRANSLATE_NOOP("commands", "Show the difference (B − A)"),
            QT_TRANSLATE_NOOP("commands", "Show, in all views, this run minus the reference, if both have as many tokens.")),
    Command("keep_reference", "run", QT_TRANSLATE_NOOP("commands", "Keep this run as reference"), "Ctrl+Alt+K",
            QT_TRANSLATE_NOOP("commands", "Compare all later runs of this text with this one instead of each with the run before it."),
            lambda c: c.explorer.sources.keep(not c.session.reference_kept), _has_run, lambda c: c.session.reference_kept),
)
# fmt: on
