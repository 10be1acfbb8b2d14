"""Which models have no tokens × tokens attention maps, or not everywhere, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headscope.core.sentences import Sentence, sentence
from headscope.core.vocabulary import Kind

_WITHOUT: Final[Mapping[str, str]] = {
    "mamba": "state_space",
    "mamba2": "state_space",
    "falcon_mamba": "state_space",
    "rwkv": "recurrent",
    "xlstm": "recurrent",
    "fnet": "fourier",
    "longformer": "bands",
    "led": "bands",
    "longt5": "bands",
    "pegasus_x": "bands",
    "funnel": "pooled",
    "reformer": "hashed",
    "yoso": "estimated",
    "mra": "resolutions",
    "perceiver": "latent",
    "blt": "patches",
}
"""The code of the sentence that says why, by transformers' `model_type`."""
_NEVER: Final = frozenset({"blt", "reformer"})
"""Reformer has maps of short texts, but none of longer ones; BLT returns those of its patcher and of some of its layers."""


def never(config: Any) -> bool:
    """Whether a model has no maps though it seems so for a few tokens."""
    return config.model_type in _NEVER


def reason(config: Any) -> Sentence:
    """Why a model has no attention weights to show."""
    return known_reason(config) or sentence("returns_no_maps")


def known_reason(config: Any) -> Sentence | None:
    """The same for a type that is known to have none; None for any other."""
    code = _WITHOUT.get(config.model_type)
    return None if code is None else sentence(code)


def notes(config: Any, layers: Mapping[Kind, tuple[int, int]], *, two_texts: bool) -> tuple[Sentence, ...]:
    """What of a model cannot be shown, and why; nothing if everything can.

    Parameters
    ----------
    config : PreTrainedConfig
    layers : mapping of kind to (n_layers, n_heads)
        What can.
    two_texts : bool
        Whether it is an encoder-decoder.
    """
    kinds: Sequence[Kind] = ("encoder", "decoder", "cross") if two_texts else ()
    if missing := [sentence(f"no_{kind}_attention") for kind in kinds if kind not in layers]:
        return (*missing, reason(config))
    n_layers = getattr(config.get_text_config(decoder=True), "num_hidden_layers", None)
    n_shown = sum(n for n, _ in layers.values())
    if kinds or not isinstance(n_layers, int) or n_shown >= n_layers:
        return ()
    return (sentence("layers_shown", shown=n_shown, n_layers=n_layers),)
