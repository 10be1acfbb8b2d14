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
    layer = translate("LogitLensPanel", "Before layer 0")
    if depth:
        layer = translate("LogitLensPanel", "After layer {layer}").format(layer=depth - 1)
    where = translate("LogitLensPanel", "{layer}, at “{token}” ({position})")
    if follows:
        where = translate("LogitLensPanel", "{layer}, what follows “{token}” ({position})")
    return where.format(layer=layer, token=token, position=position)


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
        what = translate("LogitLensPanel", "each position's final prediction") if followed is None else f"“{followed}”"
        last = translate("LogitLensPanel", "Probability and rank of {what}.").format(what=what) + " " + last
    if edited:
        last += " " + translate("LogitLensPanel", "Computed without the edits to heads.")
    return last
