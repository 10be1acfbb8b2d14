"""What head metrics and head types are called on the screen, and what they mean, in a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QCoreApplication

from headscope.core.analyse.records.head_types import THRESHOLDS, HeadType, Metric
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

METRIC_WORDS: Final[Mapping[Metric, tuple[str, str]]] = {
    "entropy": (
        QT_TRANSLATE_NOOP("HeadWords", "Entropy"),
        QT_TRANSLATE_NOOP("HeadWords", "How widely a head spreads its attention, in bits; 0 means all on one token."),
    ),
    "relative_entropy": (
        QT_TRANSLATE_NOOP("HeadWords", "Relative entropy"),
        QT_TRANSLATE_NOOP("HeadWords", "Entropy as a share of its maximum over the visible tokens."),
    ),
    "confidence": (
        QT_TRANSLATE_NOOP("HeadWords", "Confidence"),
        QT_TRANSLATE_NOOP("HeadWords", "The largest weight of each query, on average; special tokens excluded."),
    ),
    "distance": (
        QT_TRANSLATE_NOOP("HeadWords", "Distance"),
        QT_TRANSLATE_NOOP("HeadWords", "How many tokens away a head attends, on average."),
    ),
    "first": (
        QT_TRANSLATE_NOOP("HeadWords", "First token"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to the first token: an attention sink."),
    ),
    "previous": (
        QT_TRANSLATE_NOOP("HeadWords", "Previous token"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to the previous token."),
    ),
    "next": (
        QT_TRANSLATE_NOOP("HeadWords", "Next token"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to the next token."),
    ),
    "same": (
        QT_TRANSLATE_NOOP("HeadWords", "Same token"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention from a token to itself."),
    ),
    "special": (
        QT_TRANSLATE_NOOP("HeadWords", "Special tokens"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to tokens that the tokenizer added."),
    ),
    "separator": (
        QT_TRANSLATE_NOOP("HeadWords", "Separators"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to special tokens that end a text, such as [SEP]."),
    ),
    "induction": (
        QT_TRANSLATE_NOOP("HeadWords", "Induction"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to tokens that followed the same token earlier in the text."),
    ),
    "duplicate": (
        QT_TRANSLATE_NOOP("HeadWords", "Duplicate token"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to earlier occurrences of the same token."),
    ),
    "rest": (
        QT_TRANSLATE_NOOP("HeadWords", "Rest"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention that goes neither to the first token nor to special tokens."),
    ),
    "rest_entropy": (
        QT_TRANSLATE_NOOP("HeadWords", "Entropy of the rest"),
        QT_TRANSLATE_NOOP("HeadWords", "How widely the rest is spread, in bits; the first token and special tokens excluded."),
    ),
    "rest_relative_entropy": (
        QT_TRANSLATE_NOOP("HeadWords", "Relative entropy of the rest"),
        QT_TRANSLATE_NOOP("HeadWords", "Entropy of the rest as a share of its maximum over the visible tokens of the rest."),
    ),
    "rest_previous": (
        QT_TRANSLATE_NOOP("HeadWords", "Previous token of the rest"),
        QT_TRANSLATE_NOOP(
            "HeadWords", "Of the attention not on the first token or special tokens, the share to the previous one."
        ),
    ),
    "rest_next": (
        QT_TRANSLATE_NOOP("HeadWords", "Next token of the rest"),
        QT_TRANSLATE_NOOP("HeadWords", "Of the attention not on the first token or special tokens, the share to the next one."),
    ),
    "rest_same": (
        QT_TRANSLATE_NOOP("HeadWords", "Same token of the rest"),
        QT_TRANSLATE_NOOP(
            "HeadWords", "Of the attention not on the first token or special tokens, the share to the token itself."
        ),
    ),
    "rest_induction": (
        QT_TRANSLATE_NOOP("HeadWords", "Induction of the rest"),
        QT_TRANSLATE_NOOP(
            "HeadWords",
            "Of the attention not on the first token or special tokens, the share to tokens that followed the same token earlier.",
        ),
    ),
    "rest_duplicate": (
        QT_TRANSLATE_NOOP("HeadWords", "Duplicate token of the rest"),
        QT_TRANSLATE_NOOP(
            "HeadWords",
            "Of the attention not on the first token or special tokens, the share to earlier occurrences of the same token.",
        ),
    ),
    "probe_previous": (
        QT_TRANSLATE_NOOP("HeadWords", "Previous token on a probe"),
        QT_TRANSLATE_NOOP("HeadWords", "Share of attention to the previous token, on repeated random tokens."),
    ),
    "probe_induction": (
        QT_TRANSLATE_NOOP("HeadWords", "Induction on a probe"),
        QT_TRANSLATE_NOOP(
            "HeadWords", "Share of attention to tokens that followed the same token earlier, on repeated random tokens."
        ),
    ),
    "probe_duplicate": (
        QT_TRANSLATE_NOOP("HeadWords", "Duplicate token on a probe"),
        QT_TRANSLATE_NOOP(
            "HeadWords", "Share of attention to earlier occurrences of the same token, on repeated random tokens."
        ),
    ),
}
"""Name and meaning, in English; the context of their translations is "HeadWords"."""
TYPE_WORDS: Final[Mapping[HeadType, tuple[str, str]]] = {
    "previous": (
        QT_TRANSLATE_NOOP("HeadWords", "previous token"),
        QT_TRANSLATE_NOOP("HeadWords", "More than half of the attention goes to the previous token."),
    ),
    "next": (
        QT_TRANSLATE_NOOP("HeadWords", "next token"),
        QT_TRANSLATE_NOOP("HeadWords", "More than half of the attention goes to the next token."),
    ),
    "same": (
        QT_TRANSLATE_NOOP("HeadWords", "same token"),
        QT_TRANSLATE_NOOP("HeadWords", "More than half of the attention stays on the token itself."),
    ),
    "induction": (
        QT_TRANSLATE_NOOP("HeadWords", "induction"),
        QT_TRANSLATE_NOOP("HeadWords", "More than half goes to tokens that followed the same token earlier in the text."),
    ),
    "duplicate": (
        QT_TRANSLATE_NOOP("HeadWords", "duplicate token"),
        QT_TRANSLATE_NOOP("HeadWords", "More than half goes to earlier occurrences of the same token."),
    ),
    "special": (
        QT_TRANSLATE_NOOP("HeadWords", "special tokens"),
        QT_TRANSLATE_NOOP("HeadWords", "More than 0.6 goes to special tokens, and not most of it to the first."),
    ),
    "first": (
        QT_TRANSLATE_NOOP("HeadWords", "first token"),
        QT_TRANSLATE_NOOP("HeadWords", "More than 0.3 goes to the first token: an attention sink."),
    ),
    "broad": (
        QT_TRANSLATE_NOOP("HeadWords", "broad"),
        QT_TRANSLATE_NOOP("HeadWords", "Attention is spread widely: entropy over 3.8 nats, or over 0.9 of its maximum."),
    ),
    "mixed": (QT_TRANSLATE_NOOP("HeadWords", "mixed"), QT_TRANSLATE_NOOP("HeadWords", "None of the other types.")),
}
"""The same."""
_SHORT: Final[Mapping[HeadType, str]] = {
    "previous": QT_TRANSLATE_NOOP("HeadWords", "previous"),
    "next": QT_TRANSLATE_NOOP("HeadWords", "next"),
    "same": QT_TRANSLATE_NOOP("HeadWords", "same"),
    "induction": QT_TRANSLATE_NOOP("HeadWords", "induction"),
    "duplicate": QT_TRANSLATE_NOOP("HeadWords", "duplicate"),
    "special": QT_TRANSLATE_NOOP("HeadWords", "special"),
    "first": QT_TRANSLATE_NOOP("HeadWords", "first"),
    "broad": QT_TRANSLATE_NOOP("HeadWords", "broad"),
    "mixed": QT_TRANSLATE_NOOP("HeadWords", "mixed"),
}


def metric_name(metric: Metric) -> str:
    """As in menus."""
    return QCoreApplication.translate("HeadWords", METRIC_WORDS[metric][0])


def metric_meaning(metric: Metric) -> str:
    """As a tool tip."""
    return QCoreApplication.translate("HeadWords", METRIC_WORDS[metric][1])


def metric_value(metric: Metric, value: float) -> str:
    """With its unit."""
    if metric in ("entropy", "rest_entropy"):
        return QCoreApplication.translate("HeadWords", "{bits:.2f} bits").format(bits=value)
    if metric == "distance":
        return QCoreApplication.translate("HeadWords", "{n:.2f} tokens").format(n=value)
    return f"{value:.3f}"


def type_name(type_: HeadType) -> str:
    """As in menus."""
    return QCoreApplication.translate("HeadWords", TYPE_WORDS[type_][0])


def type_meaning(type_: HeadType) -> str:
    """As a tool tip."""
    return QCoreApplication.translate("HeadWords", TYPE_WORDS[type_][1])


def type_rule(type_: HeadType) -> str:
    """What a head is over to be of this type, in figures; nothing of one that is none of the others."""
    if type_ == "mixed":
        return ""
    if type_ == "broad":
        return QCoreApplication.translate("HeadWords", "> {share} of maximum").format(share=THRESHOLDS["relative_entropy"])
    return f"> {THRESHOLDS[type_]}"


def threshold_words(metric: Metric) -> str:
    """A line of a plot: over it a head is named after this metric."""
    return f"{metric_name(metric)} > {metric_value(metric, THRESHOLDS[metric]).rstrip('0')}"


def type_short(type_: HeadType) -> str:
    """As in the legend, where all types stand beside each other in a narrow dock."""
    return QCoreApplication.translate("HeadWords", _SHORT[type_])
