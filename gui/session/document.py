"""Document: all that the user chose, as one value. Undo keeps it before and after each change."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from headscope.core.attention.lens import Lens
from headscope.core.forward.model_info import ModelInfo
from headscope.core.text.tokens import Reading
from headscope.core.vocabulary import Head, Kind
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.selection import Cell, Marks, Pairing
from headscope.gui.session.session import Session

TEXTS: Final = ("text", "text_pair", "target")
LOOKS: Final = ("kind", "head", "heads", "reading", "step")
"""These need weights: they come back a moment later than they are asked for."""
PLACES: Final = ("pinned", "marks")
"""These are positions in the units of the picture: they come back when it has."""
PLAIN: Final = ("lens", "pairing", "color_map", "head_order")


@dataclass(frozen=True, slots=True)
class Document:
    """What can be undone, at one moment. A model is known by what opened it: `load` finds it again."""

    model: ModelInfo | None
    text: str
    text_pair: str
    target: str
    kind: Kind
    head: Head
    heads: tuple[Head, ...]
    reading: Reading
    step: int | None
    pinned: Cell
    marks: Marks
    lens: Lens
    pairing: Pairing
    color_map: str
    head_order: HeadOrder

    @classmethod
    def of(cls, state: Session) -> Document:
        """As it is now."""
        return cls(**{item.name: getattr(state, item.name) for item in fields(cls)})

    @property
    def texts(self) -> tuple[str, str, str]:
        """What the model is given to read."""
        return self.text, self.text_pair, self.target

    def differs_in(self, other: Document) -> tuple[str, ...]:
        """The names of the values that another document has otherwise."""
        return tuple(item.name for item in fields(self) if getattr(self, item.name) != getattr(other, item.name))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the user did: what it is called (an id of `CHANGES`), and the document before and after it."""

    name: str
    before: Document
    after: Document
