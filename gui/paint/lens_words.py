"""What a lens is called on the screen, and how its numbers are written."""

from __future__ import annotations

from math import isnan

from PySide6.QtCore import QCoreApplication

from headscope.core.attention.lens import WEIGHTS, Lens


def lens_name(lens: Lens) -> str:
    """Its name, as part of a title."""
    return QCoreApplication.translate("lenses", lens.name)


def lens_help(lens: Lens) -> str:
    """What its numbers are, and what they do not tell."""
    translate = QCoreApplication.translate
    return f"{translate('lenses', lens.meaning)}\n{translate('lenses', lens.misleads)}"


def named(name: str, lens: Lens) -> str:
    """A title, with the lens if it is not the usual one."""
    return name if lens == WEIGHTS else f"{name} · {lens_name(lens)}"


def largest_of(lens: Lens, largest: float) -> float:
    """What is drawn in full strength: 1 of shares, else the number furthest from 0."""
    return 1.0 if lens.is_share else largest or 1.0


def short_number(value: float, lens: Lens) -> str:
    """A number where there is little room: three decimals of shares, three digits of others; "" where there is none."""
    if isnan(value):
        return ""
    if lens.is_share:
        return f"{value:.3f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def threshold_text(at_least: float, lens: Lens) -> str:
    """A least strength, in the lens's own unit."""
    return f"{at_least:.2f}" if lens.is_share else short_number(at_least, lens)


def short_count(count: int) -> str:
    """`count` as people read it: ``81,920``, ``3.1 M``."""
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count:,}"
