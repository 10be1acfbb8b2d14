"""A row that says which tag a token has: the token, its tag, a bar as long as the tag's probability, the number."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from headscope.gui.paint.probability import paint_probability
from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme, scaled, text_font

_TOKEN_SHARE, _TAG_SHARE = 0.3, 0.4
"""Of the width for the token, and of what is left for the tag."""


@dataclass(frozen=True, slots=True)
class TagRow:
    """One token's tag.

    Attributes
    ----------
    position : int
        Of the model's own tokens.
    token, tag : str
    probability : float
    quiet : bool
        The tag says that there is nothing to say.
    ghost : float or None
        The tag's probability before an edit.
    change : str or None
        Of its log-probability.
    """

    position: int
    token: str
    tag: str
    probability: float
    quiet: bool = False
    ghost: float | None = None
    change: str | None = None


def paint_tag(painter: QPainter, area: QRectF, theme: Theme, row: TagRow, *, with_change: bool) -> None:
    """Paint a row into `area`."""
    width = area.width() * _TOKEN_SHARE
    font = text_font(TEXT_SIZE, QFont.Weight.Normal if row.quiet else QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(theme.color("muted" if row.quiet else "text"))
    token = QFontMetricsF(font).elidedText(row.token, Qt.TextElideMode.ElideRight, width - 2 * GRID)
    painter.drawText(QRectF(area.left(), area.top(), width, area.height()), Qt.AlignmentFlag.AlignVCenter, token)
    rest = area.adjusted(width, 0, 0, 0)
    paint_probability(
        painter,
        rest,
        theme,
        row.tag,
        row.probability,
        label_width=rest.width() * _TAG_SHARE,
        bar_height=scaled(6),
        strong=not row.quiet,
        color=theme.color("muted") if row.quiet else None,
        bar_color=theme.color("muted", 0.5) if row.quiet else None,
        ghost=row.ghost,
        change=(row.change or "") if with_change else None,
    )
