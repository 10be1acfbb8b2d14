"""What the text is coloured by."""

from __future__ import annotations

from typing import Final

from headscope.gui.commands.settings import choice, switch
from headscope.gui.views.text.settings import TextSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
MODES: Final = (
    choice(TextSettings, "text", QT_TRANSLATE_NOOP("commands", "Attends to"),
           QT_TRANSLATE_NOOP("commands", "Colour the text by what the selected token attends to."), mode="from"),
    choice(TextSettings, "text", QT_TRANSLATE_NOOP("commands", "Attended by"),
           QT_TRANSLATE_NOOP("commands", "Colour the text by what attends to the selected token."), mode="to"),
    choice(TextSettings, "text", QT_TRANSLATE_NOOP("commands", "Surprisal"),
           QT_TRANSLATE_NOOP("commands", "Colour the text by how unexpected each token is."), mode="surprisal"),
    choice(TextSettings, "text", QT_TRANSLATE_NOOP("commands", "Attribution"),
           QT_TRANSLATE_NOOP("commands", "Colour the text by how much each token contributes to the prediction."),
           mode="attribution"),
    switch(TextSettings, "rollout", "text", QT_TRANSLATE_NOOP("commands", "Attribution by rollout"),
           QT_TRANSLATE_NOOP("commands", "Attribute by attention rollout instead of by gradients."), separated=True),
)
# fmt: on
