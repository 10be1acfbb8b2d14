"""Commands on what is shown of a head: its units, its special tokens, its lens."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from headscope.core.attention.lens import LENSES, WEIGHTS, Lens
from headscope.gui.commands.command import Command, has_picture
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

UnitsOf = Literal["tokens", "words", "sentences", "segments"]
Special = Literal["shown", "hidden", "renormalised", "first_hidden", "first_renormalised"]


def _units(units: UnitsOf, title: str, help_: str, keys: str) -> Command:
    return Command(
        f"units_{units}",
        "units",
        title,
        keys,
        help_,
        lambda c: c.explorer.set_units(replace(c.explorer.units, of=units)),
        has_picture,
        lambda c: c.session.units.of == units,
    )


def _special(special: Special, title: str, help_: str) -> Command:
    return Command(
        f"special_{special}",
        "units",
        title,
        "",
        help_,
        lambda c: c.explorer.set_units(replace(c.explorer.units, special=special)),
        has_picture,
        lambda c: c.session.units.special == special,
        separated=special == "shown",
    )


def _lens(lens: Lens) -> Command:
    return Command(
        f"lens_{lens.id}",
        "units",
        lens.title,
        "",
        lens.meaning,
        lambda c: c.explorer.set_lens(lens),
        has_picture,
        lambda c: c.session.lens == lens,
        separated=lens == WEIGHTS,
        context="lenses",
    )


# fmt: off
UNITS: Final = (
    _units("tokens", QT_TRANSLATE_NOOP("commands", "Tokens"),
           QT_TRANSLATE_NOOP("commands", "Show the model's own tokens."), "Ctrl+Alt+1"),
    _units("words", QT_TRANSLATE_NOOP("commands", "Words"),
           QT_TRANSLATE_NOOP("commands", "Merge tokens into words: sums over keys, means over queries."),
           "Ctrl+Alt+2"),
    _units("sentences", QT_TRANSLATE_NOOP("commands", "Sentences"),
           QT_TRANSLATE_NOOP("commands", "Merge tokens into sentences: sums over keys, means over queries."), "Ctrl+Alt+3"),
    _units("segments", QT_TRANSLATE_NOOP("commands", "Segments"),
           QT_TRANSLATE_NOOP("commands", "Merge tokens into the texts of a pair: sums over keys, means over queries."), "Ctrl+Alt+4"),
    _special("shown", QT_TRANSLATE_NOOP("commands", "Special tokens shown"),
             QT_TRANSLATE_NOOP("commands", "Show the tokens that the tokenizer added, such as [CLS].")),
    _special("hidden", QT_TRANSLATE_NOOP("commands", "Special tokens hidden"),
             QT_TRANSLATE_NOOP("commands", "Leave out the tokens that the tokenizer added; rows then sum to less than 1.")),
    _special("renormalised", QT_TRANSLATE_NOOP("commands", "Special tokens hidden, rows renormalised"),
             QT_TRANSLATE_NOOP("commands", "Leave out the tokens that the tokenizer added, and rescale each row to sum to 1.")),
    _special("first_hidden", QT_TRANSLATE_NOOP("commands", "First and special tokens hidden"),
             QT_TRANSLATE_NOOP("commands", "Also hide the first token, an attention sink of many decoder heads.")),
    _special("first_renormalised", QT_TRANSLATE_NOOP("commands", "First and special tokens hidden, rows renormalised"),
             QT_TRANSLATE_NOOP("commands", "Leave out the first token and special tokens, and rescale each row to sum to 1.")),
    *(_lens(lens) for lens in LENSES.values()),
)
# fmt: on
