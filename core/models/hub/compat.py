"""Every private or renamed name of transformers, accelerate and huggingface_hub, in one place. Imports no torch.

Each is a `Feature`: what it is, what does not work without it, and how it is found. A feature that a release has taken away is
missing by itself: what can do without it does, `self_check` says so in one sentence, and what cannot raises ``library_unfit``.
Whether a model takes a key-value cache is found out by a trial, not by a name: that argument was renamed in transformers 5.24.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import transformers

from headscope.core.counted import OneAtATime
from headscope.core.errors import HeadscopeError
from headscope.core.models.hub.feature import Feature
from headscope.core.sentences import Sentence, sentence

if TYPE_CHECKING:
    from torch import nn


_COLLECTS: Final = "_output_capturing_hooks_installed"
_COLLECTORS: Final = "transformers.utils.output_capturing"
_AS_MATRICES: Final = "without_masks"
_NO_BRANCHES: Final = "without_cache_layer"

FUSED_MASK: Final = Feature("transformers.masking_utils:sdpa_mask", _AS_MATRICES)
"""Makes the mask that torch's fused attention reads."""
EAGER_MASK: Final = Feature("transformers.masking_utils:eager_mask", _AS_MATRICES)
"""Makes the additive mask that a model file's own attention reads."""
TAKES_FUNCTIONS: Final = Feature("transformers:PreTrainedModel._can_set_attn_implementation", _AS_MATRICES)
"""Whether a model calls the attention function that is set."""
HAS_FUSED: Final = Feature("transformers:PreTrainedModel._supports_sdpa", _AS_MATRICES)
"""Whether torch's fused attention computes what the model means."""
CACHE_LAYER: Final = Feature(
    "transformers.cache_utils:DynamicLayer", _NO_BRANCHES, lambda layer: hasattr(layer, "lazy_initialization")
)
"""The keys and values of one layer of a `DynamicCache`."""
CACHE_LAYERS: Final = Feature(
    "transformers:DynamicCache",
    "without_cache_layers",
    lambda kind: isinstance(getattr(kind(), "layers", None), list),
)
"""A cache that keeps its layers in a list."""
ATTENTION_NAME: Final = Feature("transformers:PreTrainedConfig._attn_implementation", "without_attention_name")
"""Where a configuration names the attention implementation."""
NO_NEW_WEIGHTS: Final = Feature("transformers:PreTrainedModel.initialize_weights", "without_lazy_weights")
"""Makes weights up that a checkpoint lacks."""
MODEL_FILE: Final = Feature(
    "transformers:BertConfig",
    "without_model_file",
    lambda kind: kind.__module__.split(".")[-1].startswith("configuration_"),
)
"""A configuration, in a file beside that of its models and called alike."""
PACKINGS: Final = Feature("transformers.quantizers.auto:AUTO_QUANTIZATION_CONFIG_MAPPING", "without_packings")
"""The ways to pack weights that transformers knows, by their names in config.json."""
_NO_RULE: Final = "without_rule"
RULE_PROCESSORS: Final = {
    rule: Feature(f"transformers:{name}", _NO_RULE)
    for rule, name in (
        ("sequence_bias", "SequenceBiasLogitsProcessor"),
        ("no_repeat_ngram_size", "NoRepeatNGramLogitsProcessor"),
        ("encoder_no_repeat_ngram_size", "EncoderNoRepeatNGramLogitsProcessor"),
        ("bad_words_ids", "NoBadWordsLogitsProcessor"),
        ("min_length", "MinLengthLogitsProcessor"),
        ("min_new_tokens", "MinNewTokensLengthLogitsProcessor"),
        ("forced_bos_token_id", "ForcedBOSTokenLogitsProcessor"),
        ("forced_eos_token_id", "ForcedEOSTokenLogitsProcessor"),
        ("exponential_decay_length_penalty", "ExponentialDecayLengthPenalty"),
        ("suppress_tokens", "SuppressTokensLogitsProcessor"),
        ("begin_suppress_tokens", "SuppressTokensAtBeginLogitsProcessor"),
    )
}
"""What does the work of a rule of generation, by the rule's name in a GenerationConfig."""
FETCH: Final = Feature("huggingface_hub.file_download:http_get", "without_resuming")
"""Writes a file of the hub from a given byte on."""
STORE_NAME: Final = Feature("huggingface_hub.file_download:repo_folder_name", FETCH.without)
"""The folder of a repository in the cache."""
HEADERS: Final = Feature("huggingface_hub.utils:build_hf_headers", FETCH.without)
"""What a request to the hub says of who asks."""
BLOCKS: Final = Feature("huggingface_hub.constants:DOWNLOAD_CHUNK_SIZE", "without_blocks")
"""Bytes between two looks at whether to stop."""
PLAIN_DOWNLOAD: Final = Feature("huggingface_hub.constants:HF_HUB_DISABLE_XET", BLOCKS.without)
"""Downloads by HTTP, which can be stopped between two blocks."""
NO_ANSWER: Final = Feature("huggingface_hub.errors:HTTPError", "without_no_answer")
"""What is raised when the hub cannot be reached: it is another library's."""
BARS: Final = Feature("transformers.utils.logging:_tqdm_active", "without_bars")
"""Whether transformers draws bars. Its `disable_progress_bar` would forget what is set of huggingface_hub's."""
ENCODER_OUTPUT: Final = Feature("transformers.modeling_outputs:BaseModelOutput", "without_encoder_output")
"""What an encoder's output is handed to the decoder in, from the second step on."""
OFFLOADED: Final = Feature("accelerate.hooks:remove_hook_from_submodules", "without_offloading")
"""Undoes what accelerate did to the modules of a spread model."""
FEATURES: Final = (
    FUSED_MASK,
    EAGER_MASK,
    TAKES_FUNCTIONS,
    HAS_FUSED,
    ATTENTION_NAME,
    CACHE_LAYER,
    CACHE_LAYERS,
    NO_NEW_WEIGHTS,
    MODEL_FILE,
    PACKINGS,
    *RULE_PROCESSORS.values(),
    FETCH,
    STORE_NAME,
    HEADERS,
    BLOCKS,
    PLAIN_DOWNLOAD,
    NO_ANSWER,
    BARS,
    ENCODER_OUTPUT,
    OFFLOADED,
)


