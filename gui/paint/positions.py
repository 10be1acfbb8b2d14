"""How positions are written where one types them: ``5:2`` a query with a key, ``5:`` a query, ``:2`` a key; ``0-9,0-9`` a region.

Nothing here needs Qt: the command line reads the same.
"""

from __future__ import annotations

from typing import Final

from headscope.core.arguments import refuse
from headscope.gui.paint.picked import NOTHING, Picked

Region = tuple[range, range]
PINS: Final = "positions as in 5:2, 5: or :2, several with commas"
REGION: Final = "FIRST-LAST of the queries, and of the keys, as in 0-9,0-9"


def pins_of(text: str) -> Picked:
    """What stands out. One pin is a cell, or a token alone; several are rows and columns that were picked out.

    Raises
    ------
    HeadscopeError
        ``bad_option``.
    """
    pins = [_pin(part.strip()) for part in text.split(",")] if text.strip() else []
    if None in pins:
        refuse("pins", text, PINS)
    found = [pin for pin in pins if pin is not None]
    if not found:
        return NOTHING
    if len(found) == 1:
        return Picked(*found[0])
    queries = tuple(dict.fromkeys(query for query, _ in found if query is not None))
    return Picked(queries=queries, keys=tuple(dict.fromkeys(key for _, key in found if key is not None)))


def _pin(text: str) -> tuple[int | None, int | None] | None:
    query, colon, key = text.partition(":")
    if not colon or not (query or key) or not all(side.isdecimal() for side in (query, key) if side):
        return None
    return int(query) if query else None, int(key) if key else None


def written_pins(picked: Picked) -> str:
    """As `pins_of` reads it."""
    parts = [] if picked.query is None and picked.key is None else [(picked.query, picked.key)]
    parts += [(query, None) for query in picked.queries]
    parts += [(None, key) for key in picked.keys]
    return ", ".join(":".join("" if side is None else str(side) for side in pin) for pin in parts)


def region_of(text: str) -> Region | None:
    """Two ranges; None for no text. ``bad_option``."""
    if not text.strip():
        return None
    sides = []
    for side in text.split(","):
        first, _, last = side.strip().partition("-")
        if not (first.isdecimal() and last.isdecimal()):
            refuse("region", text, REGION)
        sides.append(range(int(first), int(last) + 1))
    return (sides[0], sides[1]) if len(sides) == 2 else refuse("region", text, REGION)


def written_region(region: Region | None) -> str:
    """As `region_of` reads it."""
    return "" if region is None else ",".join(f"{side.start}-{side.stop - 1}" for side in region)
