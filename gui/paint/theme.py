"""Colours, type and measures of both looks. Light and dark are both designed; data ramps are of one hue and rise evenly in lightness.

The ramps run from the ground colour to the strongest ink: towards dark on light ground, towards light on dark ground, so
that "more" always means "more contrast". Head colours are from Okabe & Ito's set, extended, distinct under the common
kinds of colour blindness for the first eight.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache, wraps
from typing import Final, NamedTuple, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QFont, QPalette

from headscope.gui.paint.head_colors import more_colors

Palette = npt.NDArray[np.uint8]
_P = ParamSpec("_P")
_R = TypeVar("_R")

GRID = 4
"""Every distance is a multiple of this many pixels."""

INTER: Final = "Inter"
"""The bundled typeface."""
_FALLBACKS: Final = (INTER, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei", "sans-serif")
"""For what a typeface has no glyphs for, Chinese above all."""
TEXT_SIZE = 13
"""Pixels, for everything one reads."""
SMALL_SIZE = 11
"""Pixels, for axis numbers, units and hints."""


class TypeStyle(NamedTuple):
    """What type looks like, all but the size and weight of a single word. Equal styles measure alike.

    Attributes
    ----------
    family : str
        The typeface that comes before the others.
    scale : float
        By how much type is larger than designed.
    """

    family: str = INTER
    scale: float = 1.0


class _Type(threading.local):
    """Each thread's own: files are drawn in other threads than the screen, in the designed type."""

    style = TypeStyle()


_type = _Type()


@dataclass(frozen=True)
class Theme:
    """One look. Colours are ``#RRGGBB``; `ramp` is (256, 3) uint8, index 0 the weakest."""

    dark: bool
    ground: str
    panel: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    soft: str
    """A quiet fill behind tokens, rows and buttons."""
    query: str
    """Marks the query row."""
    mask: str
    """Marks masked tokens."""
    error: str
    found: str
    """Marks what was found in the text."""
    below: str
    """Numbers below 0, where those above have the accent."""
    ramp: Palette = field(repr=False, compare=False)
    heads: tuple[str, ...] = ()
    """Twelve colours for heads drawn together in the link view; `head_color` knows more."""

    def color(self, name: str, alpha: float = 1.0) -> QColor:
        """The colour called `name` ("text", "accent", …) with `alpha` from 0 to 1."""
        color = QColor(getattr(self, name))
        color.setAlphaF(alpha)
        return color

    def head_color(self, number: int) -> QColor:
        """The colour of one of the heads drawn together; each number has its own, up to `MOST_COLORS`."""
        colors = more_colors(self.heads, dark=self.dark)
        return QColor(colors[number % len(colors)])

    def ramp32(self) -> npt.NDArray[np.uint32]:
        """`ramp` as 256 opaque 0xAARRGGBB values, for QImage.Format_RGB32."""
        r, g, b = self.ramp.astype(np.uint32).T
        return np.asarray(0xFF000000 | (r << 16) | (g << 8) | b, dtype=np.uint32)