def rule_processor(rule: str) -> Any:
    """transformers' class of a logits processor, by the name of the setting that asks for it."""
    return RULE_PROCESSORS[rule].get()


def missing(features: tuple[Feature, ...] = FEATURES) -> tuple[Sentence, ...]:
    """What will not work with the libraries that are installed; nothing if all of it will."""
    lost = [feature for feature in features if not feature.is_here]
    libraries = dict.fromkeys(f"{feature.library} {version(feature.library)}" for feature in lost)
    return (
        *(sentence("library_changed", library=library) for library in libraries),
        *(sentence(code) for code in dict.fromkeys(feature.without for feature in lost)),
    )


@cache
def self_check() -> tuple[Sentence, ...]:
    """`missing`, looked for once in a process: at the first model that is opened."""
    return missing()


# ---------------------------------------------------------------- attention
def register_attention(name: str, attend: Callable[..., Any], mask: Feature) -> None:
    """Make `attend` an attention implementation of transformers' models, with the masks it reads.

    Without masks of its own, a name's masks would silently be None. Where `mask` is missing nothing is registered.
    """
    if mask.is_here:
        transformers.AttentionInterface.register(name, attend)
        transformers.AttentionMaskInterface.register(name, mask.get())


def forget_attention(name: str) -> None:
    """Take back what `register_attention` did. Where the tables are kept elsewhere, the name stays known, and nobody uses it."""
    for table in (transformers.AttentionInterface, transformers.AttentionMaskInterface):
        getattr(table, "_global_mapping", {}).pop(name, None)


