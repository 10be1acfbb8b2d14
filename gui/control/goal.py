"""A goal: what the screen shall show next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from headscope.core.vocabulary import Head, Kind
from headscope.gui.paint.head_colors import MOST_COLORS
from headscope.gui.session.session import Session

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


CACHE_BYTES = 256 * 2**20
"""Weights kept to be seen again at once, unless the user says otherwise."""


MOST_HEADS = MOST_COLORS
"""Heads drawn together: as many as there are colours; fewer of a long text, so that the weights of all can be kept."""
_MOST_LARGE = 12
"""Heads drawn together of which overviews stand for the weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """A record, a kind, some heads, and values of the session that change with them."""

    captured: AttentionRecord
    record: (
        AttentionRecord  # `captured` in the chosen units, through the chosen lens, minus the reference if that is to be shown
    )
    kind: Kind
    head: Head
    heads: tuple[Head, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    minus: AttentionRecord | None = None

    def shows(self, state: Session) -> bool:
        """Whether this is another look at what is on the screen already."""
        return self.record is state.record and self.kind == state.kind

    def looking_at(self, head: Head, heads: tuple[Head, ...]) -> Goal:
        """The same goal with heads that exist, nearest to those asked for."""
        n_layers, n_heads = self.record.n_layers(self.kind), self.record.n_heads(self.kind)

        def nearest(asked: Head) -> Head:
            return min(asked[0], n_layers - 1), min(asked[1], n_heads - 1)

        axis = self.record.axis(self.kind)
        largest = max(1, 4 * len(axis.queries) * len(axis.keys))
        most = _MOST_LARGE if self.record.is_large(self.kind) else min(MOST_HEADS, max(1, CACHE_BYTES // largest))
        found = tuple(dict.fromkeys(nearest(asked) for asked in heads))
        chosen = nearest(head)
        if len(found) > most:  # those chosen last
            others = tuple(other for other in found if other != chosen)
            found = (*others[len(others) - most + 1 :], chosen)
        return replace(self, head=chosen, heads=found)

    def at_kept_layers(self) -> Goal:
        """The same goal, if its heads' layers were kept; else the nearest that was."""
        kept = self.record.kept_layers(self.kind)
        if all(layer in kept for layer, _ in (self.head, *self.heads)):
            return self
        head = min(kept, key=lambda layer: abs(layer - self.head[0])), self.head[1]
        return replace(self, head=head, heads=(head,))


def kind_to_show(record: AttentionRecord, looked_at: Kind) -> Kind:
    """The kind that was looked at, where it has a picture: a decoder that has read one token has none."""
    if looked_at in record.kinds and len(record.axis(looked_at).queries) > 1:
        return looked_at
    return next((kind for kind in record.kinds if len(record.axis(kind).queries) > 1), record.kinds[0])
