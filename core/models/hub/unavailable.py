"""Which models have no tokens × tokens attention maps, or not everywhere, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headscope.core.vocabulary import Kind

_STATE_SPACE: Final = "its layers are state-space layers, which have no attention weights"
_RECURRENT: Final = "its layers are recurrent, and have no attention weights"
_BANDS: Final = "it attends in bands around each token, so there is no tokens × tokens map"
_POOLED: Final = "its later layers attend among pooled tokens, so there is no tokens × tokens map"
_HASHED: Final = "it attends among tokens that a hash puts into the same chunk, so there is no tokens × tokens map"
_WITHOUT: Final[Mapping[str, str]] = {
    "mamba": _STATE_SPACE,
    "mamba2": _STATE_SPACE,
    "falcon_mamba": _STATE_SPACE,
    "rwkv": _RECURRENT,
    "xlstm": _RECURRENT,
    "fnet": "it mixes tokens by Fourier transforms, which have no weights",
    "longformer": _BANDS,
    "led": _BANDS,
    "longt5": _BANDS,
    "pegasus_x": _BANDS,
    "funnel": _POOLED,
    "reformer": _HASHED,
    "yoso": "it estimates attention by hashing and never forms weights",
    "mra": "it computes attention at several resolutions and never forms the whole map",
    "perceiver": "it attends among latent vectors and not among tokens",
    "blt": "it attends among bytes and patches of bytes in turn, so there is no tokens × tokens map",
}
"""By transformers' `model_type`."""
_NEVER: Final = frozenset({"blt", "reformer"})
"""Reformer has maps of short texts, but none of longer ones; BLT returns those of its patcher and of some of its layers."""
_NAMES: Final[Mapping[Kind, str]] = {"encoder": "encoder", "decoder": "decoder", "cross": "cross-"}


def never(config: Any) -> bool:
    """Whether a model has no maps though it seems so for a few tokens."""
    return config.model_type in _NEVER


def reason(config: Any) -> str:
    """Why a model gives no attention weights, as the end of a sentence."""
    return known_reason(config) or "it returns no tokens × tokens maps"


def known_reason(config: Any) -> str | None:
    """The same of a kind that is known to have none; None of any other."""
    return _WITHOUT.get(config.model_type)


def note(config: Any, layers: Mapping[Kind, tuple[int, int]], *, two_texts: bool) -> str:
    """What of a model cannot be shown, in one sentence; empty if everything can.

    Parameters
    ----------
    config : PreTrainedConfig
    layers : mapping of kind to (n_layers, n_heads)
        What can.
    two_texts : bool
        Whether it is an encoder-decoder.
    """
    kinds: Sequence[Kind] = ("encoder", "decoder", "cross") if two_texts else ()
    if missing := [f"{_NAMES[kind]} attention".replace("- ", "-") for kind in kinds if kind not in layers]:
        return f"Its {' and '.join(missing)} cannot be shown: {reason(config)}."
    n_layers = getattr(config.get_text_config(decoder=True), "num_hidden_layers", None)
    n_shown = sum(n for n, _ in layers.values())
    if kinds or not isinstance(n_layers, int) or n_shown >= n_layers:
        return ""
    return f"{n_shown} of its {n_layers} layers attend and are shown; the others mix tokens without attention weights."
