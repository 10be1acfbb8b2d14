"""What config.json says that no such weights can have, or that the model's code does not follow: refused, or named."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from transformers import PreTrainedConfig, PreTrainedModel

from headscope.core.errors import HeadscopeError
from headscope.core.models.hub.checkpoint import Checkpoint
from headscope.core.sentences import Sentence, sentence
from headscope.core.text.tokens import visible

_COUNTS: Final = re.compile(r"layer|block|depth|label|group|expert|head|hash|stage|types|^num_|^n_")
_NO_COUNTS: Final = re.compile(
    r"position|token|word|step|epoch|ctx|length|size|window|factor|ratio|_ids?$|theta|^num_train|seed|eps"
)
_ID: Final = re.compile(r"_token_ids?$")
_LARGEST_ID: Final = 2**31 - 1
"""No vocabulary is larger; some libraries raise an error of their own for a number that no tensor can hold."""
_DEPTH: Final = re.compile(r"^(num_|n_)?(hidden_|encoder_|decoder_)?layers?$")
_ALWAYS_POSSIBLE: Final = 1 << 16
"""A list of so many is made at once; layers, experts and so on are counted when they are built."""
_DEEPEST: Final = 1024
"""Layers may share their weights, as ALBERT's do, and each takes its time."""
_ABOUT_ATTENTION: Final = re.compile(r"attn|attention|rope|rotary|alibi|position_embedding|softcap|window|qk_norm|qk_layernorm")
_FACTOR: Final = re.compile(r"^(embedding|residual|logits?|attention)_(multiplier|scale|scaling)$|^scale_(emb|depth)$")
"""What Granite, Cohere and MiniCPM multiply states and scores by."""
_PARTS: Final = re.compile(r"clip_qkv|parallel_(attn|residual)")
_HARMLESS: Final = re.compile(
    r"drop|implementation|flash|sdpa|xformers|kernel|fused|backend|max_|init|eps|mask|output_|prob|num_|_fp32"
)
_PLAIN: Final = (None, False, 0, "", "absolute", "default", "eager", "full", "none")
"""What a model without the setting does as well."""
_CHANGES_SCORES: Final = re.compile(r"^(relative|alibi)")


def check_counts(raw: Mapping[str, Any], weights: Checkpoint, name: str) -> None:
    """Refuse a number of layers, labels, heads … that no such weights can have (lists of so many would be made at once), and ids of no token.

    Raises
    ------
    HeadscopeError
        ``config_invalid``.
    """
    largest = max((length for shape in weights.shapes.values() for length in shape), default=0)
    n_tensors = len(weights.shapes)
    for key, number in _numbers(raw):
        limit = max(_DEEPEST, n_tensors) if _DEPTH.match(key) else max(_ALWAYS_POSSIBLE, n_tensors, largest)
        if number > limit and _COUNTS.search(key) and not _NO_COUNTS.search(key):
            reason = sentence("config_exceeds_weights", key=visible(key)[:60], value=f"{number:.4g}", n=n_tensors)
            raise HeadscopeError("config_invalid", model=name, reason=reason)
        if _ID.search(key) and abs(number) > _LARGEST_ID:
            reason = sentence("config_not_token", key=visible(key)[:60], value=f"{number:.4g}")
            raise HeadscopeError("config_invalid", model=name, reason=reason)


def _numbers(raw: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Each number of a configuration with the name that it stands under."""
    waiting: list[tuple[str, Any]] = list(raw.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += ((key, held) for held in value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield key, float(min(value, 10**300))


def check_followed(
    raw: Mapping[str, Any], architecture: type[PreTrainedModel], config: PreTrainedConfig, name: str
) -> list[Sentence]:
    """What config.json says about attention, or by what states are multiplied, and the class does not read.

    transformers keeps any key, whether or not the model's code looks at it: version 5 has forgotten BERT's relative positions.

    Raises
    ------
    HeadscopeError
        ``config_invalid`` for a setting that is known to change the scores.
    """
    unread = [key for key, value in raw.items() if _about_attention(key, value)]
    if not unread:
        return []
    code = _code(architecture, config)
    unread = [key for key in unread if key not in code and not ("rope" in key and "rope_parameters" in code)]
    for key in unread:
        if _CHANGES_SCORES.search(str(raw[key]).lower()) or "alibi" in key:
            value = visible(str(raw[key]))[:60]
            reason = sentence("config_not_computed", key=key, value=value, architecture=architecture.__name__)
            raise HeadscopeError("config_invalid", model=name, reason=reason)
    if not unread:
        return []
    return [sentence("settings_unread", keys=visible(", ".join(unread))[:120], architecture=architecture.__name__)]


def _about_attention(key: str, value: Any) -> bool:
    plain = not value if isinstance(value, (dict, list)) else value in _PLAIN
    if _FACTOR.search(key):
        return not plain and value != 1
    return not plain and bool(_ABOUT_ATTENTION.search(key) or _PARTS.search(key)) and not _HARMLESS.search(key)


def _code(architecture: type[PreTrainedModel], config: PreTrainedConfig) -> str:
    """The source of a model and of its configurations."""
    kinds = {type(each) for each in (config, *vars(config).values()) if isinstance(each, PreTrainedConfig)}
    modules = {sys.modules[kind.__module__] for kind in kinds}
    modules |= {import_module(architecture.__module__)}
    return "\n".join(inspect.getsource(module) for module in modules)
