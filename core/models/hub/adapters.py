"""Adapters that peft trains, such as LoRA: small changes of a model's weights, in a folder of their own or beside the model.

References
----------
Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from transformers import PreTrainedConfig, PreTrainedModel

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.files.inspect import is_there, read_json
from headscope.core.job import Job
from headscope.core.memory import is_out_of_memory
from headscope.core.models.folders import model_folder
from headscope.core.models.hub import checkpoint
from headscope.core.models.hub.classes import classes_of, wanted_class
from headscope.core.models.hub.download import is_hub_name, snapshot
from headscope.core.models.hub.quiet import QUIET
from headscope.core.sentences import sentence
from headscope.core.text.tokens import visible

_CONFIG, _SAFETENSORS, _BIN = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
_PREFIX: Final = "base_model.model."
"""What peft writes before the names of the model's own weights."""
_ADDS_TOKENS: Final = (
    "ADAPTION_PROMPT",
    "CARTRIDGE",
    "CPT",
    "MULTITASK_PROMPT_TUNING",
    "P_TUNING",
    "PREFIX_TUNING",
    "PROMPT_TUNING",
)
"""Keys, or whole tokens, that no text has, are attended to."""
_ENDINGS: Final = {
    "CAUSAL_LM": ("ForCausalLM", "LMHeadModel"),
    "SEQ_2_SEQ_LM": ("ForConditionalGeneration", "MTModel"),
    "SEQ_CLS": ("ForSequenceClassification",),
    "TOKEN_CLS": ("ForTokenClassification",),
    "QUESTION_ANS": ("ForQuestionAnswering",),
}
"""Of the class that an adapter was trained with, by its task."""
_HEADS: Final = ("classifier.weight", "score.weight", "classifier.out_proj.weight")
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a folder's adapter_config.json says.

    Attributes
    ----------
    kind : str
        "LORA", "IA3", … as peft calls it.
    base, revision : str
        The model that it changes: a folder or a hub name.
    task : str
        "CAUSAL_LM", … or "".
    shapes : mapping of name to shape
        Of its weights, whole ones of the model by the model's names.
    """

    folder: Path
    kind: str
    base: str
    revision: str | None
    task: str
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def n_labels(self) -> int | None:
        """Rows of the class head that it holds; None if it holds none."""
        heads = (shape[0] for name, shape in self.shapes.items() if name.endswith(_HEADS) and len(shape) == 2)
        return next(heads, None)


def has_peft() -> bool:
    """Whether the library that applies adapters is installed."""
    return find_spec("peft") is not None


def has_adapter(folder: Path) -> bool:
    """Whether there is one in a folder, alone or beside a model."""
    return (folder / _CONFIG).is_file()


def read_adapter(folder: Path, name: str) -> Adapter:
    """The adapter of a folder that has one.

    Raises
    ------
    HeadscopeError
        ``adapter_unsupported`` for one that adds tokens; ``config_invalid``, and as `checkpoint.look`.
    """
    raw = read_json(folder / _CONFIG)
    kind = raw.get("peft_type") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or raw.get("megatron_config"):  # which names a module of Python to import
        raise HeadscopeError("config_invalid", model=name, reason=sentence("adapter_config_unreadable", file=_CONFIG))
    if kind in _ADDS_TOKENS:
        raise HeadscopeError("adapter_unsupported", model=name, kind=kind)
    base, revision, task = (raw.get(key) for key in ("base_model_name_or_path", "revision", "task_type"))
    weights = checkpoint.look(folder, _SAFETENSORS, _BIN)
    return Adapter(
        folder,
        visible(kind)[:_LONGEST],
        base if isinstance(base, str) else "",
        revision if isinstance(revision, str) else None,
        task if isinstance(task, str) else "",
        {name.removeprefix(_PREFIX): shape for name, shape in weights.shapes.items()},
    )


def base_folder(adapter: Adapter, job: Job) -> Path:
    """The folder of the model that an adapter changes: where it says, beside the adapter, or by its hub name.

    Raises
    ------
    HeadscopeError
        ``needs_library``, ``path_not_found``, and as `snapshot`.
    """
    if not has_peft():
        raise HeadscopeError("needs_library", library="peft", reason=sentence("adapter_needs", kind=adapter.kind))
    given = Path(adapter.base) if adapter.base else adapter.folder / "no base"
    with suppress(RuntimeError):  # the home of nobody
        given = given.expanduser()
    for path in (given, adapter.folder / given, adapter.folder.parent / given.name):
        if is_there(path) and path.is_dir() and path.resolve() != adapter.folder.resolve():
            return model_folder(path)
    if not is_hub_name(adapter.base):
        raise HeadscopeError("path_not_found", path=visible(adapter.base)[:_LONGEST] or "The model of the adapter")
    return model_folder(snapshot(adapter.base, job, adapter.revision))


def for_task(adapter: Adapter, raw: dict[str, Any], config: PreTrainedConfig) -> dict[str, Any]:
    """config.json of the base with the class that the adapter was trained with; its labels are set in `config`."""
    endings = _ENDINGS.get(adapter.task, ())
    if adapter.n_labels and adapter.n_labels != config.num_labels:
        config.num_labels = adapter.n_labels
    if not endings or wanted_class(raw).endswith(endings):
        return raw
    fitting = [each.__name__ for each in classes_of(config) if each.__name__.endswith(endings)]
    return {**raw, "architectures": fitting[:1]} if fitting else raw


def applied(module: PreTrainedModel, adapter: Adapter, name: str, *, merge: bool) -> PreTrainedModel:
    """The model as the adapter changes it.

    Parameters
    ----------
    merge : bool
        Add the changes to the weights; else they stay beside them, in layers of peft's.

    Raises
    ------
    HeadscopeError
        ``adapter_misfit`` if a weight of either has no counterpart.
    """
    from peft import PeftModel, get_peft_model_state_dict

    try:
        with QUIET.held():
            adapted = PeftModel.from_pretrained(module, adapter.folder, is_trainable=False)
            held = get_peft_model_state_dict(adapted)
            faults = _faults(held, _weights(adapter))
            if not faults:
                result: PreTrainedModel = adapted.merge_and_unload() if merge else adapted.get_base_model()
                return result.eval()
    except Exception as error:  # peft's checks raise nearly everything
        if is_out_of_memory(error):
            raise
        words = visible(reason_of(error))
        raise HeadscopeError("adapter_misfit", path=adapter.folder, base=name, reason=words, details=str(error)) from None
    reason = sentence("adapter_faults", n=len(faults), weight=visible(faults[0])[:_LONGEST])
    raise HeadscopeError("adapter_misfit", path=adapter.folder, base=name, reason=reason)


def _weights(adapter: Adapter) -> dict[str, torch.Tensor]:
    path = adapter.folder / _SAFETENSORS
    if path.is_file():
        return dict(load_file(path))
    found: dict[str, torch.Tensor] = torch.load(adapter.folder / _BIN, map_location="cpu", weights_only=True)
    return found


def _faults(held: Mapping[str, torch.Tensor], saved: Mapping[str, torch.Tensor]) -> list[str]:
    """Weights that are in only one of the two, or not the same in both."""
    other = [name for name in saved if name in held and not torch.equal(held[name].cpu(), saved[name].to(held[name].dtype))]
    return sorted(held.keys() ^ saved.keys()) + other
