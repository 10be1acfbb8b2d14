"""HeadGridPicture: a small picture of every head, layers down, heads across, or in an order of their own, all in one image."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from typing import Final

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPen

from headscope.core.analyse.records.head_types import HeadType
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.vocabulary import FloatArray, Head
from headscope.gui.paint.head_places import AVERAGE, MARK, GridLayout, HeadPlaces, Placed, laid_out
from headscope.gui.paint.head_types import type_color
from headscope.gui.paint.lens_colors import LensColors
from headscope.gui.paint.painted_figure import dots_of
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, text_font, type_style
from headscope.gui.paint.thumbnail import HeadLevels, Indices, Uints
from headscope.gui.paint.write import CENTER, LEFT, write

_FADED: Final = 0.18
"""How much is left of the colours of heads that a filter sets back."""


class HeadGridPicture:
    """Thumbnails of all heads.

    Parameters
    ----------
    n_layers, n_heads : int
    thumbnails : float32 (n_layers, n_heads, height, width), optional
        What the lens shows; NaN where there is nothing yet, -inf where it has no number.
    each_to_its_maximum : bool
        Scale each head to its own largest number instead of to 1, or to the largest of all.
    lens : Lens
    averages : float32 (n_layers, height, width), optional
        The average over each layer's heads, drawn where `AVERAGE` has a place; NaN where there is nothing yet.
    places : HeadPlaces, optional
        Which heads are shown, and where; a row for each layer if not given.
    types : mapping of Head to HeadType
        Marked by a bar in the type's colour.
    second_types : mapping of Head to HeadType
        What a head does with the rest of its attention: the right half of the bar.
    probed : mapping of Head to HeadType
        What heads do on a probe: a second bar under the first.
    faded : collection of Head
        Drawn pale.
    notes : mapping of Head to str
        What stands beside a head's name where it has one; pictures are as wide as that asks for.
    """

    def __init__(
        self,
        n_layers: int,
        n_heads: int,
        thumbnails: FloatArray | None = None,
        *,
        each_to_its_maximum: bool = False,
        lens: Lens = WEIGHTS,
        averages: FloatArray | None = None,
        places: HeadPlaces | None = None,
        types: Mapping[Head, HeadType] | None = None,
        second_types: Mapping[Head, HeadType] | None = None,
        probed: Mapping[Head, HeadType] | None = None,
        faded: Collection[Head] = (),
        notes: Mapping[Head, str] | None = None,
    ) -> None:
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.each_to_its_maximum = each_to_its_maximum
        self.lens = lens
        self._heads = HeadLevels((n_layers, n_heads), thumbnails, each_to_its_maximum=each_to_its_maximum, lens=lens)
        self._averages = self._levels_of(averages)
        self._arrange(places, (types, second_types, probed), faded, notes)

    @property
    def thumbnails(self) -> FloatArray | None:
        """What was given."""
        return self._heads.pictures

    @property
    def scale(self) -> LensColors | None:
        """What the colours of all heads mean; None while each has a scale of its own."""
        return None if self.each_to_its_maximum else self._heads.scale

    def rearranged(
        self,
        *,
        averages: FloatArray | None = None,
        places: HeadPlaces | None = None,
        types: Mapping[Head, HeadType] | None = None,
        second_types: Mapping[Head, HeadType] | None = None,
        probed: Mapping[Head, HeadType] | None = None,
        faded: Collection[Head] = (),
        notes: Mapping[Head, str] | None = None,
    ) -> HeadGridPicture:
        """The same thumbnails in other places, with other marks; faster than a new picture."""
        other = copy(self)
        other._averages = self._levels_of(averages)
        other._arrange(places, (types, second_types, probed), faded, notes)
        return other

    def on_paper(self) -> HeadGridPicture:
        """The same pictures without the marks of types, which only the view's legend explains; for another thread."""
        other = copy(self)
        other.types = other.second_types = other.probed = {}
        other._atlas = other._layout = None
        return other

    def _levels_of(self, averages: FloatArray | None) -> HeadLevels:
        pictures = None if averages is None else averages[:, None]
        return HeadLevels((self.n_layers, 1), pictures, each_to_its_maximum=self.each_to_its_maximum)

    def _arrange(
        self,
        places: HeadPlaces | None,
        types: tuple[Mapping[Head, HeadType] | None, ...],
        faded: Collection[Head],
        notes: Mapping[Head, str] | None,
    ) -> None:
        self.places = places or HeadPlaces.in_layers(self.n_layers, self.n_heads)
        self.types, self.second_types, self.probed = (each or {} for each in types)
        self.faded = frozenset(faded)
        self.notes = notes or {}
        self._atlas: tuple[object, QImage] | None = None
        self._layout: tuple[object, GridLayout] | None = None

    def layout(self, area: QRectF, scroll: QPointF | None = None) -> GridLayout:
        """Lay out as large as fits into `area`, no smaller than can be read; scrolled by so many pixels."""
        scroll = scroll or QPointF()
        key = (area.getRect(), scroll.toTuple(), type_style())
        if self._layout is None or self._layout[0] != key:
            metrics = QFontMetricsF(text_font(SMALL_SIZE, QFont.Weight.DemiBold))
            digits = metrics.horizontalAdvance(str(max(0, self.n_layers - 1)))
            names = max((metrics.horizontalAdvance(self._name(head)) for head in self.notes), default=0.0)
            shape = (self.n_layers, self.n_heads)
            self._layout = key, laid_out(self.places, shape, area, scroll, digits, names, self._mark)
        return self._layout[1]

    @property
    def _mark(self) -> float:
        """Height of a head's marks: one bar, or two with a line between them."""
        return 2 * MARK + 1 if self.probed else MARK

    # ---------------------------------------------------------------- drawing
    def paint(
        self,
        painter: QPainter,
        layout: GridLayout,
        theme: Theme,
        *,
        selected: Head | None = None,
        colors: Mapping[Head, int] | None = None,
        hover: Head | None = None,
        cursor: Head | None = None,
        within: QRectF | None = None,
    ) -> None:
        """Draw the grid.

        Parameters
        ----------
        selected : (layer, head), optional
            Has a thick frame and its numbers set off.
        colors : mapping of (layer, head) to int, optional
            Which of the theme's head colours frames each head that is looked at.
        hover, cursor : (layer, head), optional
            Under the mouse; where the keyboard is.
        within : QRectF, optional
            What has to be drawn, if not everything: names elsewhere are left out.
        """
        painter.fillRect(layout.area, theme.color("panel"))
        if layout.has_numbers:
            self._paint_numbers(painter, layout, theme, selected, hover)
        painter.save()
        painter.setClipRect(layout.cells.adjusted(-GRID, -GRID, 0, 0))
        self._paint_atlas(painter, layout, theme)
        self._paint_names(painter, layout, theme, selected, within or layout.area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        shown = layout.placed.place_of
        if hover is not None and hover in shown:
            _frame(painter, layout.tile(hover), QPen(theme.color("muted"), 1))
        for place, (number, thick) in _framed(colors or {}, selected, shown).items():
            _frame(painter, layout.tile(place), QPen(theme.head_color(number), 3 if thick else 2))
        if cursor is not None and cursor in shown:
            _frame(painter, layout.tile(cursor).adjusted(-3, -3, 3, 3), QPen(theme.color("text"), 1))
        painter.restore()

    def _paint_atlas(self, painter: QPainter, layout: GridLayout, theme: Theme) -> None:
        """The rows in sight."""
        ratio = dots_of(painter)
        side, gap, foot = (round(length * ratio) for length in (layout.side, layout.gap, layout.foot))
        rows = layout.rows_seen()
        placed = Placed(layout.placed.rows[rows.start : rows.stop])
        image = self.atlas(side, gap, theme, foot=foot, mark=round(layout.mark * ratio), placed=placed)
        corner = layout.corner + QPointF(0, rows.start * layout.drop) - QPointF(1, 1) / ratio
        painter.drawImage(QRectF(corner, QSizeF(layout.step * placed.n_columns, layout.drop * len(rows))), image)

    def _paint_numbers(
        self, painter: QPainter, layout: GridLayout, theme: Theme, selected: Head | None, hover: Head | None
    ) -> None:
        painter.save()
        for axis, count in ((0, self.n_layers), (1, layout.placed.n_columns)):
            painter.setClipRect(layout.strip(axis))
            for i in range(count):
                marked = selected is not None and selected[axis] == i
                pointed = hover is not None and hover[axis] == i
                painter.setPen(theme.color("accent" if marked else "text" if pointed else "muted"))
                weight = QFont.Weight.DemiBold if marked else QFont.Weight.Normal
                write(painter, layout.number_box(axis, i), str(i), SMALL_SIZE, weight, side=CENTER)
        painter.restore()

    def _paint_names(self, painter: QPainter, layout: GridLayout, theme: Theme, selected: Head | None, within: QRectF) -> None:
        """Under each head that has no numbers beside it; beside an average, what it is."""
        for row in layout.rows_seen():
            top = layout.corner.y() + row * layout.drop
            for head in layout.placed.rows[row] if top < within.bottom() and top + layout.drop > within.top() else ():
                if self.places.flows:
                    room = layout.box(head).adjusted(-layout.gap, layout.side + layout.mark, layout.gap, layout.foot)
                    side, words = CENTER, self._name(head)
                elif head[1] == AVERAGE:
                    room = layout.box(head).adjusted(layout.step + GRID, 0, layout.cells.width(), 0)
                    side, words = LEFT, self._average_note()
                else:
                    continue
                painter.setPen(theme.color("accent" if head == selected else "muted"))
                weight = QFont.Weight.DemiBold if head == selected else QFont.Weight.Normal
                write(painter, room, words, SMALL_SIZE, weight, side=side)

    def _name(self, head: Head) -> str:
        note = self.notes.get(head, "")
        return f"{_short_name(head)}  {note}" if note else _short_name(head)

    def _average_note(self) -> str:
        n = self.n_heads
        return QCoreApplication.translate("HeadGridPicture", "average of %n head(s)", "", n)

    # ---------------------------------------------------------------- the image
    def atlas(self, side: int, gap: int, theme: Theme, *, foot: int = 0, mark: int = 0, placed: Placed | None = None) -> QImage:
        """All heads in one image, `side` pixels each, each in a thin frame; made once for each size and look.

        Parameters
        ----------
        foot, mark : int
            Pixels left free under each picture, and how many of those the type's colour fills.
        placed : Placed, optional
            Rows, if they are not those of `places`.
        """
        placed = placed or self.places.placed
        wanted = (side, gap, foot, mark, placed, theme.dark)
        if self._atlas is None or self._atlas[0] != wanted:
            self._atlas = (wanted, self._make_atlas(side, gap, foot, mark, placed, theme))
        return self._atlas[1]

    def _make_atlas(self, side: int, gap: int, foot: int, mark: int, placed: Placed, theme: Theme) -> QImage:
        n_rows, n_columns, across, down = len(placed.rows), placed.n_columns, side + gap, side + foot + gap
        pixels = np.full((n_rows, down, n_columns, across), theme.color("panel").rgb(), np.uint32)
        heads = list(placed.place_of)
        if heads:
            layer, head = np.array(heads).T
            row, column = np.array(list(placed.place_of.values())).T
            tiles = np.full((len(heads), side + 2 + mark, side + 2), theme.color("line").rgb(), np.uint32)
            tiles[:, 1 : side + 1, 1 : side + 1] = self._colors(layer, head, side, theme)
            tiles[:, side + 2 :, :] = theme.color("panel").rgb()
            if mark:
                tiles[:, side + 2 :, 1 : side + 1] = self._marks(heads, mark, side, theme)
            pixels.transpose(0, 2, 1, 3)[row, column, : side + 2 + mark, : side + 2] = tiles  # the gap has room for the frame
        height, width = n_rows * down, n_columns * across
        return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()  # the array goes away

    def _colors(self, layer: Indices, head: Indices, side: int, theme: Theme) -> Uints:
        """uint32 (n, side, side): the pictures of some heads and averages."""
        colors = np.empty((len(head), side, side), np.uint32)
        averages = head == AVERAGE
        for levels, mine, column in ((self._heads, ~averages, head), (self._averages, averages, np.zeros_like(head))):
            if mine.any():
                colors[mine] = levels.colors(layer[mine], column[mine], side, theme)
        if self.faded:
            pale = np.array([(one, other) in self.faded for one, other in zip(layer.tolist(), head.tolist(), strict=True)])
            colors[pale] = _pale(colors[pale], theme)
        return colors

    def _marks(self, heads: list[Head], height: int, width: int, theme: Theme) -> Uints:
        """uint32 (n, height, width): bars in the colours of heads' types, the panel's where there are none."""
        panel = theme.color("panel").rgb()
        bar = round(height * MARK / self._mark)

        def colors(types: Mapping[Head, HeadType]) -> Uints:
            known = {type_: type_color(type_, theme).rgb() for type_ in set(types.values())}
            return np.array([known[types[head]] if head in types else panel for head in heads], np.uint32)[:, None, None]

        marks = np.full((len(heads), height, width), panel, np.uint32)
        marks[:, :bar] = colors(self.types)
        if self.second_types:
            has = np.array([head in self.second_types for head in heads])
            marks[has, :bar, width // 2 :] = panel  # a pixel between them
            marks[has, :bar, width // 2 + 1 :] = colors(self.second_types)[has]
        if self.probed:
            marks[:, height - bar :] = colors(self.probed)
        pale = np.array([head in self.faded for head in heads])
        marks[pale] = _pale(marks[pale], theme)
        return marks

    def one(self, head: Head, side: int, theme: Theme) -> QImage | None:
        """One head, or average, as large as wanted; None where there is nothing yet."""
        levels, place = (self._averages, (head[0], 0)) if head[1] == AVERAGE else (self._heads, head)
        if not levels.known[place]:
            return None
        colors = levels.one(place, side, theme)
        return QImage(colors.data, side, side, 4 * side, QImage.Format.Format_RGB32).copy()  # the array goes away


def _pale(colors: Uints, theme: Theme) -> Uints:
    """0xAARRGGBB mixed with much of the panel's colour."""
    panel = theme.color("panel").rgb()
    out = np.full_like(colors, 0xFF000000)
    for shift in (0, 8, 16):
        channel = (colors >> shift & 0xFF) * _FADED + (panel >> shift & 0xFF) * (1 - _FADED)
        out |= channel.astype(np.uint32) << shift
    return out


def _short_name(head: Head) -> str:
    if head[1] == AVERAGE:
        return QCoreApplication.translate("HeadGridPicture", "layer {layer}").format(layer=head[0])
    return f"{head[0]}·{head[1]}"


def _framed(colors: Mapping[Head, int], selected: Head | None, shown: Collection[Head]) -> dict[Head, tuple[int, bool]]:
    """The colour of each frame, and whether it is the selected head's; an average has that of its heads, first of the selected."""
    found: dict[Head, tuple[int, bool]] = {}
    for head, number in colors.items():
        place = head if head in shown else (head[0], AVERAGE)
        if place in shown and (place not in found or head == selected):
            found[place] = number, head == selected
    return found


def _frame(painter: QPainter, box: QRectF, pen: QPen) -> None:
    """A frame around a picture, none of whose pixels it covers."""
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    outside = pen.widthF() / 2
    painter.drawRoundedRect(box.adjusted(-outside, -outside, outside, outside), 2, 2)
