"""Commands on what is looked at: heads, units, pairs, kinds of attention."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from headscope.core.attention.lens import Lens
from headscope.core.vocabulary import Kind
from headscope.gui.commands.command import Command, has_picture
from headscope.gui.control.head_loader import MOST_HEADS
from headscope.gui.session.selection import Pairing
from headscope.gui.session.session import Session
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

if TYPE_CHECKING:
    from headscope.gui.window.main_window import MainWindow

Units = Literal["tokens", "words", "sentences", "segments"]
Special = Literal["shown", "hidden", "renormalised"]


def _step(window: MainWindow, layers: int, heads: int) -> None:
    """Look at a neighbouring head; the edges of the grid hold."""
    state = window.state
    if state.record is None:
        return
    layer, head = window.explorer.head
    layer = min(max(layer + layers, 0), state.record.n_layers(state.kind) - 1)
    head = min(max(head + heads, 0), state.record.n_heads(state.kind) - 1)
    window.explorer.select_head((layer, head))


def _whole_layer(window: MainWindow) -> None:
    state = window.state
    if state.record is not None:
        layer, head = window.explorer.head
        others = [(layer, other) for other in range(state.record.n_heads(state.kind)) if other != head]
        window.explorer.select_heads((layer, head), tuple(sorted([(layer, head), *others[: MOST_HEADS - 1]])))


def _has_kind(kind: Kind, state: Session) -> bool:
    return state.record is not None and kind in state.record.kinds


def _is_pair(state: Session) -> bool:
    return state.queries.is_pair


def _kind(kind: Kind, title: str, help_: str) -> Command:
    return Command(
        f"kind_{kind}",
        "heads",
        title,
        "",
        help_,
        lambda w: w.explorer.set_kind(kind),
        partial(_has_kind, kind),
        lambda w: w.state.kind == kind,
        separated=kind == "encoder",
    )


def _units(units: Units, title: str, help_: str, keys: str) -> Command:
    return Command(
        f"units_{units}",
        "reading",
        title,
        keys,
        help_,
        lambda w: w.explorer.set_reading(replace(w.explorer.reading, units=units)),
        has_picture,
        lambda w: w.state.reading.units == units,
    )


def _special(special: Special, title: str, help_: str) -> Command:
    return Command(
        f"special_{special}",
        "reading",
        title,
        "",
        help_,
        lambda w: w.explorer.set_reading(replace(w.explorer.reading, special=special)),
        has_picture,
        lambda w: w.state.reading.special == special,
        separated=special == "shown",
    )


def _lens(lens: Lens, title: str, help_: str) -> Command:
    return Command(
        f"lens_{lens}",
        "reading",
        title,
        "",
        help_,
        lambda w: w.state.update(lens=lens),
        has_picture,
        lambda w: w.state.lens == lens,
        separated=lens == "weights",
    )


def _pairing(pairing: Pairing, title: str, help_: str) -> Command:
    return Command(
        f"pairing_{pairing}",
        "pairing",
        title,
        "",
        help_,
        lambda w: w.state.update(pairing=pairing),
        _is_pair,
        lambda w: w.state.pairing == pairing,
    )


# fmt: off
HEADS: Final = (
    Command("next_head", "heads", QT_TRANSLATE_NOOP("commands", "Next head"), "Alt+Right",
            QT_TRANSLATE_NOOP("commands", "Select the head to the right in the grid."),
            lambda w: _step(w, 0, 1), has_picture),
    Command("previous_head", "heads", QT_TRANSLATE_NOOP("commands", "Previous head"), "Alt+Left",
            QT_TRANSLATE_NOOP("commands", "Select the head to the left in the grid."),
            lambda w: _step(w, 0, -1), has_picture),
    Command("next_layer", "heads", QT_TRANSLATE_NOOP("commands", "Next layer"), "Alt+Down",
            QT_TRANSLATE_NOOP("commands", "Select the same head in the next layer."),
            lambda w: _step(w, 1, 0), has_picture),
    Command("previous_layer", "heads", QT_TRANSLATE_NOOP("commands", "Previous layer"), "Alt+Up",
            QT_TRANSLATE_NOOP("commands", "Select the same head in the previous layer."),
            lambda w: _step(w, -1, 0), has_picture),
    Command("whole_layer", "heads", QT_TRANSLATE_NOOP("commands", "All heads of the layer"), "Ctrl+Shift+A",
            QT_TRANSLATE_NOOP("commands", "Draw every head of this layer in the links, each in its own colour, up to the number of colours."),
            _whole_layer, has_picture, separated=True),
    Command("one_head", "heads", QT_TRANSLATE_NOOP("commands", "Only this head"), "",
            QT_TRANSLATE_NOOP("commands", "Draw only the selected head."),
            lambda w: w.explorer.select_head(w.explorer.head), lambda s: has_picture(s) and len(s.heads) > 1),
    _kind("encoder", QT_TRANSLATE_NOOP("commands", "Encoder attention"),
          QT_TRANSLATE_NOOP("commands", "How the encoder's tokens attend to each other.")),
    _kind("decoder", QT_TRANSLATE_NOOP("commands", "Decoder attention"),
          QT_TRANSLATE_NOOP("commands", "How the decoder's tokens attend to those before them.")),
    _kind("cross", QT_TRANSLATE_NOOP("commands", "Cross-attention"),
          QT_TRANSLATE_NOOP("commands", "How the decoder's tokens attend to the encoder's.")),
)

READING: Final = (
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
    _lens("weights", QT_TRANSLATE_NOOP("commands", "Weights after the softmax"),
          QT_TRANSLATE_NOOP("commands", "Show attention weights: each row sums to 1.")),
    _lens("scores", QT_TRANSLATE_NOOP("commands", "Scores before the softmax"),
          QT_TRANSLATE_NOOP("commands", "Show attention scores: query times key, scaled, before the softmax.")),
)

PAIRING: Final = (
    _pairing("all", QT_TRANSLATE_NOOP("commands", "All links"),
             QT_TRANSLATE_NOOP("commands", "Show the links within and between both sentences.")),
    _pairing("AA", QT_TRANSLATE_NOOP("commands", "First → first"),
             QT_TRANSLATE_NOOP("commands", "Show only links within the first sentence.")),
    _pairing("AB", QT_TRANSLATE_NOOP("commands", "First → second"),
             QT_TRANSLATE_NOOP("commands", "Show only links from the first sentence to the second.")),
    _pairing("BA", QT_TRANSLATE_NOOP("commands", "Second → first"),
             QT_TRANSLATE_NOOP("commands", "Show only links from the second sentence to the first.")),
    _pairing("BB", QT_TRANSLATE_NOOP("commands", "Second → second"),
             QT_TRANSLATE_NOOP("commands", "Show only links within the second sentence.")),
)
# fmt: on
