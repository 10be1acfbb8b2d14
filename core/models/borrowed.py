"""A module that is somebody else's: what Headscope changes in it, and the way back."""

from __future__ import annotations

from transformers import PreTrainedModel

from headscope.core.models.hub import compat


class Borrowed:
    """Remembers how a module was; `give_back` makes it so again. Weights, gradients and devices are never touched.

    Parameters
    ----------
    module : PreTrainedModel
        Before anything was done to it.
    """

    def __init__(self, module: PreTrainedModel) -> None:
        self._modes = [(part, part.training) for part in module.modules()]
        self._causal = [(part, vars(part).get("is_causal")) for part in module.modules()]
        parts = [part for part in module.modules() if isinstance(part, PreTrainedModel)]
        self._attention = [(part.config, compat.attention_name(part.config)) for part in parts]  # the whole before its parts

        self._compiled = [(part, call) for part in module.modules() if (call := vars(part).get("_compiled_call_impl"))]
        for part, _ in self._compiled:  # compiled in place: what looks into a pass would be compiled with it
            part._compiled_call_impl = None

    def give_back(self) -> None:
        """Training or evaluation mode of each part, and the attention implementation, as they were. Once: then it is not ours."""
        for config, attention in self._attention:
            compat.name_attention(config, attention)
        for part, is_causal in self._causal:
            if is_causal is not None:
                part.is_causal = is_causal
            else:
                vars(part).pop("is_causal", None)
        for part, call in self._compiled:
            part._compiled_call_impl = call
        for part, is_training in self._modes:
            part.training = is_training
        self._attention, self._causal, self._compiled, self._modes = [], [], [], []
