"""What a model predicts as a figure: bars under headings."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo, why_no_prediction
from headscope.core.predict.results import Prediction
from headscope.core.target import Answer
from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.probability_rows import ProbabilityGroup, ProbabilityRow, probability_figure
from headscope.gui.session.comparison import predicted_axis
from headscope.gui.view_spec import Subject
from headscope.gui.views.predictions.rows import Row, answer_bars, plain_rows, tag_rows
from headscope.gui.views.predictions.words import answers_heading, follows_heading, heading_of, no_answer, tags_heading
from headscope.gui.widgets.probability_bars import Bar

translate = QCoreApplication.translate


def group_of(heading: str, bars: Sequence[Bar]) -> ProbabilityGroup:
    """Bars under a heading."""
    return ProbabilityGroup(
        heading,
        tuple(ProbabilityRow(bar.label, bar.probability, bar.ghost, bar.cut, bar.change, bar.number) for bar in bars),
    )


def predicted_groups(
    blocks: Sequence[tuple[str, Sequence[Row]]],
    tags: Sequence[Prediction],
    answers: Sequence[Answer],
    follows: float | None,
    axis: TokenAxis,
) -> list[ProbabilityGroup]:
    """All that a model predicts of a text, group by group.

    Parameters
    ----------
    blocks : sequence of (heading, rows)
        Predictions that have bars of their own.
    tags : sequence of Prediction
        The tag of each token.
    answers : sequence of Answer
    follows : float, optional
        The probability that the second text follows the first.
    axis : TokenAxis
        The model's own tokens on the side that it predicts.
    """
    groups = [group_of(heading, [row.bar for row in rows]) for heading, rows in blocks]
    if tags:
        rows = tag_rows(tags, (), axis, axis)
        groups.insert(0, group_of(tags_heading(), [Bar(f"{row.token}   {row.tag}", row.probability) for row in rows]))
    if answers:
        groups.insert(0, group_of(answers_heading(), answer_bars(answers, no_answer())))
    if follows is not None:
        yes, no = translate("PredictionsPanel", "yes"), translate("PredictionsPanel", "no")
        groups.append(group_of(follows_heading(), [Bar(yes, follows), Bar(no, 1 - follows)]))
    return groups


def predictions_figure(groups: Sequence[ProbabilityGroup], caption: str = "") -> PaintedFigure | None:
    """The groups under one another; `caption` says what outlines are. None if there is nothing in them."""
    return probability_figure(groups, translate("PredictionsPanel", "Predictions and their probabilities"), caption)


def predictions_of_subject(subject: Subject) -> PaintedFigure:
    """Of the subject's run."""
    run, info = subject.needed_run, subject.needed_model.info
    axis = predicted_axis(subject.own, info)
    tags = [each for each in run.predictions if each.kind == "tag"]
    others = [each for each in run.predictions if each.kind != "tag"]
    mask = info.mask_token or ""
    blocks = [(heading_of(each, axis, mask, one_of=len(others)), plain_rows(each)) for each in others]
    figure = predictions_figure(predicted_groups(blocks, tags, run.answers, run.next_sentence, axis))
    if figure is None:
        raise _why_none(info)
    return figure


def _why_none(info: ModelInfo) -> HeadscopeError:
    if "fill_mask" in info.abilities:
        return HeadscopeError("no_mask", mask_token=info.mask_token)
    if "answer" in info.abilities:
        return HeadscopeError("needs_context", model=info.name)
    return why_no_prediction(info)
