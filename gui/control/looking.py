"""Looking: what the views of one head ask to be done, whichever run they show."""

from __future__ import annotations

from typing import Protocol

from headscope.core.attention.lens import Lens
from headscope.core.requests.cells import PartRequest
from headscope.core.vocabulary import Head
from headscope.gui.control.heatmap_numbers import HeatmapNumbers


class Looking(Protocol):
    """An explorer of the newest run, or of the reference beside it."""

    @property
    def numbers(self) -> HeatmapNumbers:
        """Of the head that is shown."""
        ...

    def look_closer(self, wanted: PartRequest) -> None:
        """Show a part of the head that is shown and too large to be here as a whole."""
        ...

    def set_lens(self, lens: Lens) -> None:
        """Show other numbers."""
        ...

    def select_heads(self, head: Head, heads: tuple[Head, ...]) -> None:
        """Look at `head` beside the others of `heads`, of which it is one."""
        ...
