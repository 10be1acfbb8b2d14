"""From a checked checkpoint to a model in memory: its configuration, its class, its weights, and what of them is not there."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args

import torch
from transformers import CONFIG_MAPPING, MODEL_MAPPING, PreTrainedConfig, PreTrainedModel

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.job import Cancelled
from headscope.core.memory import check_room, is_out_of_memory
from headscope.core.models.hub.bounded import MOST_UNPACKED, TooManyParts, bounded
from headscope.core.models.hub.checkpoint import Checkpoint
from headscope.core.models.hub.classes import class_called, model_class, wanted_class
from headscope.core.models.hub.compat import load
from headscope.core.models.hub.config_file import read_settings
from headscope.core.models.hub.fitting import Fit, Fitting
from headscope.core.models.hub.generation_settings import keep_unread
from headscope.core.models.hub.placement.plan import Placing
from headscope.core.models.hub.placement.spread import forget_with
from headscope.core.models.hub.quiet import QUIET
from headscope.core.models.hub.settings import check_counts, check_followed
from headscope.core.models.hub.unavailable import known_reason
from headscope.core.sentences import Sentence, sentence
from headscope.core.text.tokens import visible
from headscope.core.vocabulary import Ability

_NO_ADAPTER: Final = {"subfolder": "no adapter"}
"""transformers would load the adapter of a folder as well, and then report of the adapter's weights alone."""
_BARE: Final = {
    "encoder.layer.0.attention.self.query.weight": "bert",
    "encoder.block.0.layer.0.SelfAttention.q.weight": "t5",
    "h.0.attn.c_attn.weight": "gpt2",
    "transformer.layer.0.attention.q_lin.weight": "distilbert",
}
"""Names of weights in bare models of the years when config.json named no type."""
_LONGEST_NAME: Final = 80
"""Characters of a weight's name in a sentence."""
_OTHER_TASKS: Final = ("ForPreTraining", "ForNextSentencePrediction")
"""Where a pooler serves the next sentence and nothing else."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A class for a checkpoint.

    Attributes
    ----------
    renames : mapping of regular expression to replacement
        Of the weights' names, for `from_pretrained`.
    lacking : abilities whose weights are not in the file
    notes : sentences about what of the file is not shown
    """

    architecture: type[PreTrainedModel]
    renames: Mapping[str, str]
    lacking: frozenset[Ability] = frozenset()
    notes: tuple[Sentence, ...] = ()


# ---------------------------------------------------------------- the configuration
def configuration(raw: Mapping[str, Any], weights: Checkpoint, name: str) -> PreTrainedConfig:
    """The configuration; `config.json` of old packages may lack the model's type.

    Raises
    ------
    HeadscopeError
        ``architecture_unsupported``, ``needs_remote_code``, ``config_invalid``.
    """
    wanted = wanted_class(raw)
    model_type = raw.get("model_type") or _type_of(raw, model_class(wanted), weights)
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING:
        if raw.get("auto_map"):
            raise HeadscopeError("needs_remote_code", model=name)
        shown = _short(model_type or wanted or "unknown")
        raise HeadscopeError("architecture_unsupported", model=name, architecture=shown)
    check_counts(raw, weights, name)
    with refusals_reported(name):
        config = read_settings({**raw, "model_type": model_type})
    _check_own_code(raw, config, name)
    return config


def _type_of(raw: Mapping[str, Any], architecture: type[PreTrainedModel] | None, weights: Checkpoint) -> str | None:
    """The model type by the class, by what the weights' names begin with ("bert.encoder…"), or by a name that only one has."""
    if architecture is not None and architecture.config_class is not None:
        return str(architecture.config_class.model_type)
    prefixes = {name.removeprefix("module.").split(".")[0] for name in weights.shapes}
    if found := next((prefix for prefix in sorted(prefixes) if prefix in CONFIG_MAPPING), None):
        return found
    found = next((kind for name, kind in _BARE.items() if name in weights.shapes), None)
    return "roberta" if found == "bert" and raw.get("type_vocab_size") == 1 else found


def _check_own_code(raw: Mapping[str, Any], config: PreTrainedConfig, name: str) -> None:
    """Refuse a model whose code lies beside it, unless transformers has the same classes: a BERT with alibi is no BERT."""
    mapped = raw.get("auto_map")
    if not isinstance(mapped, dict) or not mapped:
        return
    classes = {str(key): str(value).rpartition(".")[2] for key, value in mapped.items()}
    wanted = wanted_class(raw) or next((value for key, value in classes.items() if key.startswith("AutoModel")), "")
    own = type(config).__name__
    if classes.get("AutoConfig", own).lower() != own.lower() or (wanted and class_called(wanted, config) is None):
        raise HeadscopeError("needs_remote_code", model=name)


