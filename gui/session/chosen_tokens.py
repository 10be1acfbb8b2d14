"""Which tokens are looked at: those that are marked, else the one in focus."""

from __future__ import annotations

from headscope.core.attention.head_map import Side
from headscope.core.text.tokens import TokenAxis
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session


def is_one_text(state: Session) -> bool:
    """Whether queries and keys are the same tokens."""
    return state.queries is state.keys


def chosen_tokens(state: Session, side: Side) -> tuple[int, ...]:
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


def mark(state: Session, cell: Cell) -> None:
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


def cell_of(state: Session, axis: TokenAxis, position: int | None) -> Cell:
    """The row of one of `axis`' tokens in the pictures, or its column if the rows are other tokens; `axis` is of the record."""
    if position is None or state.captured is None:
        return Cell()
    shown = state.captured.axis(state.kind)
    if shown.queries is axis:
        return Cell(query=state.queries.place_of(position))
    return Cell(key=state.keys.place_of(position)) if shown.keys is axis else Cell()


def pieces_in_focus(state: Session, axis: TokenAxis) -> frozenset[int]:
    """Which of `axis`' tokens are pinned or pointed at in any view."""
    if state.captured is None:
        return frozenset()
    shown, found = state.captured.axis(state.kind), set[int]()
    for cell in (state.pinned, state.hover):
        sides = ((shown.queries, state.queries, cell.query), (shown.keys, state.keys, cell.key))
        for own, units, at in sides:
            if own is axis and at is not None and at < len(units):
                found.update(units.pieces_of(at))
    return frozenset(found)
