"""A toy as a Model. Needs torch alone, so that the first picture does not wait for transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headscope.core.forward.model_info import ModelInfo
from headscope.core.model import Model
from headscope.core.models.hub.placement.devices import pick_device, pick_dtype
from headscope.core.toy.load import load_toy, read_toy
from headscope.core.toy.model import KeyValueCache, ToyOutput, ToyTransformer
from headscope.core.vocabulary import Ability, Kind


class ToyModel(Model):
    """The toy `name`: the shipped one, or one that `headscope train` wrote to `folder`.

    Raises
    ------
    HeadscopeError
        ``unknown_toy``, ``unknown_device``, ``unknown_dtype``.
    """

    module: ToyTransformer

    def __init__(self, name: str, *, folder: Path | None = None, device: str = "auto", dtype: str = "auto") -> None:
        module, tokenizer = load_toy(name) if folder is None else read_toy(folder)
        # Too small for a GPU to be of use; and a lecture does not wait for its driver.
        place = self.place = pick_device("cpu" if device == "auto" else device)
        n_parameters = sum(weights.numel() for weights in module.parameters())
        self.module = module.to(place, pick_dtype(dtype, place, n_parameters))
        self.tokenizer = tokenizer
        config = module.config
        self.max_written = config.max_tokens
        kind: Kind = "encoder" if config.family == "encoder" else "decoder"
        self.widths = {kind: (config.d_model, config.d_model)}
        abilities: set[Ability] = {"generate"} if config.family == "decoder" else {"fill_mask"}
        if config.n_segments:
            abilities.add("next_sentence")
        first = next(module.parameters())
        self.info = ModelInfo(
            source=f"toy:{name}",
            name=f"toy:{name}",
            family=config.family,
            architecture="ToyTransformer",
            layers={kind: (config.n_layers, config.n_heads)},
            abilities=frozenset(abilities),
            backend="fast",
            device=str(place),
            dtype=str(first.dtype).removeprefix("torch."),
            max_tokens=config.max_tokens,
            mask_token=tokenizer.mask_token,
            n_parameters=n_parameters,
            memory_bytes=n_parameters * first.element_size(),
            checkpoint="toy",
        )

    def rule_processor(self, rule: str) -> Any:
        from headscope.core.models.hub.compat import rule_processor  # imports transformers

        return rule_processor(rule)

    def new_cache(self, expected: int = 0) -> KeyValueCache:
        return KeyValueCache(expected)

    def branched_cache(self, cache: KeyValueCache, n_tokens: int) -> KeyValueCache:
        return cache.branch(n_tokens)

    def eager_pass(self, inputs: Mapping[str, Tensor]) -> ToyOutput:
        with torch.inference_mode():
            output: ToyOutput = self.module(**inputs, output_attentions=True)
        return output

    def eager_attentions(self, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
        return self.eager_pass(inputs).attentions or {}
