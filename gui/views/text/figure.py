"""The text as a figure: coloured as its panel shows it, or from a run alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QPainter

from headscope.core.arguments import position, refuse
from headscope.core.attention.head_map import Side
from headscope.core.job import Job
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.lens_words import named
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import Theme, theme_of
from headscope.gui.session.outcome import explained, read_at, target_of
from headscope.gui.view_spec import Subject
from headscope.gui.views.text.along import Numbers, Shown, Values
from headscope.gui.views.text.paint.layout import ReadingLayout
from headscope.gui.views.text.paint.passage import Passage
from headscope.gui.views.text.paint.shades import Shades, paint_reading, shades_through
from headscope.gui.views.text.words import attention_words, attribution_words, bits, prediction_words, surprisal_words

_NATURAL: Final = 480.0
"""Width, in design units."""


def text_figure(passage: Passage, shades: Shades | None, chosen: Collection[int], title: str) -> PaintedFigure:
    """A text with colours behind its words; `title` says of what."""

    def laid_out(width: float, theme: Theme) -> ReadingLayout:
        layout = ReadingLayout(passage, width - 2, theme)
        while not layout.is_complete:
            layout.advance(1.0)
        return layout

    def draw(painter: QPainter, width: float, height: float, theme: Theme) -> None:
        painter.translate(1, 0)
        paint_reading(painter, laid_out(width, theme), theme, 0, height, shades=shades, chosen=chosen)

    def high(width: float) -> float:
        return laid_out(width, theme_of(False)).height

    about = QCoreApplication.translate("ReadingPanel", "Text: {title}").format(title=title)
    return PaintedFigure(about, _NATURAL, high, draw, title, None if shades is None else shades.scale)


# ---------------------------------------------------------------- without a window
def text_of_subject(subject: Subject) -> PaintedFigure:
    """Coloured by attention from or to the subject's token, by surprisal, or by what its prediction is attributed to."""
    axis = subject.record.axis(subject.kind)
    shown = Shown(subject.own, subject.kind, axis.queries, axis.keys)
    passage = shown.passage(axis.queries.text_pair)
    match subject.show:
        case "surprisal":
            values, words, chosen = _surprisal(subject, shown)
            return text_figure(passage, Shades(shown.spread(values), bits()), chosen, words)
        case "attribution" | "rollout":
            values, words, chosen = _attribution(subject, shown)
        case _:
            values, words, chosen = _attention(subject, shown)
            return text_figure(passage, shades_through(subject.record.lens, shown.spread(values)), chosen, words)
    return text_figure(passage, Shades(shown.spread(values)), chosen, words)


def _attention(subject: Subject, shown: Shown) -> tuple[Values, str, list[int]]:
    from headscope.core.analyse.records.rows_and_columns import looks

    side: Side = "query" if subject.show == "attends_to" else "key"
    axis = shown.queries if side == "query" else shown.keys
    at = position(subject.needed_token, len(axis))
    weights: FloatArray = looks(subject.record, subject.kind, subject.heads, (at,), side).mean(axis=0)
    words = named(attention_words(axis.tokens[at].text, 1, subject.heads, side), subject.record.lens)
    values = Values(keys=weights) if side == "query" or shown.is_one_text else Values(queries=weights)
    return values, words, [shown.word(at, side)]


def _surprisal(subject: Subject, shown: Shown) -> tuple[Values, str, list[int]]:
    from headscope.core.predict.reader import inputs_of
    from headscope.core.predict.surprisal import surprisal_of

    found = surprisal_of(subject.needed_model, inputs_of(subject.own), Job())
    values = shown.along({shown.predicted: (found.ids, found.bits)})
    return _there(subject, values), surprisal_words(masked=found.pseudo), []


def _attribution(subject: Subject, shown: Shown) -> tuple[Values, str, list[int]]:
    """Of the prediction at the subject's token, or of the first."""
    from headscope.core.analyse.attribution.token_attribution import token_attribution
    from headscope.core.analyse.records.rollout import rollout_to

    captured = subject.own
    pieces = range(0) if subject.token is None else shown.queries.pieces_of(position(subject.token, len(shown.queries)))
    what = explained(() if subject.run is None else subject.run.predictions, None, pieces)
    if subject.show == "rollout":
        last = len(captured.axis(subject.kind).queries) - 1
        at = pieces[0] if pieces else None if what is None else read_at(*what)
        row = min(last if at is None else at, last)
        shares = rollout_to(captured, subject.kind, row)
        ids = tuple(token.id for token in captured.axis(subject.kind).keys.tokens)
        token = captured.axis(subject.kind).queries.tokens[row].text
        words = attribution_words(QCoreApplication.translate("ReadingPanel", "“{token}”").format(token=token))
        return _there(subject, shown.along({shown.text_of(shown.keys): (ids, shares)})), words, []
    if what is None:
        refuse("view", "text", "of a run with predictions, where it shows attribution")
    n_tokens = len(captured.axis("decoder" if "decoder" in captured.kinds else captured.kinds[0]).queries)
    found = token_attribution(subject.needed_model, captured, target_of(*what, n_tokens))
    numbers: Numbers = {"source": (found.ids, found.source)}
    if found.target_ids:
        numbers = {**numbers, "target": (found.target_ids, found.target)}
    return _there(subject, shown.along(numbers)), attribution_words(prediction_words(*what)), []


def _there(subject: Subject, values: Values | None) -> Values:
    """What was computed, if it is of the texts that are shown."""
    return refuse("kind", subject.kind, f"of the text that has {subject.show}") if values is None else values
