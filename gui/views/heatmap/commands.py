"""The colour maps of the heatmap."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.command import Command
from headscope.gui.views.heatmap.settings import HeatmapSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _colors(name: str, title: str, help_: str) -> Command:
    return Command(
        f"colors_{name}",
        "colors",
        title,
        "",
        help_,
        lambda c: c.session.set_view(HeatmapSettings, color_map=name),
        checked=lambda c: c.session.view(HeatmapSettings).color_map == name,
    )


# fmt: off
COLORS: Final = (
    _colors("plain", QT_TRANSLATE_NOOP("commands", "One hue"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap in one hue of the theme.")),
    _colors("viridis", QT_TRANSLATE_NOOP("commands", "Viridis"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap from purple to yellow.")),
    _colors("cividis", QT_TRANSLATE_NOOP("commands", "Cividis"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap from blue to yellow, made for colour-blind eyes.")),
    _colors("grey", QT_TRANSLATE_NOOP("commands", "Grey"),
            QT_TRANSLATE_NOOP("commands", "Colour the heatmap in greys, for print.")),
)
# fmt: on
