"""What several GUI tests need: axes, weights, pixels, and patience."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.paint.theme import Theme
from headscope.gui.session.session import Session

PATIENCE = 30_000
"""Milliseconds."""


def axis(*words: str) -> TokenAxis:
    return TokenAxis(tuple(Token(word, number) for number, word in enumerate(words)))


def words(count: int) -> TokenAxis:
    return axis(*(f"word{number}" for number in range(count)))


def random_weights(n_queries: int, n_keys: int, seed: int = 0) -> np.ndarray:
    """Rows that sum to 1."""
    scores = np.random.default_rng(seed).normal(scale=3, size=(n_queries, n_keys))
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def isolated_cells(side: int, count: int = 400) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """A matrix of zeros with `count` cells of weight 1 that stand far apart, and where they are."""
    rng = np.random.default_rng(7)
    places = rng.permutation((side // 16) ** 2)[:count]
    cells = [
        (int(row) * 16 + int(rng.integers(4)), int(column) * 16 + int(rng.integers(4)))
        for row, column in zip(*np.divmod(places, side // 16), strict=True)
    ]
    cells[:4] = [(0, 0), (0, side - 1), (side - 1, 0), (side - 1, side - 1)]
    weights = np.zeros((side, side), np.float32)
    weights[tuple(np.array(cells).T)] = 1
    return weights, cells


def color_of(weight: float, theme: Theme) -> QColor:
    """The ramp's colour of a weight from 0 to 1."""
    return QColor(*(int(channel) for channel in theme.ramp[round(255 * weight)]))


def shown(widget: QWidget) -> QImage:
    """What a widget looks like now."""
    return widget.grab().toImage()


def values(image: QImage) -> np.ndarray:
    """(height, width) of 0xAARRGGBB."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy()


def n_colors(image: QImage) -> int:
    """How many colours an image has: 1 if it is blank."""
    return len(np.unique(values(image)))


def said(signal) -> list[tuple]:
    """What a signal tells from now on."""
    told: list[tuple] = []
    signal.connect(lambda *what: told.append(what))
    return told


def settle(qtbot, state: Session) -> None:
    """Wait until nothing is busy."""
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)


_SVG = "{http://www.w3.org/2000/svg}"


def drawn_in(path: Path) -> str:
    """All that is drawn in an SVG; not what the file says of itself."""
    root = ET.parse(path).getroot()
    for name in ("title", "desc"):
        if (element := root.find(f"{_SVG}{name}")) is not None:
            root.remove(element)
    return ET.tostring(root, encoding="unicode")
