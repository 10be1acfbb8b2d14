"""Which weights of a checkpoint a class takes and which it lacks: tried on torch's meta device, before one of them is read.

transformers loads what has a place, makes up what is missing and drops the rest, and says so in a log. Here the whole report is
looked at: of a load without memory first, and again when the weights were read.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import torch
from transformers import PreTrainedConfig, PreTrainedModel

from headscope.core.models.hub.bounded import TooManyParts, bounded
from headscope.core.models.hub.checkpoint import Checkpoint
from headscope.core.models.hub.classes import classes_of, likelihood
from headscope.core.models.hub.compat import LoadingReport, load, without_numbers

_HARMLESS: Final = re.compile(
    r"(^|\.)(position_ids|token_type_ids|masked_bias|inv_freq|cos_cached|sin_cached|num_batches_tracked|_extra_state|version|_float_tensor)$"
)
"""Tables that older versions wrote out and every version computes."""
_MASK: Final = re.compile(r"(^|\.)(attn|attention)\.bias$")
"""Causal masks of GPT-2 and its kin, which have four dimensions."""
_UNFIT: Final = (TooManyParts, AssertionError, AttributeError, ImportError, KeyError, TypeError, ValueError)
"""What classes raise on a configuration that is not for them."""
_MOST_RENAMES: Final = 3
_COPY: Final = 0.5
"""Of the names that fit one beginning: as many that fit another make two models of it, and neither is the one."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a checkpoint fits a class.

    Attributes
    ----------
    renames : mapping of regular expression to replacement
        What the names in the file begin with, and what the class calls it.
    missing : names of weights in the model itself that the file lacks
    missing_head : the same, in what predicts on top of it
    left_out : names in the file, inside the model itself, that the class has no place for: it means another model
    unused : names in the file of heads that the class does not have
    mismatched : (name, shape in the file, shape in the class)
    n_bytes : of the whole model, with the tables that it computes itself
    """

    architecture: type[PreTrainedModel]
    renames: Mapping[str, str]
    missing: tuple[str, ...]
    missing_head: tuple[str, ...]
    left_out: tuple[str, ...]
    unused: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    n_bytes: int

    @property
    def n_faults(self) -> tuple[int, int]:
        """Fewer are better: what is missing or of another shape, then what has no place."""
        return len(self.missing) + len(self.missing_head) + len(self.mismatched), len(self.left_out) + len(self.unused)


class Fitting:
    """Tries classes on a checkpoint.

    Parameters
    ----------
    config : PreTrainedConfig
    weights : Checkpoint
    check : callable
        Called all along; may raise.
    """

    def __init__(self, config: PreTrainedConfig, weights: Checkpoint, check: Callable[[], None]) -> None:
        self._config = config
        self._weights = weights
        self._check = check

    def fit(self, architecture: type[PreTrainedModel]) -> Fit:
        """How the weights fit a class, by names as they are or with another beginning.

        Raises
        ------
        TooManyParts
            Before a model is built that the weights could not fill.
        Exception
            Whatever the class raises on a configuration that it cannot use.
        """
        found = self._fit(architecture, self._wrappers)
        for _ in range(_MOST_RENAMES):
            if not found.missing:  # heads alone are never renamed: a next sentence's has the shape of any classifier's
                break
            beginning = self._beginning(found)
            better = self._fit(architecture, {**found.renames, **beginning}) if beginning else found
            if better.n_faults >= found.n_faults:
                break
            found = better
        return found

    def best(self) -> Fit | None:
        """Of the classes that the configuration can be of, the one that the weights fit best; None if there is none.

        Raises
        ------
        Exception
            As `fit`, if no class can be built at all.
        """
        classes = sorted(classes_of(self._config), key=lambda each: likelihood(each, self._config))
        found = self._best_of(classes, lambda architecture: self._fit(architecture, self._wrappers))
        return self._best_of(classes, self.fit) if found is not None and found.missing else found

    def _best_of(self, classes: Sequence[type[PreTrainedModel]], fit: Callable[[type[PreTrainedModel]], Fit]) -> Fit | None:
        fits: list[Fit] = []
        refusal: Exception | None = None
        for architecture in classes:
            try:
                fits.append(fit(architecture))
            except _UNFIT as error:  # a class of settings that are not there, or with parts that the file has not
                refusal = error
        if not fits and refusal is not None:
            raise refusal
        return min(fits, key=lambda each: (each.n_faults, len(each.renames)), default=None)

    def report(self, module: PreTrainedModel, loading: LoadingReport, renames: Mapping[str, str]) -> Fit:
        """What transformers' loading report means for a model."""
        missing = [name for name in loading.missing if not _is_idle_pooler(module, name)]
        body = {name for name in missing if _is_body(module, name)}
        unexpected = [name for name in loading.unexpected if not self._is_harmless(name)]
        inside = {name for name in unexpected if self._is_inside(module, name, renames)}
        tensors = {id(each): each for each in (*module.parameters(), *module.buffers())}
        return Fit(
            architecture=type(module),
            renames=renames,
            missing=tuple(name for name in missing if name in body),
            missing_head=tuple(name for name in missing if name not in body),
            left_out=tuple(name for name in unexpected if name in inside),
            unused=tuple(name for name in unexpected if name not in inside),
            mismatched=loading.mismatched,
            n_bytes=sum(each.numel() * each.element_size() for each in tensors.values()),
        )

    # ---------------------------------------------------------------- trials
    def _fit(self, architecture: type[PreTrainedModel], renames: Mapping[str, str]) -> Fit:
        module, loading = self._trial(architecture, renames)
        return replace(self.report(module, loading, renames), architecture=architecture)

    def _trial(self, architecture: type[PreTrainedModel], renames: Mapping[str, str]) -> tuple[PreTrainedModel, LoadingReport]:
        """transformers' own loading, of tensors that have a shape and no numbers."""
        state = {name: torch.empty(shape, device="meta") for name, shape in self._weights.shapes.items()}
        with bounded(self._weights, self._check):
            return load(
                without_numbers(architecture),
                None,
                renames=renames,
                config=self._config,
                state_dict=state,
                device_map={"": "meta"},
                dtype=torch.float32,
                ignore_mismatched_sizes=True,
            )

    # ---------------------------------------------------------------- names with another beginning
    @cached_property
    def _wrappers(self) -> dict[str, str]:
        """What torch.compile and data-parallel training put into names."""
        names = self._weights.shapes
        renames = {r"_orig_mod\.": ""} if any("_orig_mod." in name for name in names) else {}
        if all(name.replace("_orig_mod.", "").startswith("module.") for name in names):
            renames[r"^module\."] = ""
        return renames

    def _beginning(self, found: Fit) -> dict[str, str]:
        """The beginning, as a regular expression, that most names in the file have in place of what the class calls it.

        Names belong together that end alike, as far as that goes, and have one shape.
        """
        module, _ = self._trial(found.architecture, found.renames)
        state = module.state_dict()
        wanted = {name: tuple(state[name].shape) for name in (*found.missing, *found.missing_head) if name in state}
        endings: defaultdict[str, list[str]] = defaultdict(list)
        for name in wanted:
            for ending in _endings(name):
                endings[ending].append(name)
        after: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for original, shape in self._weights.shapes.items():
            name = _renamed(original, found.renames)
            ending = next((ending for ending in _endings(name) if ending in endings), "")
            if len(endings[ending]) == 1 and wanted[endings[ending][0]] == shape:
                begins, becomes = name.removesuffix(ending), endings[ending][0].removesuffix(ending)
                after[begins, becomes].append(ending.split(".")[0])
        pairs = sorted((pair for pair in after if pair[0] != pair[1]), key=lambda pair: -len(after[pair]))
        if not pairs:
            return {}
        (begins, becomes), *others = pairs
        if any(other[1] == becomes and len(after[other]) >= _COPY * len(after[begins, becomes]) for other in others):
            return {}
        children = "|".join(re.escape(child) for child in sorted(Counter(after[begins, becomes])))
        return {rf"^{re.escape(begins)}(?=(?:{children})\b)": becomes}

    # ---------------------------------------------------------------- what a name belongs to
    def _is_harmless(self, name: str) -> bool:
        is_mask = bool(_MASK.search(name)) and len(self._weights.shapes.get(name, ())) == 4
        return is_mask or bool(_HARMLESS.search(name))

    def _is_inside(self, module: PreTrainedModel, name: str, renames: Mapping[str, str]) -> bool:
        """Whether a weight without a place would stand among the model's own layers, and not in a head on top of them."""
        prefix = f"{module.base_model_prefix}."
        if "pooler" in name.split("."):
            return False
        if module.base_model is not module:
            return name.startswith(prefix)
        if len(prefix) > 1 and any(_renamed(each, renames).startswith(prefix) for each in self._weights.shapes):
            return name.startswith(prefix)
        return name.split(".")[0] not in self._names_of_heads

    @cached_property
    def _names_of_heads(self) -> frozenset[str]:
        """What the classes of this configuration have beside the model itself."""
        names: set[str] = set()
        for architecture in classes_of(self._config):
            try:
                module, _ = self._trial(architecture, {})
            except _UNFIT:
                continue
            if module.base_model is not module:
                names |= {name for name, part in module.named_children() if part is not module.base_model}
        return frozenset(names)


def _endings(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[place:]) for place in range(len(parts))]


def _renamed(name: str, renames: Mapping[str, str]) -> str:
    for pattern, becomes in renames.items():
        name = re.sub(pattern, becomes, name)
    return name


def _is_body(module: PreTrainedModel, name: str) -> bool:
    """Whether a weight belongs to the model itself, and not to a head on top of it."""
    if module.base_model is not module:
        return name.startswith(f"{module.base_model_prefix}.") and "pooler" not in name.split(".")
    head = module.get_output_embeddings()
    return head is None or all(weight is not module.get_parameter(name) for weight in head.parameters())


def _is_idle_pooler(module: PreTrainedModel, name: str) -> bool:
    """A bare model's summary of its text, which nothing here looks at."""
    return "pooler" in name.split(".") and module.base_model is module
