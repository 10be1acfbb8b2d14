"""What each filter of sampling left, in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from headscope.core.predict.results import FilterStage
from headscope.gui.paint.probability import readable_probability
from headscope.gui.words.rule_words import MOVES, filter_name


def told(stage: FilterStage) -> str:
    """A filter in words."""
    translate, n = QCoreApplication.translate, stage.n_kept
    if stage.name in MOVES:
        return translate("StepModel", "{filter} changes the probabilities").format(filter=filter_name(stage.name))
    kept = translate("StepModel", "{filter} keeps %n token(s), {mass} of the probability", "", n)
    return kept.format(filter=filter_name(stage.name), mass=readable_probability(stage.mass))
