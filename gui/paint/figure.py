"""Figure: what every view's picture can do, whoever asks for it: a file, a preview, a page. FigureOptions: all that can be asked of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QPainter

from headscope.core import arguments
from headscope.gui.paint.color_maps import COLOR_MAPS
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.scales import ScaleName
from headscope.gui.paint.theme import SMALL_SIZE, Theme, theme_of

Ground = Literal["light", "dark", "transparent"]
GROUNDS: Final[tuple[Ground, ...]] = ("light", "dark", "transparent")
WIDTHS_MM: Final = {"column": 84.0, "page": 174.0}
"""Common presets: one column of a two-column page, and both."""
NARROWEST_MM, WIDEST_MM = 20.0, 2000.0
SMALLEST_PT, LARGEST_PT = 4.0, 72.0
_MM_OF_PT = 25.4 / 72


def _check_number(name: str, value: float, least: float, most: float) -> None:
    expected = f"a number from {least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        arguments.refuse(name, value, expected)


@dataclass(frozen=True, slots=True)
class FigureOptions:
    """All that can be asked of a figure: the dialog, the command line and Python fill the same fields.

    A figure is laid out in design units, in which small type is `SMALL_SIZE` high; a unit is as large as `type_pt` asks for. So type
    has its size whatever the width, and a narrower figure has less room for the rest.

    Attributes
    ----------
    width_mm, height_mm : float, optional
        From `NARROWEST_MM` to `WIDEST_MM`; as large as the figure wants to be if not given, the height in proportion to what is in it.
    type_pt : float
        Size of tokens and numbers, in points of 1/72 inch, from `SMALLEST_PT` to `LARGEST_PT`; a title is 13/11 of it.
    title : str
        Above the figure, and what the file says it is.
    axis_titles, color_bar, edge_bars, legend : bool
        "query" and "key" with layer and head; the colour bar; the means and sums at the edges of a map; the heads' names and what
        links are left out.
    color_map : str, optional
        One of `COLOR_MAPS`; the figure's own if not given.
    scale : ScaleName, optional
        The figure's own if not given.
    ground : Ground
        A transparent figure has the light colours.
    picked : Picked
        The tokens that stand out.
    region : (queries, keys), optional
        Two ranges of positions: the part of a map that is drawn.
    outlines : bool
        In an SVG, type as shapes: right without the typeface, but no text any more.
    dpi : int
        Dots per inch of a PNG.
    """

    width_mm: float | None = None
    height_mm: float | None = None
    type_pt: float = 7.0
    title: str = ""
    axis_titles: bool = True
    color_bar: bool = True
    edge_bars: bool = True
    legend: bool = True
    color_map: str | None = None
    scale: ScaleName | None = None
    ground: Ground = "light"
    picked: Picked = NOTHING
    region: tuple[range, range] | None = None
    outlines: bool = False
    dpi: int = 300

    def __post_init__(self) -> None:
        """``bad_option`` for what no figure can have."""
        for name, sides in (("width_mm", self.width_mm), ("height_mm", self.height_mm)):
            if sides is not None:
                _check_number(name, sides, NARROWEST_MM, WIDEST_MM)
        _check_number("type_pt", self.type_pt, SMALLEST_PT, LARGEST_PT)
        arguments.one_of("ground", self.ground, GROUNDS)
        if self.scale is not None:
            arguments.one_of("scale", self.scale, get_args(ScaleName))
        if self.color_map is not None:
            arguments.one_of("color_map", self.color_map, COLOR_MAPS)
        arguments.count("dpi", self.dpi)

    @property
    def theme(self) -> Theme:
        """The look that the ground asks for."""
        return theme_of(self.ground == "dark")

    @property
    def unit_mm(self) -> float:
        """Millimetres of a design unit."""
        return self.type_pt / SMALL_SIZE * _MM_OF_PT

    @property
    def width(self) -> float | None:
        """Design units, if a width is asked for."""
        return None if self.width_mm is None else self.width_mm / self.unit_mm

    @property
    def height(self) -> float | None:
        """Design units, if a height is asked for."""
        return None if self.height_mm is None else self.height_mm / self.unit_mm


PLAIN: Final = FigureOptions()
"""As a paper wants it, as large as the figure wants to be."""


class Figure(Protocol):
    """A picture that can stand by itself, without a widget around it."""

    @property
    def about(self) -> str:
        """What it shows, in a sentence, for those who cannot see it; the description of the file."""
        ...

    @property
    def title(self) -> str:
        """What a file of it is called if nobody says otherwise."""
        ...

    def size(self, options: FigureOptions) -> QSizeF:
        """A good size in design units: of the width and height that the options ask for, where they do."""
        ...

    def paint_figure(self, painter: QPainter, area: QRectF, theme: Theme, options: FigureOptions, *, vector: bool) -> None:
        """Paint it into `area`, on a ground that is there already; as shapes and text if `vector`, not as an image."""
        ...


def good_size(options: FigureOptions, width: float, height: float) -> QSizeF:
    """The natural size of a figure, but for the sides that the options ask for."""
    return QSizeF(
        width if options.width is None else options.width, math.ceil(height) if options.height is None else options.height
    )
