"""The scales and the colour maps of the heatmap."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.settings import choice, switch
from headscope.gui.views.heatmap.settings import HOME, HeatmapSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
SCALES: Final = (
    choice(HeatmapSettings, "scales", QT_TRANSLATE_NOOP("commands", "Linear"),
           QT_TRANSLATE_NOOP("commands", "Colour the heatmap in proportion to the weight."), scale="linear", ends=HOME),
    choice(HeatmapSettings, "scales", QT_TRANSLATE_NOOP("commands", "Logarithmic"),
           QT_TRANSLATE_NOOP("commands", "Colour the heatmap over four powers of ten."), scale="log", ends=HOME),
    choice(HeatmapSettings, "scales", QT_TRANSLATE_NOOP("commands", "Row by row"),
           QT_TRANSLATE_NOOP("commands", "Scale each row of the heatmap to its own maximum."), scale="row", ends=HOME),
    choice(HeatmapSettings, "scales", QT_TRANSLATE_NOOP("commands", "Rank in the head"),
           QT_TRANSLATE_NOOP("commands", "Colour each cell by the share of the head's cells with smaller values."),
           scale="rank", ends=HOME),
    switch(HeatmapSettings, "stretched", "scales", QT_TRANSLATE_NOOP("commands", "Scale to this head's maximum"),
           QT_TRANSLATE_NOOP("commands", "End the colours at the head's largest weight instead of at 1."), separated=True),
)
COLORS: Final = (
    choice(HeatmapSettings, "colors", QT_TRANSLATE_NOOP("commands", "One hue"),
           QT_TRANSLATE_NOOP("commands", "Colour the heatmap in one hue of the theme."), color_map="plain"),
    choice(HeatmapSettings, "colors", QT_TRANSLATE_NOOP("commands", "Viridis"),
           QT_TRANSLATE_NOOP("commands", "Colour the heatmap from purple to yellow."), color_map="viridis"),
    choice(HeatmapSettings, "colors", QT_TRANSLATE_NOOP("commands", "Cividis"),
           QT_TRANSLATE_NOOP("commands", "Colour the heatmap from blue to yellow, made for colour-blind eyes."), color_map="cividis"),
    choice(HeatmapSettings, "colors", QT_TRANSLATE_NOOP("commands", "Grey"),
           QT_TRANSLATE_NOOP("commands", "Colour the heatmap in greys, for print."), color_map="grey"),
)
# fmt: on
