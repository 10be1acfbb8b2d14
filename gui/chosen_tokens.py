"""Which tokens are looked at: those that are marked, else the one in focus."""

from __future__ import annotations

from headscope.core.token_jobs import Side
from headscope.gui.state import Cell, ExplorerState, Marks


def is_one_text(state: ExplorerState) -> bool:
    """Whether queries and keys are the same tokens."""
    return state.queries is state.keys


def chosen_tokens(state: ExplorerState, side: Side) -> tuple[int, ...]:
    """Positions of queries or keys, to be summed over; empty if nothing is pointed at.

    Marks go before the focus. Where queries and keys are one text, a token that is chosen on the other side will do.
    """
    by_side = ((state.marks.queries, state.focus.query), (state.marks.keys, state.focus.key))
    (marked, focus), (other_marked, other_focus) = by_side if side == "query" else by_side[::-1]
    n_tokens = len(state.queries if side == "query" else state.keys)
    if is_one_text(state):
        marked = marked or other_marked
        focus = other_focus if focus is None else focus
    positions = marked or (() if focus is None else (focus,))
    return tuple(position for position in positions if position < n_tokens)


def marked(state: ExplorerState, cell: Cell) -> Marks:
    """The marks with a token among them, beside the one that is pinned; without it if it was among them."""
    queries = state.marks.queries or _some(state.pinned.query if state.pinned.key is None else None)
    keys = state.marks.keys or _some(state.pinned.key if state.pinned.query is None else None)
    return Marks(_toggled(queries, cell.query), _toggled(keys, cell.key))


def _some(position: int | None) -> tuple[int, ...]:
    return () if position is None else (position,)


def _toggled(positions: tuple[int, ...], position: int | None) -> tuple[int, ...]:
    if position is None:
        return positions
    return tuple(at for at in positions if at != position) if position in positions else (*positions, position)
