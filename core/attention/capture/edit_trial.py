"""Whether edits really reach a model's attention: tried before they are trusted.

Some models compute more between weights and outputs than attention does (Granite's gates, Nyströmformer's approximation), or
attend with several softmaxes a layer. An edit there would do something else than its words say. So each model has to pass a
trial, once: its heads' own outputs and its own weights, put in the place of themselves, must change nothing; and a key that is
cut must have no weight.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor, nn

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.capture.recorder import Recorder
from headscope.core.attention.intervention import Cut, Edit, Intervention, Paste, Replace
from headscope.core.attention.stacks import is_encoder_decoder
from headscope.core.errors import HeadscopeError
from headscope.core.memory import out_of_memory_reported
from headscope.core.numerics import coarsest, computed_in, same_after_edit
from headscope.core.vocabulary import Backend

_N_TOKENS = 6
_CUT_KEY = 1
_REACHED: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def reaches(module: nn.Module, backend: Backend, place: torch.device) -> bool:
    """Whether edits do in this model what they say. The first answer takes four passes over a few tokens, and is kept.

    Parameters
    ----------
    place : device
        Where the model takes its ids.

    Raises
    ------
    HeadscopeError
        ``out_of_memory``, ``not_a_number``: then nothing is known, and the next call tries again.
    """
    if module not in _REACHED:
        try:
            with out_of_memory_reported(place):
                _REACHED[module] = _passes_trial(module, backend, place)
        except (RuntimeError, ValueError, IndexError):  # shapes that are not attention's
            _REACHED[module] = False
    return _REACHED[module]


def _passes_trial(module: nn.Module, backend: Backend, place: torch.device) -> bool:
    ids = torch.arange(1, _N_TOKENS + 1, device=place)[None]
    config: Any = module.config
    many = is_encoder_decoder(module) or getattr(config, "family", "") == "encoder-decoder"
    inputs = {"input_ids": ids, "decoder_input_ids": ids} if many else {"input_ids": ids}

    def run(edits: list[Edit]) -> tuple[Tensor, Recorder]:
        recorder = recorder_for(module, backend, intervention=Intervention(tuple(edits)), keep_outputs=True)
        with torch.inference_mode(), recorder.recording():
            output: Any = module(**inputs)
        logits = getattr(output, "logits", None)
        return (output[0] if logits is None else logits).float(), recorder

    plain, recorder = run([])
    if bool(plain.isnan().any()):  # of weights that are not numbers just now; they may be mended
        said = str(computed_in(module)).removeprefix("torch.")
        raise HeadscopeError("not_a_number", model=type(module).__name__, dtype=said)
    layers, outputs = recorder.layers, recorder.outputs
    if {kind: len(found) for kind, found in layers.items()} != {kind: len(found) for kind, found in outputs.items()}:
        return False
    own_outputs: list[Edit] = [
        Replace(layer=index, kind=kind, output=output[0].float().transpose(0, 1).cpu().numpy())
        for kind, found in outputs.items()
        for index, output in enumerate(found)
    ]
    own_weights: list[Edit] = []
    for kind, found in layers.items():
        for index, layer in enumerate(found):
            n_heads, n_queries, n_keys = layer.shape
            weights = layer.weights(range(n_queries), batch=0, head=None).cpu()
            patterns = F.pad(weights, (0, n_keys - weights.shape[-1])).numpy()
            own_weights += [Paste(layer=index, head=head, kind=kind, pattern=patterns[head]) for head in range(n_heads)]
    dtype = coarsest((computed_in(module), torch.float32))  # what is put in is float32 at best
    if not all(same_after_edit(run(edits)[0], plain, dtype) for edits in (own_outputs, own_weights)):
        return False
    cut = run([Cut(keys=(_CUT_KEY,))])[1].layers
    shown = (layer.weights(range(layer.shape[1]), batch=0, head=None) for found in cut.values() for layer in found)
    return not any(bool(weights[..., _CUT_KEY].any()) for weights in shown)
