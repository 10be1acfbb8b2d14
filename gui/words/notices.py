"""Codes become sentences: errors and progress in the user's language, with English as the fallback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QCoreApplication

from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.job import Progress
from headscope.core.keep import Offer
from headscope.core.messages import MESSAGES
from headscope.core.text.tokens import Token
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

_STAGES = {
    "starting": QT_TRANSLATE_NOOP("progress", "Starting"),
    "loading": QT_TRANSLATE_NOOP("progress", "Loading"),
    "downloading": QT_TRANSLATE_NOOP("progress", "Downloading"),
    "reading": QT_TRANSLATE_NOOP("progress", "Units"),
    "running": QT_TRANSLATE_NOOP("progress", "Running the model"),
    "verifying": QT_TRANSLATE_NOOP("progress", "Comparing with plain transformers"),
    "generating": QT_TRANSLATE_NOOP("progress", "Generating"),
    "filling": QT_TRANSLATE_NOOP("progress", "Filling masks"),
    "drawing": QT_TRANSLATE_NOOP("progress", "Drawing"),
    "training": QT_TRANSLATE_NOOP("progress", "Training"),
    "writing": QT_TRANSLATE_NOOP("progress", "Writing"),
    "sweeping": QT_TRANSLATE_NOOP("progress", "Running the sweep"),
    "measuring": QT_TRANSLATE_NOOP("progress", "Measuring heads on a probe"),
    "stopping": QT_TRANSLATE_NOOP("progress", "Stopping"),
}

_SEVERAL = 3
"""Unknown tokens: of fewer one sees at a glance that they are."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A wait that the screen shows. `lane` tells which Stop ends it."""

    message: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One clear sentence for the user, and a way out; `offers` can be taken with a click. `level` is "error" or "info".

    One about a file that was written, at `path`, offers to open it and to show where it is, and goes by itself.
    """

    level: Literal["error", "info"]
    message: str
    remedy: str = ""
    details: str = ""
    offers: tuple[Offer, ...] = ()
    path: Path | None = None


def busy_of(progress: Progress) -> Busy:
    """What the screen says while a job is at `progress`."""
    return busy_at(progress.stage, progress.fraction, progress.detail)


def busy_at(stage: str, fraction: float | None = None, detail: str = "") -> Busy:
    """What the screen says at a stage: a key of the progress stages, or "stopping"."""
    sentence = QCoreApplication.translate("progress", _STAGES[stage])
    return Busy(f"{sentence} {detail}".rstrip() + "…", fraction)


def notice_of(error: HeadscopeError) -> Notice:
    """An error as the notice bar shows it."""
    message, remedy = (QCoreApplication.translate("errors", template) for template in MESSAGES[error.code])
    if error.offers:
        remedy = QCoreApplication.translate("errors", "Choose a way to make it fit:")
    return Notice("error", error.fill(message, _sentence), error.fill(remedy, _sentence), error.details, error.offers)


def _sentence(template: str) -> str:
    return QCoreApplication.translate("sentences", template)


def notes_of(model: ModelInfo | None) -> str:
    """What of a model cannot be shown or used, and why; "" if there is nothing to say."""
    return " ".join(note.told(_sentence) for note in model.notes) if model is not None else ""


def note_of(opened: ModelInfo | None, shown: ModelInfo | None) -> Notice | None:
    """The notes on the model `opened`, when its first picture follows those of another model; None if there are none."""
    return Notice("info", notes_of(opened)) if opened is not None and opened is not shown and opened.notes else None


def unknown_note(tokens: Sequence[Token]) -> Notice | None:
    """That a model cannot read a text: most of its tokens, and several of them, are unknown to it. None if it can."""
    words = [token for token in tokens if not token.special or token.unknown]
    unknown = sum(token.unknown for token in words)
    if unknown < _SEVERAL or 2 * unknown < len(words):
        return None
    sentence = QCoreApplication.translate(
        "notices",
        "{n} of {count} tokens are not in this model's vocabulary. It reads each of them as the same unknown token, so what it "
        "attends to and predicts here says nothing about the text.",
    )
    return Notice("info", sentence.format(n=unknown, count=len(words)))


def refusal_of(error: HeadscopeError) -> str:
    """Why a question of a panel has no answer, and the way out: for the panel to say in the place of the answer."""
    notice = notice_of(error)
    return f"{notice.message} {notice.remedy}"


def label_of(offer: Offer) -> str:
    """An offer as its button says it."""
    keep, translate = offer.keep, QCoreApplication.translate
    if offer.text is not None:
        n = offer.n_tokens or 0
        return translate("offers", "Shorten the text to %n token(s)", "", n)
    if keep.layers is not None:
        n = len(keep.layers)
        if keep.half:
            return translate("offers", "Keep %n layer(s), in half precision", "", n)
        return translate("offers", "Keep %n layer(s)", "", n)
    if keep.place == "host" and keep.half:
        return translate("offers", "Keep the record in memory, in half precision")
    if keep.half:
        return translate("offers", "Keep the record in half precision")
    return translate("offers", "Keep the record in the computer's memory")
