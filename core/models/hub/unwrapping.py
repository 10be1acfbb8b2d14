"""The transformers model inside what compiles it, spreads it or adapts it."""

from __future__ import annotations

from typing import Any, Final

from torch import nn
from transformers import Pipeline, PreTrainedModel

from headscope.core.errors import HeadscopeError
from headscope.core.sentences import sentence

_INSIDE: Final = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}
"""Classes of torch that pass everything on to one module, and where they keep it."""
_ADAPTED: Final = ("PeftModel", "PeftMixedModel")


def unwrapped(module: Any, name: str | None = None) -> PreTrainedModel:
    """`module`, or the transformers model in it, which computes the same.

    Parameters
    ----------
    module : PreTrainedModel, or what `torch.compile`, data-parallel training or peft made of one
    name : str, optional
        What errors call it.

    Raises
    ------
    HeadscopeError
        ``wrap_inside``, ``adapter_unsupported``, ``architecture_unsupported``.
    """
    kinds = {kind.__name__ for kind in type(module).__mro__}
    for kind in kinds & _INSIDE.keys():
        return unwrapped(getattr(module, _INSIDE[kind]), name)
    if kinds & {*_ADAPTED}:
        return unwrapped(_adapted(module, name), name)
    if isinstance(module, PreTrainedModel) and module.main_input_name == "input_ids":
        return module
    shown = type(module).__name__
    if isinstance(module, Pipeline):
        raise HeadscopeError("wrap_inside", kind=shown, instead=sentence("wrap_pipeline"))
    if "SentenceTransformer" in kinds:
        raise HeadscopeError("wrap_inside", kind=shown, instead=sentence("wrap_first_module"))
    if isinstance(module, nn.Module):
        own = [part for part, inner in module.named_modules() if part and isinstance(inner, PreTrainedModel)]
        if own:
            raise HeadscopeError("wrap_inside", kind=shown, instead=sentence("wrap_part", part=min(own, key=len)))
    raise HeadscopeError("architecture_unsupported", model=name or shown, architecture=shown)


def _adapted(module: Any, name: str | None) -> Any:
    """The model that an adapter of peft is built into; not one whose adapter adds tokens to the text."""
    kinds = [module.peft_config[adapter] for adapter in getattr(module, "active_adapters", None) or [module.active_adapter]]
    for config in kinds:
        if config.is_prompt_learning or config.is_adaption_prompt:
            kind = str(getattr(config.peft_type, "value", config.peft_type))
            raise HeadscopeError("adapter_unsupported", model=name or type(module).__name__, kind=kind)
    return module.get_base_model()
