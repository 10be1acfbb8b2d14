"""What the pictures on the screen are of, for the files that are written of them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Head
from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.origin import Origin
from headscope.gui.session.session import Session


def origin_of(session: Session, *, heads: tuple[Head, ...], in_units: bool, through_lens: bool) -> Origin:
    """Of a figure of some heads, none where it has no heads; in the units of the screen, or in the model's own tokens; through its lens or not."""
    step = session.steps[session.step] if session.step is not None and session.step < len(session.steps) else None
    record, run = session.record, session.looked_at
    text = "" if record is None else text_of(record.axis(session.kind).keys)
    if step is not None:
        text = step.text
    elif run is not None:
        text = " / ".join(part for part in (run.prompt.text, run.prompt.text_pair) if part)
    return Origin(
        model="" if session.model is None else session.model.name,
        text=text,
        kind=session.kind if heads else "",
        heads=heads,
        units=session.units.of if in_units else "",
        special=session.units.special if in_units else "shown",
        lens=lens_words(session.shown_lens) if through_lens else lens_words(WEIGHTS) if heads else "",
        edited=run is not None and bool(run.edits),
        step=session.step,
    )


def lens_words(lens: Lens) -> str:
    """What of a head is shown."""
    return QCoreApplication.translate("origin", "attention {numbers}").format(numbers=lens_name(lens))


def text_of(axis: TokenAxis) -> str:
    """The text, or the two, that tokens are of."""
    return " / ".join(part for part in (axis.text, axis.text_pair) if part)
