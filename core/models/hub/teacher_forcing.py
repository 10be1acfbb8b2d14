"""What an encoder-decoder model's decoder reads when it is trained on a text: the labels, shifted one to the right."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from headscope.core.models.hub.compat import label_shift


def shifted_right(module: nn.Module, labels: Tensor) -> Tensor | None:
    """The model's own shift of (n_texts, n_tokens) labels; None if it has none, or its configuration does not say how to begin."""
    own: Any = getattr(module, "prepare_decoder_input_ids_from_labels", None)
    of_file = label_shift(module)
    try:
        if own is not None:
            shifted: Tensor = own(labels=labels)
        elif of_file is not None:
            config: Any = module.config
            given = (config.pad_token_id, config.decoder_start_token_id)
            shifted = of_file(labels, *given[: len(inspect.signature(of_file).parameters) - 1])
        else:
            return None
    except (AttributeError, TypeError, ValueError, RuntimeError):  # each says in its own way that the start token is not set
        return None
    return shifted


def target_start(module: nn.Module, otherwise: int) -> int | None:
    """The token that the shift puts before the labels; None if that is their last one, a language code (mBART, PLBart, FSMT).

    `otherwise` is the token of a model that does not say.
    """
    first = [shifted_right(module, torch.tensor([[5, 6, last]])) for last in (7, 8)]
    begins = [otherwise if each is None else int(each[0, 0]) for each in first]
    return begins[0] if begins[0] == begins[1] else None
