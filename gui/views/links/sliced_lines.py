"""SlicedLines: lines drawn into an image a few milliseconds at a time, the strongest first, so that nothing waits for them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QPainter

from headscope.gui.paint.theme import Theme
from headscope.gui.views.links.paint.lines import Links
from headscope.gui.views.links.paint.picture import Layout, LinkPicture

Work = Iterator[QImage | None]
"""Pauses with None, and with an image whenever one is better than the last."""


class SlicedLines:
    """An image that grows.

    Attributes
    ----------
    image : QImage or None
        What there is to be seen.
    key : object
        What it is of.
    """

    def __init__(self) -> None:
        self.image: QImage | None = None
        self.key: object = None
        self._work: Work | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to draw."""
        return self._work is None

    def begin(self, key: object, work: Work) -> None:
        """Draw something else. Until the first part of it is there, what was there stays if it has the same key."""
        if key != self.key:
            self.image, self.key = None, key
        self._work = work

    def stop(self) -> None:
        """Draw nothing more, and show nothing."""
        self.image = self.key = self._work = None

    def advance(self, seconds: float, *, until_seen: bool = False) -> bool:
        """Draw on for a while, or until there is something; whether there is a better image now."""
        before, end = self.image, time.perf_counter() + seconds
        for image in self._work or ():
            self.image = self.image if image is None else image
            if time.perf_counter() > end and (self.image is not None or not until_seen):
                break
        else:
            self._work = None
        return self.image is not before


def drawn(
    picture: LinkPicture[Any], layout: Layout, theme: Theme, bands: Iterable[Links], ratio: float, *, width: float = 0.0
) -> Work:
    """Draw bands of links, each laid under those before it, into images of `layout.lines` with `ratio` dots a pixel."""
    area, above = layout.lines.toAlignedRect(), _empty(layout.lines.toAlignedRect().size() * ratio, ratio)
    for number, band in enumerate(bands):
        image = _empty(area.size() * ratio, ratio) if number else above
        painter = QPainter(image)
        try:
            painter.translate(-area.topLeft())
            for _ in picture.draw(painter, layout, theme, band, width=width):
                yield None
            if number:
                painter.drawImage(area.topLeft(), above)
        finally:
            painter.end()
        above = image
        yield image
    yield above


def _empty(size: QSize, ratio: float) -> QImage:
    """An image of at least one dot, which can be drawn on where a view leaves no room for lines."""
    image = QImage(size.expandedTo(QSize(1, 1)), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    return image
