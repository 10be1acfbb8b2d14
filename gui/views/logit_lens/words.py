"""What the logit lens says of a cell."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication

from headscope.gui.paint.probability import readable_probability
from headscope.gui.views.logit_lens.paint import LogitLensPicture
from headscope.gui.views.logit_lens.settings import Shows

translate = QCoreApplication.translate
_MOST_SPOKEN: Final = 3


def cell_words(depth: int, token: str, position: int, *, follows: bool) -> str:
    """Which cell it is: depth 0 is what enters layer 0; a model that writes predicts what `follows` a token."""
    if follows:
        before = translate("LogitLensPanel", "Before layer 0, what follows “{token}” ({position})")
        after = translate("LogitLensPanel", "After layer {layer}, what follows “{token}” ({position})")
    else:
        before = translate("LogitLensPanel", "Before layer 0, at “{token}” ({position})")
        after = translate("LogitLensPanel", "After layer {layer}, at “{token}” ({position})")
    return (after if depth else before).format(layer=depth - 1, token=token, position=position)


def spoken_cell(title: str, picture: LogitLensPicture, place: tuple[int, int], shows: Shows) -> str:
    """What is heard of a cell that was read: its best tokens, and where one token is followed, its probability and rank."""
    best = ", ".join(f"{label} {readable_probability(p)}" for _, label, p in picture.candidates(*place)[:_MOST_SPOKEN])
    if shows == "token":
        followed = translate("LogitLensPanel", "followed token: {words}").format(words=picture.words(*place, "token"))
        return f"{title}: {followed}; {best}"
    return f"{title}: {best}"


def explanation(*, one_token: bool, followed: str | None, edited: bool) -> str:
    """What a grid is: of the most probable tokens, or of `one_token` (the last layer's prediction, or the `followed` one)."""
    last = translate("LogitLensPanel", "The last row is exactly the model's prediction.")
    if one_token:
        of_each = translate("LogitLensPanel", "Probability and rank of each position's final prediction.")
        of_one = translate("LogitLensPanel", "Probability and rank of “{token}”.").format(token=followed)
        last = f"{of_each if followed is None else of_one} {last}"
    if edited:
        last += " " + translate("LogitLensPanel", "Computed without the edits to heads.")
    return last