@contextmanager
def no_hooks_left(parts: Sequence[nn.Module]) -> Iterator[None]:
    """Take back the hooks that transformers leaves on a model's parts when it is first asked for their outputs.

    They would stay for good, and a model with them cannot be pickled. Those that were there before stay.
    """
    were_there = any(_COLLECTS in vars(part) for part in parts)
    try:
        yield
    finally:
        if not were_there and any(_COLLECTS in vars(part) for part in parts):
            for part in parts:
                vars(part).pop(_COLLECTS, None)
                for key, hook in list(part._forward_hooks.items()):
                    if getattr(hook, "__module__", "") == _COLLECTORS:
                        del part._forward_hooks[key]


def takes_functions(model: Any) -> bool:
    """Whether a model calls the attention function that is set. (DeBERTa and its like compute attention in their own way.)"""
    return TAKES_FUNCTIONS.is_here and bool(model._can_set_attn_implementation())


def has_fused_attention(model: Any) -> bool:
    """Whether torch's fused attention computes what the model means. (Gemma 2's soft-capped scores are beyond it.)"""
    return FUSED_MASK.is_here and HAS_FUSED.is_here and bool(model._supports_sdpa)


def attention_name(config: Any) -> Any:
    """The attention implementation that a configuration names."""
    ATTENTION_NAME.get()
    return config._attn_implementation


def name_attention(config: Any, name: Any) -> None:
    """Set it in the configuration alone, also of a model that refuses `set_attn_implementation`."""
    ATTENTION_NAME.get()
    config._attn_implementation = name


def eager_attention(module: nn.Module) -> Callable[..., Any] | None:
    """The plain attention function of a module's model file: those files define it beside the classes that call it."""
    return _beside(module, "eager_attention_forward") if EAGER_MASK.is_here else None


def _beside(module: nn.Module, name: str) -> Callable[..., Any] | None:
    """A function of the file of a module's class; None if that has none."""
    found: Callable[..., Any] | None = getattr(sys.modules[type(module).__module__], name, None)
    return found


# ---------------------------------------------------------------- modules
def is_offloaded(module: nn.Module) -> bool:
    """Whether accelerate brings the module's weights to its device for the moment of a pass."""
    return hasattr(module, "_hf_hook")


def places(module: nn.Module) -> dict[str, Any]:
    """The device of each part of a spread model, by the part's name; empty for a model in one place."""
    return getattr(module, "hf_device_map", None) or {}


def packing_settings(module: nn.Module) -> Any:
    """How the weights of a model are packed, as transformers has it; None if they are not."""
    return getattr(getattr(module, "hf_quantizer", None), "quantization_config", None)


def label_shift(module: nn.Module) -> Callable[..., Any] | None:
    """The function of a module's model file that makes a decoder's text of labels; None if that has none."""
    return _beside(module, "shift_tokens_right")


# ---------------------------------------------------------------- classes and checkpoints
LOADING: Final = OneAtATime()
"""Held while models are made: `from_pretrained` changes PreTrainedModel meanwhile, which two threads at once leave broken for good."""


def model_file(config: type[Any]) -> ModuleType | None:
    """The module with the models of a kind of configurations; None if there is none."""
    MODEL_FILE.get()
    try:
        return import_module(config.__module__.replace("configuration_", "modeling_"))
    except ImportError:
        return None


def without_numbers(architecture: type[Any]) -> type[Any]:
    """The same class for tensors without numbers: it makes none up for what is missing, which would take its time."""
    body = {"__module__": architecture.__module__, "initialize_weights": lambda _: None}
    return type(architecture.__name__, (architecture,), body)


