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


def mark(state: ExplorerState, cell: Cell) -> None:
    """Pick a row, a column or both out beside those that are, or let them go if all of them are.

    A token that is pinned becomes one of those that are picked out; a cell that is pinned stays pinned.
    """
    is_cell = None not in (state.pinned.query, state.pinned.key)
    token = Cell() if is_cell else state.pinned
    queries, keys = _with(state.marks.queries, token.query), _with(state.marks.keys, token.key)
    change = _without if cell.query in (None, *queries) and cell.key in (None, *keys) else _with
    marks = Marks(change(queries, cell.query), change(keys, cell.key))
    state.update(marks=marks, pinned=state.pinned if is_cell else Cell())


def _with(positions: tuple[int, ...], position: int | None) -> tuple[int, ...]:
    return positions if position is None or position in positions else (*positions, position)


def _without(positions: tuple[int, ...], position: int | None) -> tuple[int, ...]:
    return tuple(at for at in positions if at != position)
