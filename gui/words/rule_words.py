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


def filter_name(name: str) -> str:
    """What a filter or a rule is called among others: ``Top-k``."""
    translate = QCoreApplication.translate
    names = {
        "model": translate("RuleWords", "The model"),
        "sequence_bias": translate("RuleWords", "Sequence bias"),
        "encoder_repetition_penalty": translate("RuleWords", "Source repetition penalty"),
        "repetition_penalty": translate("RuleWords", "Repetition penalty"),
        "no_repeat_ngram_size": translate("RuleWords", "No repeated n-gram"),
        "encoder_no_repeat_ngram_size": translate("RuleWords", "No n-gram from the source"),
        "bad_words_ids": translate("RuleWords", "Forbidden words"),
        "min_length": translate("RuleWords", "Minimum length"),
        "min_new_tokens": translate("RuleWords", "Minimum new tokens"),
        "forced_bos_token_id": translate("RuleWords", "Forced first token"),
        "forced_eos_token_id": translate("RuleWords", "Forced last token"),
        "remove_invalid_values": translate("RuleWords", "Invalid values replaced"),
        "exponential_decay_length_penalty": translate("RuleWords", "Exponential length decay"),
        "suppress_tokens": translate("RuleWords", "Suppressed tokens"),
        "begin_suppress_tokens": translate("RuleWords", "Suppressed first tokens"),
        "temperature": translate("RuleWords", "Temperature"),
        "top_h": translate("RuleWords", "Top-h"),
        "top_k": translate("RuleWords", "Top-k"),
        "top_p": translate("RuleWords", "Top-p"),
        "min_p": translate("RuleWords", "Min-p"),
        "typical_p": translate("RuleWords", "Typical-p"),
        "epsilon_cutoff": translate("RuleWords", "Epsilon cut-off"),
        "eta_cutoff": translate("RuleWords", "Eta cut-off"),
        "renormalize_logits": translate("RuleWords", "Renormalised"),
    }
    return names[name]


def rule_words(rule: Rule) -> str:
    """What a rule asks for, in plain words: ``No 3 tokens twice``."""
    value, translate = rule.value, QCoreApplication.translate
    tokens = ", ".join(f"«{word}»" for word in rule.words[:_MOST_SHOWN])
    n = value if isinstance(value, int) else 0
    named = len(value) if isinstance(value, tuple) else 1
    if named > _MOST_SHOWN:
        n_more = named - _MOST_SHOWN
        tokens = translate("RuleWords", "{tokens} and %n more", "", n_more).format(tokens=tokens)
    words = {
        "sequence_bias": translate("RuleWords", "More or less probable: {tokens}"),
        "encoder_repetition_penalty": translate("RuleWords", "Source tokens favoured (× {value})"),
        "no_repeat_ngram_size": translate("RuleWords", "No repeated run of %n token(s)", "", n),
        "encoder_no_repeat_ngram_size": translate("RuleWords", "No run of %n token(s) from the source", "", n),
        "bad_words_ids": translate("RuleWords", "Never {tokens}"),
        "min_length": translate("RuleWords", "At least %n token(s), including the prompt", "", n),
        "min_new_tokens": translate("RuleWords", "At least %n new token(s)", "", n),
        "forced_bos_token_id": translate("RuleWords", "Begins with {tokens}"),
        "forced_eos_token_id": translate("RuleWords", "Ends with {tokens} at the latest"),
        "remove_invalid_values": translate("RuleWords", "NaN and infinite values are replaced"),
        "exponential_decay_length_penalty": translate(
            "RuleWords", "After {first} new tokens, ending becomes ever more probable (× {second})"
        ),
        "suppress_tokens": translate("RuleWords", "Never {tokens}"),
        "begin_suppress_tokens": translate("RuleWords", "Does not begin with {tokens}"),
        "typical_p": translate("RuleWords", "Samples typical tokens that make up {value} of the probability"),
        "epsilon_cutoff": translate("RuleWords", "Samples no token below probability {value}"),
        "eta_cutoff": translate("RuleWords", "Samples no token below probability {value}, or less where many are likely"),
        "top_h": translate("RuleWords", "Samples tokens that make up {value} of the entropy"),
        "renormalize_logits": translate("RuleWords", "Beam probabilities are renormalised after the rules"),
    }[rule.name]
    first, second = value if rule.name == "exponential_decay_length_penalty" else (value, "")
    return words.format(value=value, tokens=tokens or translate("RuleWords", "some tokens"), first=first, second=second)
