"""The few words that all of Headscope shares."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["encoder", "decoder", "cross"]
Ability = Literal["fill_mask", "next_sentence", "generate", "chat", "classify", "tag", "answer"]
Backend = Literal["fast", "own", "fallback", "given"]
Filter = Literal[
    "model",
    "sequence_bias",
    "encoder_repetition_penalty",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "bad_words_ids",
    "min_length",
    "min_new_tokens",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "remove_invalid_values",
    "exponential_decay_length_penalty",
    "suppress_tokens",
    "begin_suppress_tokens",
    "temperature",
    "top_h",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "renormalize_logits",
]
"""What shapes the next token's distribution, by transformers' names and in its order; "model" is the model's own softmax."""
FillStrategy = Literal["confident", "left_to_right", "gibbs"]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
Head = tuple[int, int]
"""(layer, head), both from 0."""
