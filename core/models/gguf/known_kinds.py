"""Which kind a GGUF file is of."""

from __future__ import annotations

from typing import Final

from headscope.core.models.gguf import decoders, mixtures, other_kinds
from headscope.core.models.gguf.header import shown
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.kinds import Kind

KINDS: Final = decoders.KINDS | mixtures.KINDS | other_kinds.KINDS
_VARIANTS: Final = (
    ("blk.0.ffn_gate_exps.weight", "experts"),
    ("blk.0.attn_norm_2.weight", "two norms"),
    ("enc.blk.0.ffn_gate.weight", "gated"),
    ("enc.blk.1.attn_rel_b.weight", "a bias in each layer"),
)
"""Tensors that only variants of a kind have, and what the variants are called in the tables."""


def kind_of(keys: Keys) -> Kind:
    """The kind of a file.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported`` for one that is not known.
    """
    if keys.architecture not in KINDS:
        keys.header.refuse("kind_unknown", kind=shown(keys.architecture))
    variants = [keys.architecture, *(f"{keys.architecture}, {tail}" for test, tail in _VARIANTS if keys.has_tensor(test))]
    return KINDS[[name for name in variants if name in KINDS][-1]]
