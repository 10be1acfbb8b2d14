"""FilmStripPicture: the steps of a generation as frames on a strip, a strip for each branch, step under step."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QPainter, QPen

from headscope.gui.paint.labels import elided
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import GRID, SMALL_SIZE, TEXT_SIZE, Theme, scaled, text_font

_WIDTH, _HEIGHT = 19.0 * GRID, 12.0 * GRID
"""Of a frame, at the designed size of the type."""
MARGIN = 4.0 * GRID
_NAMES = 26.0 * GRID
"""Left of the strips, where there are several."""
_RADIUS = 6.0
_SHARED = 0.45
"""Opacity of frames that are on the strip that is looked at as well."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One step: what was chosen and its probability, 0 to 1; `forced` was the user's choice."""

    label: str
    probability: float
    special: bool = False
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """One branch.

    Attributes
    ----------
    frames : tuple of Frame
    n_shared : int
        How many frames at its beginning are also on the strip that is looked at.
    name, note : str
        What stands left of it, if there are several.
    """

    frames: tuple[Frame, ...]
    n_shared: int = 0
    name: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """Where one is: the strip that is looked at, the step in focus, and the strip and step under the mouse."""

    strip: int = 0
    step: int = -1
    hover: tuple[int, int] | None = None


class FilmStripPicture:
    """Strips of frames.

    Parameters
    ----------
    strips : tuple of Strip
    """

    def __init__(self, strips: tuple[Strip, ...]) -> None:
        self.strips = strips
        self.n_steps = max((len(strip.frames) for strip in strips), default=0)

    @property
    def frame(self) -> QSizeF:
        """Of one frame; it follows the size of the type."""
        return QSizeF(scaled(_WIDTH), scaled(_HEIGHT))

    @property
    def step(self) -> float:
        """From one frame to the next."""
        return self.frame.width() + GRID

    @property
    def row(self) -> float:
        """From one strip to the next."""
        return self.frame.height() + 1.5 * GRID

    @property
    def left(self) -> float:
        """Where the first frame begins when nothing is scrolled away."""
        return scaled(_NAMES) if len(self.strips) > 1 else MARGIN

    @property
    def width(self) -> float:
        """Pixels of the whole."""
        return self.left + self.n_steps * self.step + MARGIN

    @property
    def height(self) -> float:
        """Pixels of the whole."""
        return self.height_of(len(self.strips))

    def height_of(self, n_strips: int) -> float:
        """Pixels of so many strips."""
        return (n_strips - 1) * self.row + self.frame.height()

    def box(self, strip: int, step: int) -> QRectF:
        """A frame's place; nothing is scrolled away."""
        return QRectF(QPointF(self.left + step * self.step, strip * self.row), self.frame)

    def label_box(self, strip: int, step: int) -> QRectF:
        """Where a frame's token stands."""
        return self.box(strip, step).adjusted(1.5 * GRID, GRID + scaled(3 * GRID), -1.5 * GRID, -2.5 * GRID)

    def frame_at(self, point: QPointF) -> tuple[int, int] | None:
        """The strip and the step at a point; None beside the frames."""
        strip, step = int(point.y() // self.row), int((point.x() - self.left) // self.step)
        if not (0 <= strip < len(self.strips) and 0 <= step < len(self.strips[strip].frames)):
            return None
        return (strip, step) if self.box(strip, step).contains(point) else None

    def steps_between(self, left: float, right: float) -> range:
        """The steps whose frames are at least partly between two places."""
        first, after = int((left - self.left) // self.step), ceil((right - self.left) / self.step)
        return range(max(0, first), max(0, min(self.n_steps, after)))

    def paint(self, painter: QPainter, view: QRectF, theme: Theme, looked: Looked, *, focused: bool = False) -> None:
        """Paint what is in `view`, at its place in the whole; names stay at the left edge of it.

        `focused` tells that the keyboard is here.
        """
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, strip in enumerate(self.strips):
            if not (number * self.row < view.bottom() and (number + 1) * self.row > view.top()):
                continue
            for step in self.steps_between(view.left() + (self.left - MARGIN), view.right()):
                if step < len(strip.frames):
                    self._paint_frame(painter, theme, looked, number, step, focused=focused)
            if len(self.strips) > 1:
                area = QRectF(view.left(), number * self.row, self.left - GRID, self.frame.height())
                self._paint_name(painter, theme, area, number, looked)

    def _paint_frame(self, painter: QPainter, theme: Theme, looked: Looked, number: int, step: int, *, focused: bool) -> None:
        strip, box = self.strips[number], self.box(number, step)
        frame = strip.frames[step]
        current = (number, step) == (looked.strip, looked.step)
        parts = len(self.strips) > 1 and number != looked.strip and step == strip.n_shared
        edge = "accent" if current else "query" if parts else None
        pen = QPen(theme.color(edge), 2) if edge else Qt.PenStyle.NoPen
        painter.setOpacity(_SHARED if number != looked.strip and step < strip.n_shared else 1.0)
        painter.setPen(pen)
        painter.setBrush(theme.color("line" if (number, step) == looked.hover else "soft"))
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
        if current and focused:
            painter.setPen(QPen(theme.color("text"), 1, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(box.adjusted(3.5, 3.5, -3.5, -3.5), 4, 4)
        inner = box.adjusted(1.5 * GRID, GRID, -1.5 * GRID, -GRID)
        painter.setFont(text_font(SMALL_SIZE, tabular=True))
        painter.setPen(theme.color("muted"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, str(step))
        painter.drawText(
            inner, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, readable_probability(frame.probability)
        )
        _paint_token(painter, self.label_box(number, step), theme, frame, strong=current)
        _paint_bar(painter, QRectF(inner.left(), inner.bottom() - 3, inner.width(), 3), theme, frame.probability)
        painter.setOpacity(1.0)

    def _paint_name(self, painter: QPainter, theme: Theme, area: QRectF, number: int, looked: Looked) -> None:
        strip, here = self.strips[number], number == looked.strip
        painter.fillRect(area, theme.color("panel"))
        inner = area.adjusted(MARGIN, GRID, 0, -GRID)
        weight = QFont.Weight.DemiBold if here else QFont.Weight.Normal
        painter.setFont(text_font(TEXT_SIZE, weight))
        painter.setPen(theme.color("text" if here else "muted"))
        top, left = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, top | left, elided(strip.name, TEXT_SIZE, weight, inner.width()))
        painter.setFont(text_font(SMALL_SIZE, tabular=True))
        painter.setPen(theme.color("muted"))
        note = elided(strip.note, SMALL_SIZE, QFont.Weight.Normal, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignBottom | left, note)


def _paint_token(painter: QPainter, area: QRectF, theme: Theme, frame: Frame, *, strong: bool) -> None:
    weight = QFont.Weight.DemiBold if strong else QFont.Weight.Normal
    painter.setFont(text_font(TEXT_SIZE, weight))
    painter.setPen(theme.color("mask" if frame.forced else "muted" if frame.special else "text"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, elided(frame.label, TEXT_SIZE, weight, area.width()))


def _paint_bar(painter: QPainter, track: QRectF, theme: Theme, probability: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("line"))
    painter.drawRoundedRect(track, 1.5, 1.5)
    painter.setBrush(theme.color("accent"))
    painter.drawRoundedRect(QRectF(track.left(), track.top(), max(1.0, track.width() * probability), track.height()), 1.5, 1.5)
