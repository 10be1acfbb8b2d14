"""Commands on what is looked at: heads, units, pairs, kinds of attention."""

from __future__ import annotations

from functools import partial
from typing import Final

from headscope.core.vocabulary import Kind
from headscope.gui.commands.command import Command, has_picture
from headscope.gui.context import Context
from headscope.gui.control.goal import MOST_HEADS
from headscope.gui.session.session import Session
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _step(context: Context, layers: int, heads: int) -> None:
    """Look at a neighbouring head; the edges of the grid hold."""
    state = context.session
    if state.record is None:
        return
    layer, head = context.explorer.head
    layer = min(max(layer + layers, 0), state.record.n_layers(state.kind) - 1)
    head = min(max(head + heads, 0), state.record.n_heads(state.kind) - 1)
    context.explorer.select_head((layer, head))


def _whole_layer(context: Context) -> None:
    state = context.session
    if state.record is not None:
        layer, head = context.explorer.head
        others = [(layer, other) for other in range(state.record.n_heads(state.kind)) if other != head]
        context.explorer.select_heads((layer, head), tuple(sorted([(layer, head), *others[: MOST_HEADS - 1]])))


def _has_kind(kind: Kind, state: Session) -> bool:
    return state.record is not None and kind in state.record.kinds


def _kind(kind: Kind, title: str, help_: str) -> Command:
    return Command(
        f"kind_{kind}",
        "heads",
        title,
        "",
        help_,
        lambda c: c.explorer.set_kind(kind),
        partial(_has_kind, kind),
        lambda c: c.session.kind == kind,
        separated=kind == "encoder",
    )


# fmt: off
HEADS: Final = (
    Command("next_head", "heads", QT_TRANSLATE_NOOP("commands", "Next head"), "Alt+Right",
            QT_TRANSLATE_NOOP("commands", "Select the head to the right in the grid."),
            lambda c: _step(c, 0, 1), has_picture),
    Command("previous_head", "heads", QT_TRANSLATE_NOOP("commands", "Previous head"), "Alt+Left",
            QT_TRANSLATE_NOOP("commands", "Select the head to the left in the grid."),
            lambda c: _step(c, 0, -1), has_picture),
    Command("next_layer", "heads", QT_TRANSLATE_NOOP("commands", "Next layer"), "Alt+Down",
            QT_TRANSLATE_NOOP("commands", "Select the same head in the next layer."),
            lambda c: _step(c, 1, 0), has_picture),
    Command("previous_layer", "heads", QT_TRANSLATE_NOOP("commands", "Previous layer"), "Alt+Up",
            QT_TRANSLATE_NOOP("commands", "Select the same head in the previous layer."),
            lambda c: _step(c, -1, 0), has_picture),
    Command("whole_layer", "heads", QT_TRANSLATE_NOOP("commands", "All heads of the layer"), "Ctrl+Shift+A",
            QT_TRANSLATE_NOOP("commands", "Draw every head of this layer in the links, one colour each; heads beyond the last colour are left out."),
            _whole_layer, has_picture, separated=True),
    Command("one_head", "heads", QT_TRANSLATE_NOOP("commands", "Only this head"), "",
            QT_TRANSLATE_NOOP("commands", "Draw only the selected head."),
            lambda c: c.explorer.select_head(c.explorer.head), lambda s: has_picture(s) and len(s.heads) > 1),
    _kind("encoder", QT_TRANSLATE_NOOP("commands", "Encoder attention"),
          QT_TRANSLATE_NOOP("commands", "How the encoder's tokens attend to each other.")),
    _kind("decoder", QT_TRANSLATE_NOOP("commands", "Decoder attention"),
          QT_TRANSLATE_NOOP("commands", "How the decoder's tokens attend to those before them.")),
    _kind("cross", QT_TRANSLATE_NOOP("commands", "Cross-attention"),
          QT_TRANSLATE_NOOP("commands", "How the decoder's tokens attend to the encoder's.")),
)
# fmt: on