def _ramp(stops: list[tuple[float, tuple[int, int, int]]]) -> Palette:
    at = np.linspace(0, 1, 256)
    where = [stop[0] for stop in stops]
    channels = [np.interp(at, where, [stop[1][channel] for stop in stops]) for channel in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


@cache
def theme_of(dark: bool) -> Theme:
    """The dark or the light look."""
    if dark:
        return Theme(
            dark=True, ground="#14171C", panel="#1B1F26", line="#2A303A", text="#E6E9EE", muted="#8C96A5", accent="#5B9DFF",
            on_accent="#0B1220", soft="#222834", query="#FFB454", mask="#C79BFF", error="#FF8577", found="#5A4B00",
            below="#E8963A",
            ramp=_ramp([(0, (24, 28, 35)), (0.25, (38, 62, 104)), (0.5, (47, 110, 168)), (0.75, (94, 178, 196)), (1, (226, 246, 214))]),
            heads=("#5B9DFF", "#FFB454", "#4FD1A5", "#FF7B72", "#C79BFF", "#F2E863", "#6FE3F2", "#FF9BD2", "#A8B820", "#D9A27A", "#9FB4FF", "#C9D1D9"),
        )  # fmt: skip
    return Theme(
        dark=False, ground="#F4F5F7", panel="#FFFFFF", line="#E2E5EA", text="#1B2430", muted="#6A7483", accent="#2563EB",
        on_accent="#FFFFFF", soft="#EEF2FA", query="#D9480F", mask="#6D28D9", error="#C0271B", found="#FFE27A",
        below="#C4620A",
        ramp=_ramp([(0, (250, 251, 253)), (0.25, (191, 214, 236)), (0.5, (109, 163, 207)), (0.75, (41, 98, 165)), (1, (10, 32, 92))]),
        heads=("#2563EB", "#D9480F", "#00875A", "#B3261E", "#7B3FC4", "#8A6D00", "#0E7C93", "#C2308A", "#5E6B00", "#8C5230", "#4355A8", "#4B5563"),
    )  # fmt: skip


def type_style() -> TypeStyle:
    """What type on the screen looks like: the user's choice, and larger in a presentation.

    Whatever is measured or drawn in type and then kept has this in its key; a function's results are, with `kept_by_type`.
    """
    return _type.style


def set_type_style(style: TypeStyle) -> None:
    """Draw type so from now on, in this thread."""
    _type.style = style


@contextmanager
def designed_type() -> Iterator[None]:
    """Draw and measure type as designed in this thread, as files have it, whatever the screen's is."""
    before = _type.style
    _type.style = TypeStyle()
    try:
        yield
    finally:
        _type.style = before


def kept_by_type(most: int) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """`lru_cache` for what depends on the style of type as well as on the arguments."""

    def keeping(function: Callable[_P, _R]) -> Callable[_P, _R]:
        def fresh(_style: TypeStyle, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            return function(*args, **kwargs)

        kept: Callable[..., _R] = lru_cache(most)(fresh)

        @wraps(function)
        def asked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            return kept(_type.style, *args, **kwargs)

        return asked

    return keeping


def scaled(pixels: float) -> int:
    """Room for what holds type, such as a row: `pixels` as designed, on the scale of the type."""
    return round(pixels * _type.style.scale)


def text_font(pixels: float = TEXT_SIZE, weight: QFont.Weight = QFont.Weight.Normal, *, tabular: bool = False) -> QFont:
    """The typeface that is chosen, then Inter (bundled) and the system's fonts for Chinese; `pixels` as designed, drawn on the scale of the type.

    `tabular` makes all figures as wide as each other, for numbers under numbers. Never in files: a PDF names a glyph by its
    character, and glyphs that a feature puts in another's place have none: nobody could search for or copy them.
    """
    return QFont(_font(max(1, scaled(pixels)), weight, tabular))  # a copy, which may be changed


@kept_by_type(256)
def _font(pixels: int, weight: QFont.Weight, tabular: bool) -> QFont:
    """Kept, because a frame asks a hundred times, and to make one takes as long as to draw a word with it."""
    font = QFont()
    font.setFamilies(list(dict.fromkeys((_type.style.family, *_FALLBACKS))))
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), int(tabular))
    font.setFeature(QFont.Tag("calt"), 0)  # brackets beside capitals, as in [MASK]
    return font


def palette_of(theme: Theme) -> QPalette:
    """`theme` as a QPalette: setColorScheme does nothing on several desktops, so we set every role ourselves."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette()
    roles = {
        role.Window: theme.ground, role.WindowText: theme.text, role.Base: theme.panel, role.AlternateBase: theme.soft,
        role.ToolTipBase: theme.text, role.ToolTipText: theme.panel, role.Text: theme.text, role.PlaceholderText: theme.muted,
        role.Button: theme.panel, role.ButtonText: theme.text, role.BrightText: theme.error, role.Link: theme.accent,
        role.Highlight: theme.accent, role.HighlightedText: theme.on_accent, role.Light: theme.panel, role.Midlight: theme.soft,
        role.Mid: theme.line, role.Dark: theme.line, role.Shadow: theme.ground, role.Accent: theme.accent,
    }  # fmt: skip
    for which, color in roles.items():
        palette.setColor(which, QColor(color))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(group.Disabled, which, QColor(theme.muted))
    return palette
