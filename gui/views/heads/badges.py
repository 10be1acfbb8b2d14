"""What a head's marks mean, in words: its type, what it does with the rest of its attention, what it does on a probe."""

from __future__ import annotations

from collections import Counter
from math import isnan

from PySide6.QtCore import QCoreApplication

from headscope.core.analyse.records.head_types import (
    ALL_METRICS,
    OF_REST,
    REST_SHARE,
    SINK_TYPES,
    THRESHOLDS,
    HeadMetrics,
    HeadProbe,
    HeadType,
    Metric,
)
from headscope.core.vocabulary import Head
from headscope.gui.paint.head_types import type_color
from headscope.gui.paint.theme import Theme
from headscope.gui.widgets.head_preview import HeadDetails
from headscope.gui.words.head_words import metric_name, metric_value, type_meaning, type_name


def details(head: Head, metrics: HeadMetrics, probe: HeadProbe | None, theme: Theme) -> HeadDetails:
    """What the preview of a measured head says: its type and its second one with their shares, and all numbers that mean something."""
    type_, values = metrics.types[head], metrics.of(head)
    title = _named(type_, values.get(_metric_of(type_)))
    second = metrics.second_types.get(head)
    shown = [metric for metric in ALL_METRICS if metric in values and not isnan(values[metric])]
    lines = [(metric_name(metric), metric_value(metric, values[metric])) for metric in shown if _concerns(metric, type_)]
    badges: list[tuple[str, str]] = []
    if second is not None:
        share = values.get(OF_REST.get(_metric_of(second), "rest"))
        badges.append(
            (
                QCoreApplication.translate("HeadBadges", "Rest of attention"),
                _named(second, share if second in OF_REST else None),
            )
        )
    elif type_ in SINK_TYPES:
        badges.append(
            (
                QCoreApplication.translate("HeadBadges", "Rest of attention"),
                QCoreApplication.translate("HeadBadges", "under {share}").format(share=REST_SHARE),
            )
        )
    on_probe = None if probe is None or probe.kind != metrics.kind else probe.type_of(head)
    if on_probe is not None:
        badges.append((QCoreApplication.translate("HeadBadges", "On probe"), type_name(on_probe)))
    return HeadDetails(title, type_color(type_, theme), [*badges, *lines])


def _metric_of(type_: HeadType) -> Metric:
    """What heads of a type are named after; of "mixed" ones nothing is."""
    return "relative_entropy" if type_ == "broad" or type_ == "mixed" else type_


def _named(type_: HeadType, share: float | None) -> str:
    """A type with its share, where it is named after one."""
    if type_ in ("broad", "mixed") or share is None:
        return type_name(type_)
    return f"{type_name(type_)} {share:.2f}"


def _concerns(metric: Metric, type_: HeadType) -> bool:
    """Metrics of the rest are told of heads that are named after a sink: of others they say nearly the same again."""
    return type_ in SINK_TYPES or metric not in OF_REST.values()


def counted(
    metrics: HeadMetrics | None, probe: HeadProbe | None
) -> tuple[Counter[HeadType], Counter[HeadType], Counter[HeadType]]:
    """How many heads are of each type, by their second type, and on the probe."""
    if metrics is None:
        return Counter(), Counter(), Counter()
    on_probe = () if probe is None or probe.kind != metrics.kind else map(probe.type_of, probe.types)
    return (
        Counter(metrics.types.values()),
        Counter(metrics.second_types.values()),
        Counter(t for t in on_probe if t is not None),
    )


def count_words(first: int, second: int) -> str:
    """As in the legend: heads of a type, and those that are so by the rest of their attention."""
    return f"{first} + {second}" if second else str(first)


def legend_words(type_: HeadType, first: int, second: int, probed: int | None) -> str:
    """The tool tip of a type in the legend."""
    lines = [f"{type_name(type_)}: {type_meaning(type_)}"]
    if second:
        words = QCoreApplication.translate(
            "HeadBadges",
            "{first} by all of their attention, {second} more by what is left without the first token and special tokens "
            "(where that is at least {share}): the right half of the bar.",
        )
        lines.append(words.format(first=first, second=second, share=THRESHOLDS["rest"]))
    if probed is not None:
        lines.append(QCoreApplication.translate("HeadBadges", "On the probe: {n}.").format(n=probed))
    return "\n".join(lines)


def probe_words(probe: HeadProbe) -> tuple[str, str]:
    """What stands under the legend once heads were measured on a probe, and its tool tip."""
    drawn = {"repeats": probe.repeats, "length": probe.length, "seed": probe.seed}
    best = []
    for metric, scores in probe.scores.items():
        layer, head = divmod(int(scores.argmax()), scores.shape[1])
        best.append(f"{metric_name(metric)}: {layer}·{head} {scores[layer, head]:.2f}")
    tip = QCoreApplication.translate(
        "HeadBadges",
        "The lower bar is what a head does on {repeats} × {length} random tokens of the model's vocabulary (seed {seed}), beside the "
        "first token if most of its attention goes there. Largest:",
    )
    return QCoreApplication.translate("HeadBadges", "lower bar: probe {repeats} × {length}").format(**drawn), "\n".join(
        [tip.format(**drawn), *best]
    )
