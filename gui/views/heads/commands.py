"""Commands on the grid of heads: how it is sorted, which types it shows, averages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from headscope.core.analyse.records.head_types import ALL_METRICS, HEAD_TYPES, PROBE_METRICS, HeadType, Metric
from headscope.gui.commands.command import Command, has_picture
from headscope.gui.commands.settings import switch
from headscope.gui.context import Context
from headscope.gui.session.session import Session
from headscope.gui.views.heads.settings import HeadsSettings
from headscope.gui.words.head_words import METRIC_WORDS, TYPE_WORDS
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _order(context: Context, **values: Any) -> None:
    """Change the order of the grid, where it can be seen."""
    context.session.update(head_order=replace(context.session.head_order, **values))
    if not context.window.is_view_seen("heads"):
        context.window.bring_view("heads")


def _is_sorted(state: Session) -> bool:
    return has_picture(state) and state.head_order.sort is not None


def _was_probed(state: Session) -> bool:
    return has_picture(state) and state.head_probe is not None


def can_be_probed(state: Session) -> bool:
    """Models with several kinds of attention cannot; nor while the model does something else."""
    return state.model is not None and len(state.model.layers) == 1 and state.busy is None


def _probe(context: Context) -> None:
    context.window.bring_view("heads")
    context.window.panel("heads").probing.measure()


def _filters(state: Session) -> bool:
    return has_picture(state) and state.head_order.filters


def _sort(metric: Metric) -> Command:
    title, meaning = METRIC_WORDS[metric]
    return Command(
        f"sort_{metric}",
        "sorting",
        title,
        "",
        meaning,
        lambda c: _order(c, sort=metric, averages=False),
        _was_probed if metric in PROBE_METRICS else has_picture,
        lambda c: c.session.head_order.sort == metric,
        separated=metric in (ALL_METRICS[0], "rest", PROBE_METRICS[0]),
        context="HeadWords",
    )


def _type(type_: HeadType) -> Command:
    title, meaning = TYPE_WORDS[type_]
    return Command(
        f"type_{type_}",
        "head_types",
        title,
        "",
        meaning,
        lambda c: _order(c, types=c.session.head_order.types ^ {type_}, averages=False),
        has_picture,
        lambda c: type_ in c.session.head_order.types,
        separated=type_ == HEAD_TYPES[0],
        context="HeadWords",
    )


# fmt: off
ORDERING: Final = (
    Command("sort_layers", "sorting", QT_TRANSLATE_NOOP("commands", "Layer and head"), "",
            QT_TRANSLATE_NOOP("commands", "Order heads by layer and head, as in the model."),
            lambda c: _order(c, sort=None, averages=False), has_picture, lambda c: c.session.head_order.sort is None),
    *map(_sort, ALL_METRICS),
    Command("smallest_first", "sorting", QT_TRANSLATE_NOOP("commands", "Smallest first"), "",
            QT_TRANSLATE_NOOP("commands", "Sort in ascending order."),
            lambda c: _order(c, smallest_first=not c.session.head_order.smallest_first, averages=False), _is_sorted,
            lambda c: c.session.head_order.smallest_first, separated=True),
    Command("all_heads", "head_types", QT_TRANSLATE_NOOP("commands", "Show all heads"), "",
            QT_TRANSLATE_NOOP("commands", "Clear the filters: show heads of all types and values."),
            lambda c: _order(c, types=frozenset(), minimum=None), _filters),
    *map(_type, HEAD_TYPES),
    Command("probe_heads", "heads", QT_TRANSLATE_NOOP("commands", "Measure heads on a probe"), "",
            QT_TRANSLATE_NOOP("commands", "Run the model on random tokens that are repeated: finds induction, previous-token and "
                              "duplicate-token heads, whatever the text is."),
            _probe, can_be_probed, separated=True),
    Command("averages", "heads", QT_TRANSLATE_NOOP("commands", "Layer averages"), "",
            QT_TRANSLATE_NOOP("commands", "Show one picture per layer in the grid: the exact average over its heads."),
            lambda c: _order(c, averages=not c.session.head_order.averages), lambda s: has_picture(s) and s.lens.is_share,
            lambda c: c.session.head_order.averages, separated=True),
    switch(HeadsSettings, "own_maximum", "heads", QT_TRANSLATE_NOOP("commands", "Scale per head"),
           QT_TRANSLATE_NOOP("commands", "Scale each head of the grid to its own largest weight instead of to 1.")),
    switch(HeadsSettings, "scatter", "heads", QT_TRANSLATE_NOOP("commands", "Scatter of heads"),
           QT_TRANSLATE_NOOP("commands", "Show every head as a point, one metric against another.")),
)
# fmt: on
