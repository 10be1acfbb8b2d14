"""Rules and filters of generation in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from headscope.core.options import Rule

_MOST_SHOWN = 3
"""Tokens that a rule's words name."""
MOVES = frozenset(
    {"sequence_bias", "encoder_repetition_penalty", "repetition_penalty", "exponential_decay_length_penalty", "temperature"}
)
"""Filters that change probabilities and strike no token out."""


def _translate(words: str) -> str:
    return QCoreApplication.translate("RuleWords", words)


def filter_name(name: str) -> str:
    """What a filter or a rule is called among others: ``Top-k``."""
    names = {
        "model": _translate("The model"),
        "sequence_bias": _translate("Sequence bias"),
        "encoder_repetition_penalty": _translate("Source repetition penalty"),
        "repetition_penalty": _translate("Repetition penalty"),
        "no_repeat_ngram_size": _translate("No repeated n-gram"),
        "encoder_no_repeat_ngram_size": _translate("No n-gram from the source"),
        "bad_words_ids": _translate("Forbidden words"),
        "min_length": _translate("Minimum length"),
        "min_new_tokens": _translate("Minimum new tokens"),
        "forced_bos_token_id": _translate("Forced first token"),
        "forced_eos_token_id": _translate("Forced last token"),
        "remove_invalid_values": _translate("Invalid values replaced"),
        "exponential_decay_length_penalty": _translate("Exponential length decay"),
        "suppress_tokens": _translate("Suppressed tokens"),
        "begin_suppress_tokens": _translate("Suppressed first tokens"),
        "temperature": _translate("Temperature"),
        "top_h": _translate("Top-h"),
        "top_k": _translate("Top-k"),
        "top_p": _translate("Top-p"),
        "min_p": _translate("Min-p"),
        "typical_p": _translate("Typical-p"),
        "epsilon_cutoff": _translate("Epsilon cut-off"),
        "eta_cutoff": _translate("Eta cut-off"),
        "renormalize_logits": _translate("Renormalised"),
    }
    return names[name]


def rule_words(rule: Rule) -> str:
    """What a rule asks for, in plain words: ``No 3 tokens twice``."""
    value = rule.value
    tokens = ", ".join(f"«{word}»" for word in rule.words[:_MOST_SHOWN])
    named = len(value) if isinstance(value, tuple) else 1
    if named > _MOST_SHOWN:
        tokens = _translate("{tokens} and {n} more").format(tokens=tokens, n=named - _MOST_SHOWN)
    words = {
        "sequence_bias": _translate("More or less probable: {tokens}"),
        "encoder_repetition_penalty": _translate("Source tokens favoured (× {value})"),
        "no_repeat_ngram_size": _translate("No repeated token")
        if value == 1
        else _translate("No repeated run of {value} tokens"),
        "encoder_no_repeat_ngram_size": _translate("No token from the source")
        if value == 1
        else _translate("No run of {value} tokens from the source"),
        "bad_words_ids": _translate("Never {tokens}"),
        "min_length": _translate("At least {value} tokens, including the prompt"),
        "min_new_tokens": _translate("At least {value} new tokens"),
        "forced_bos_token_id": _translate("Begins with {tokens}"),
        "forced_eos_token_id": _translate("Ends with {tokens} at the latest"),
        "remove_invalid_values": _translate("NaN and infinite values are replaced"),
        "exponential_decay_length_penalty": _translate(
            "After {first} new tokens, ending becomes ever more probable (× {second})"
        ),
        "suppress_tokens": _translate("Never {tokens}"),
        "begin_suppress_tokens": _translate("Does not begin with {tokens}"),
        "typical_p": _translate("Samples typical tokens that make up {value} of the probability"),
        "epsilon_cutoff": _translate("Samples no token below probability {value}"),
        "eta_cutoff": _translate("Samples no token below probability {value}, or less where many are likely"),
        "top_h": _translate("Samples tokens that make up {value} of the entropy"),
        "renormalize_logits": _translate("Beam probabilities are renormalised after the rules"),
    }[rule.name]
    first, second = value if rule.name == "exponential_decay_length_penalty" else (value, "")
    return words.format(value=value, tokens=tokens or _translate("some tokens"), first=first, second=second)