# ---------------------------------------------------------------- class and weights
@dataclass(frozen=True, slots=True)
class Opening:
    """A checkpoint that is being opened.

    Attributes
    ----------
    raw : mapping
        config.json as it is.
    is_packed : bool
        Whether its weights are of fewer bits: their names and shapes then tell nothing before they are read.
    check : callable
        Called all along; may raise.
    adapted : names of weights that an adapter brings
    """

    folder: Path
    name: str
    raw: Mapping[str, Any]
    config: PreTrainedConfig
    weights: Checkpoint
    placing: Placing
    is_packed: bool
    check: Callable[[], None]
    adapted: frozenset[str] = frozenset()

    def choose(self) -> Choice:
        """The class that config.json names, or else the one that the weights fit, and what of it is not there.

        Raises
        ------
        HeadscopeError
            ``architecture_unsupported``, ``no_attention``, ``config_invalid``, ``checkpoint_damaged``, ``weights_left_out``,
            ``model_too_large``.
        """
        wanted = wanted_class(self.raw)
        with refusals_reported(self.name):
            named = model_class(wanted) or class_called(wanted, self.config)
            if named is not None and named.main_input_name != "input_ids":  # it reads pictures or sound, or anything: Perceiver
                if (why := known_reason(self.config)) is not None:
                    raise HeadscopeError("no_attention", model=self.name, reason=why)
                raise HeadscopeError("architecture_unsupported", model=self.name, architecture=_short(wanted))
            fit = None if self.is_packed else self._fitting.fit(named) if named else self._fitting.best()
            architecture = fit.architecture if fit else named or MODEL_MAPPING.get(type(self.config), None)
            if not isinstance(architecture, type) or (fit is None and not self.is_packed):
                shown = _short(wanted or self.config.model_type)
                raise HeadscopeError("architecture_unsupported", model=self.name, architecture=shown)
            notes = check_followed(self.raw, architecture, self.config, self.name)
        if named is None and wanted:
            notes.append(sentence("class_replaced", wanted=_short(wanted), architecture=architecture.__name__))
        if fit is None:
            return Choice(architecture, {}, notes=tuple(notes))
        fit = replace(fit, missing_head=tuple(key for key in fit.missing_head if key not in self.adapted))
        self._check(fit)
        if not self.placing.options:  # or else it goes to several devices
            n_bytes = fit.n_bytes // torch.float32.itemsize * self.placing.dtype.itemsize
            check_room("model_too_large", n_bytes, self.placing.device, model=self.name)
        notes += _notes(fit)
        return Choice(architecture, fit.renames, _lacking(fit), tuple(notes))

    def read(self, choice: Choice) -> PreTrainedModel:
        """The model with its weights.

        Raises
        ------
        HeadscopeError
            As `choose`.
        """
        with (
            refusals_reported(self.name),
            bounded(self.weights, self.check, unpacked=MOST_UNPACKED if self.is_packed else 1),
        ):
            module, loading = load(
                choice.architecture,
                self.folder,
                renames=choice.renames,
                config=self.config,
                dtype=self.placing.dtype,
                use_safetensors=self.weights.format == "safetensors",
                local_files_only=True,
                trust_remote_code=False,
                adapter_kwargs=dict(_NO_ADAPTER),
                **self.placing.options,
            )
        forget_with(module, self.placing.options)
        keep_unread(getattr(module, "generation_config", None), self.folder)
        if not self.placing.options:
            module.to(self.placing.device)
        self._check(self._fitting.report(module, loading, choice.renames))
        return module

    @property
    def _fitting(self) -> Fitting:
        return Fitting(self.config, self.weights, self.check)

    def _check(self, fit: Fit) -> None:
        """Refuse what would be another model than the file's: made up in part, or in part left out."""
        if fit.mismatched:
            (key, found, own), *_ = fit.mismatched
            reason = sentence("config_misfits_weights", weight=_short(key), found=_product(found), expected=_product(own))
            raise HeadscopeError("config_invalid", model=self.name, reason=reason)
        if fit.missing:
            reason = sentence("weights_missing", n=len(fit.missing), weight=_short(fit.missing[0]))
            raise HeadscopeError("checkpoint_damaged", path=self.folder, reason=reason)
        if self.is_packed:
            return
        if fit.left_out:
            kind, weight = fit.architecture.__name__, _short(fit.left_out[0])
            raise HeadscopeError("weights_left_out", model=self.name, architecture=kind, n=len(fit.left_out), weight=weight)
        unused = {*fit.unused, *fit.left_out}
        for key in sorted(self.weights.integers - unused):
            if key.endswith((".weight", ".bias")):
                reason = sentence("integers_unexplained", weight=_short(key))
                raise HeadscopeError("config_invalid", model=self.name, reason=reason)


def _lacking(fit: Fit) -> frozenset[Ability]:
    """The abilities that weights are missing for."""
    lacking: set[Ability] = set()
    for key in fit.missing_head:
        only_next = "seq_relationship" in key or ("pooler" in key and fit.architecture.__name__.endswith(_OTHER_TASKS))
        lacking |= {"next_sentence"} if only_next else set(get_args(Ability)) - {"next_sentence"}
    return frozenset(lacking)


def _notes(fit: Fit) -> Iterator[Sentence]:
    if fit.missing_head:
        yield sentence("head_incomplete", weight=_short(fit.missing_head[0]))
    source = inspect.getsource(import_module(fit.architecture.__module__))
    known = {"pooler", *re.findall(r"self\.(\w+) = ", source)}  # heads of this model that other classes have
    if foreign := [key for key in fit.unused if key.split(".")[0] not in known and "pooler" not in key]:
        yield sentence("weights_foreign", architecture=fit.architecture.__name__, n=len(foreign), weight=_short(foreign[0]))


def _short(text: object) -> str:
    return visible(str(text))[:_LONGEST_NAME]


def _product(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "1"


@contextmanager
def refusals_reported(name: str) -> Iterator[None]:
    """For a configuration it cannot use, transformers raises nearly everything: which kind depends on the place."""
    try:
        with QUIET.held():
            yield
    except (HeadscopeError, Cancelled):
        raise
    except TooManyParts as error:
        raise HeadscopeError("config_invalid", model=name, reason=error.reason) from None
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = visible(reason_of(error))
        raise HeadscopeError("config_invalid", model=name, reason=reason, details=traceback.format_exc()) from None
