"""What a picture of links says to who cannot see it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PySide6.QtCore import QCoreApplication

from headscope.gui.paint.lens_words import short_number
from headscope.gui.paint.picked import Picked
from headscope.gui.views.links.paint.picture import LinkPicture

_MOST: Final = 3


def spoken_links(picture: LinkPicture[Any], picked: Picked) -> str:
    """The strongest links of the token that is picked, on average over the heads; "" of none."""
    picked = picked.within(len(picture.queries), len(picture.keys))
    from_query = picked.query is not None
    at, own, other = (
        (picked.query, picture.queries, picture.keys) if from_query else (picked.key, picture.keys, picture.queries)
    )
    seen = picture.seen_of(Picked(query=picked.query, key=None if from_query else picked.key), keys=from_query)
    if at is None or seen is None:
        return ""
    weights = np.mean(seen, axis=0)
    best = np.argsort(-weights, kind="stable")[:_MOST].tolist()
    told = [(other.labels[place], short_number(float(weights[place]), picture.lens)) for place in best if weights[place]]
    links = ", ".join(f"{label} {number}" for label, number in told)
    words = QCoreApplication.translate("links", "{token} is attended by: {links}")
    if from_query:
        words = QCoreApplication.translate("links", "{token} attends to: {links}")
    return words.format(token=own.labels[at], links=links)