@dataclass(frozen=True, slots=True)
class LoadingReport:
    """What transformers did with a checkpoint.

    Attributes
    ----------
    missing : names of weights that the file lacks
    unexpected : names in the file that the class has no place for
    mismatched : (name, shape in the file, shape in the class)
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]


def load(architecture: type[Any], folder: Any, *, renames: Mapping[str, str], **options: Any) -> tuple[Any, LoadingReport]:
    """`from_pretrained`, and what it did.

    Parameters
    ----------
    folder : path or None
        None for tensors among the options.
    renames : mapping of regular expression to replacement
        Of names in the file.

    Raises
    ------
    HeadscopeError
        ``library_unfit`` if it does not take these options, or does not say what it did.
    Exception
        Nearly any, as `from_pretrained`.
    """
    unfit = HeadscopeError(
        "library_unfit",
        library=f"transformers {version('transformers')}",
        reason=sentence("without_report"),
    )
    options |= {"key_mapping": dict(renames), "output_loading_info": True}
    try:
        made = architecture.from_pretrained(folder, **options)
    except TypeError as error:
        raise unfit if any(f"unexpected keyword argument '{name}'" in str(error) for name in options) else error from None
    try:
        module, found = made
        mismatched = tuple(sorted((str(name), tuple(there), tuple(own)) for name, there, own in found["mismatched_keys"]))
        return module, LoadingReport(tuple(sorted(found["missing_keys"])), tuple(sorted(found["unexpected_keys"])), mismatched)
    except (KeyError, TypeError, ValueError):
        raise unfit from None


@contextmanager
def no_bars() -> Iterator[None]:
    """transformers draws none inside this block."""
    if not BARS.is_here or not BARS.get():
        yield
        return
    BARS.set(False)
    try:
        yield
    finally:
        BARS.set(True)


# ---------------------------------------------------------------- the hub
def no_answer() -> type[Exception]:
    """What is raised when the hub cannot be reached."""
    found: type[Exception] = NO_ANSWER.get() if NO_ANSWER.is_here else ConnectionError
    return found


# ---------------------------------------------------------------- key-value caches
def without_cache(model: Any) -> dict[str, bool]:
    """The argument that keeps a pass from making a key-value cache that nobody will read; empty for a model that makes none."""
    return {"use_cache": False} if "use_cache" in inspect.signature(model.forward).parameters else {}


def cache_layer_class() -> type[Any]:
    """The base class of a cache's layers; `object` where there is none, and then no cache has layers of ours."""
    found: type[Any] = CACHE_LAYER.get() if CACHE_LAYER.is_here else object
    return found


def cache_argument(model: Any, inputs: dict[str, Any], new_cache: Callable[[], Any]) -> str | None:
    """The argument by which a model takes a key-value cache, found by reading `inputs` into one; None if it takes none.

    Parameters
    ----------
    model : PreTrainedModel
    inputs : dict
        For one pass over a few tokens.
    new_cache : callable
        Makes an empty cache of the kind that the model needs.
    """
    import torch

    from headscope.core.memory import is_out_of_memory

    for name in like_caches(model) if CACHE_LAYERS.is_here else ():
        kept = new_cache()
        try:
            with torch.inference_mode():
                model(**inputs, **{name: kept}, use_cache=True)
        except Exception as error:  # it takes another kind of object there: XLM a dictionary of its own
            if is_out_of_memory(error):
                raise
            continue
        if is_filled(kept):
            return name
    return None


def like_caches(model: Any) -> Iterator[str]:
    """Arguments of a model's pass that may take a cache, the most likely ones first."""
    names = inspect.signature(model.forward).parameters
    if "use_cache" not in names:
        return
    known = ("past_key_values", "cache")
    yield from (name for name in known if name in names)
    yield from (name for name in names if ("cache" in name or "past" in name) and name not in (*known, "use_cache"))


def is_filled(kept: Any) -> bool:
    """Whether a pass has left keys in a cache."""
    own = getattr(kept, "self_attention_cache", kept)
    return any(getattr(layer, "keys", None) is not None and layer.keys.numel() > 0 for layer in own.layers)


# ---------------------------------------------------------------- tokenizers
@contextmanager
def writing(tokenizer: Any) -> Iterator[None]:
    """Set a translator's tokenizer to the language that it writes; transformers' own calls set it for their own time alone.

    A tokenizer without these two names has one language, and stays as it is.
    """
    if hasattr(tokenizer, "_switch_to_target_mode"):
        tokenizer._switch_to_target_mode()
    try:
        yield
    finally:
        if hasattr(tokenizer, "_switch_to_input_mode"):
            tokenizer._switch_to_input_mode()
