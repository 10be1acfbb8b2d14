"""What transformers' `generate` makes a model read, where that is not the text and its cache alone; and settings that differ by layer."""

from __future__ import annotations

import inspect
from typing import Any, Final

import torch
from transformers import GenerationMixin

from headscope.core.memory import is_out_of_memory
from headscope.core.models.hub import compat

_N_WRITTEN: Final = 2


def appended_to_write(model: Any) -> int | None:
    """The id of a token that a model reads behind the text whenever it writes; None for all that predict from the text alone.

    XLM and FlauBERT append a mask and fill it, XLNet a place that nothing attends to.
    """
    read = _read_to_write(model)
    return read[-1] if len(read) > _N_WRITTEN else None


def reads_again(model: Any) -> bool:
    """Whether a model reads the whole text at each step, although it has a cache: CPM-Ant, whose tokens attend to later ones."""
    takes_cache = any(compat.like_caches(model))
    return takes_cache and len(_read_to_write(model, next_sequence_length=1)) == _N_WRITTEN


def _read_to_write(model: Any, **options: int) -> tuple[int, ...]:
    """What a model reads of a text for its next token, if it prepares that in a way of its own; else nothing."""
    if model.config.is_encoder_decoder or not model.can_generate() or _is_general(model, "prepare_inputs_for_generation"):
        return ()
    ids = torch.ones((1, _N_WRITTEN), dtype=torch.long, device=model.device)
    try:
        return tuple(model.prepare_inputs_for_generation(ids, is_first_iteration=True, **options)["input_ids"][0].tolist())
    except Exception as error:  # it needs more than a text; whatever that is, it does not follow a text
        if is_out_of_memory(error):
            raise
        return ()


def numbers_positions(model: Any) -> bool:
    """Whether `generate` numbers the positions from 0 and hands them to the model.

    To most that changes nothing. RoBERTa's kin number a text from their padding id on when they do it themselves.
    """
    name = "_prepare_position_ids_for_generation"
    takes = not model.config.is_encoder_decoder and "position_ids" in inspect.signature(model.forward).parameters
    return takes and hasattr(GenerationMixin, name) and _is_general(model, name)


def numbers_from_padding(model: Any) -> bool:
    """Whether a model numbers a text from its padding id on, as RoBERTa does."""
    return any(hasattr(part, "create_position_ids_from_input_ids") for part in model.modules())


def _is_general(model: Any, name: str) -> bool:
    """Whether a model has a method of `generate` as it is written for all models."""
    return getattr(type(model), name, None) is getattr(GenerationMixin, name, None)


_Output: Any = compat.ENCODER_OUTPUT.get() if compat.ENCODER_OUTPUT.is_here else dict


class _EncoderOutput(_Output):  # type: ignore[misc]
    router_logits = None
    """NLLB-MoE asks for them; without labels nobody reads them."""


def encoder_output(hidden: Any) -> Any:
    """What an encoder has made of a text, (batch, n_tokens, width), as an encoder-decoder takes it; of a tuple some cannot read it."""
    return _EncoderOutput(last_hidden_state=hidden)
