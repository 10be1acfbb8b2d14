"""Codes become sentences: errors and progress in the user's language, with English as the fallback."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from headscope.core.errors import MESSAGES, HeadscopeError
from headscope.core.jobs import Progress
from headscope.gui.state import Busy, Notice


def QT_TRANSLATE_NOOP(_context: str, text: str) -> str:
    """Marks `text` for translators, who find it by this function's name; translated where shown. (Qt's own is untyped.)"""
    return text


_STAGES = {
    "starting": QT_TRANSLATE_NOOP("progress", "Starting"),
    "loading": QT_TRANSLATE_NOOP("progress", "Loading"),
    "downloading": QT_TRANSLATE_NOOP("progress", "Downloading"),
    "reading": QT_TRANSLATE_NOOP("progress", "Reading"),
    "running": QT_TRANSLATE_NOOP("progress", "Running the model"),
    "generating": QT_TRANSLATE_NOOP("progress", "Generating"),
    "filling": QT_TRANSLATE_NOOP("progress", "Filling masks"),
    "drawing": QT_TRANSLATE_NOOP("progress", "Drawing"),
    "training": QT_TRANSLATE_NOOP("progress", "Training"),
    "writing": QT_TRANSLATE_NOOP("progress", "Writing"),
    "stopping": QT_TRANSLATE_NOOP("progress", "Stopping"),
}


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
    return Notice("error", message.format(**error.parameters), remedy.format(**error.parameters), error.details)
