"""How links are chosen and drawn, and which of a sentence pair."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command
from headscope.gui.commands.settings import switch
from headscope.gui.session.selection import Pairing
from headscope.gui.session.session import Session
from headscope.gui.views.links.settings import LinksSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _is_pair(state: Session) -> bool:
    return state.queries.is_pair


def _pairing(pairing: Pairing, title: str, help_: str) -> Command:
    return Command(
        f"pairing_{pairing}",
        "pairing",
        title,
        "",
        help_,
        lambda c: c.session.update(pairing=pairing),
        _is_pair,
        lambda c: c.session.pairing == pairing,
    )


# fmt: off
DRAWING: Final = (
    switch(LinksSettings, "arcs", "links", QT_TRANSLATE_NOOP("commands", "Arcs"),
           QT_TRANSLATE_NOOP("commands", "Draw links as arcs over one line of text instead of between two columns.")),
    switch(LinksSettings, "by_mass", "links", QT_TRANSLATE_NOOP("commands", "Strongest of each row"),
           QT_TRANSLATE_NOOP("commands", "Keep the fewest links that carry most of each query's attention, instead of hiding weak ones.")),
    switch(LinksSettings, "whole", "links", QT_TRANSLATE_NOOP("commands", "Fit all tokens"),
           QT_TRANSLATE_NOOP("commands", "Show all tokens at once instead of scrolling.")),
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
