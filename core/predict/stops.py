"""Stop texts: where generation ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headscope.core.errors import HeadscopeError
from headscope.core.text.tokens import Token


def check_stops(stop: Sequence[str]) -> None:
    """Raise ``bad_option`` for an empty string, which would end every text at once, and for one in the place of a list."""
    if isinstance(stop, str):
        raise HeadscopeError("bad_option", option="stop", value=repr(stop), expected="a list of texts")
    if not all(stop):
        raise HeadscopeError("bad_option", option="stop", value="''", expected="a text")


def stopped(token: Token, text: str, stop: Sequence[str], *, begins: int, was: int) -> tuple[Token, str, str] | None:
    """The text up to the end of the first stop string in it, or None if there is none.

    Parameters
    ----------
    token : Token
        The last one.
    text : str
        With what `token` adds.
    stop : sequence of str
    begins : int
        Where the model's own words begin in `text`: a stop string lies wholly behind it.
    was : int
        How long the text was before `token`: a stop string ends behind it.

    Returns
    -------
    (Token, str, str)
        The token, ending where the text ends; the text, the stop string included; and what was cut off behind it.
    """
    ends = []
    for string in stop:
        found = text.find(string, max(begins, was - len(string) + 1))
        if found >= 0:
            ends.append(found + len(string))
    if not ends:
        return None
    end = min(ends)
    return replace(token, start=min(token.start, end), end=min(token.end, end)), text[:end], text[end:]
