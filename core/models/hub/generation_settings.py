"""A model's own generation settings as Headscope's: every field of transformers' GenerationConfig is used, harmless, or named.

transformers has read them by then: from generation_config.json, or, of older folders, from config.json.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from headscope.core.errors import HeadscopeError, one_line
from headscope.core.files.inspect import read_json
from headscope.core.models.hub import compat
from headscope.core.options import (
    LARGEST_POWER,
    MOST_BEAMS,
    ORDER,
    RULES,
    BeamSearch,
    GenerationSettings,
    Rule,
    Sampling,
)
from headscope.core.predict.rules import Place, RulesAtWork
from headscope.core.predict.sampling import check

_STARTS: Final = frozenset(
    {
        "max_length",
        "max_new_tokens",
        "early_stopping",
        "stop_strings",
        "do_sample",
        "num_beams",
        "length_penalty",
        "temperature",
        "top_k",
        "top_p",
        "min_p",
        "repetition_penalty",
        "eos_token_id",
        "bos_token_id",
        "decoder_start_token_id",
    }
)
"""What fields, options, the first and the last token start from."""
_HARMLESS: Final = frozenset(
    {
        # how fast, not what
        "use_cache",
        "cache_implementation",
        "cache_config",
        "max_cache_len",
        "compile_config",
        "disable_compile",
        "continuous_batching_config",
        "prefill_chunk_size",
        "low_memory",
        # drafts that a model of its own or the prompt proposes, and that this model confirms token by token
        "use_mtp",
        "is_assistant",
        "num_assistant_tokens",
        "num_assistant_tokens_schedule",
        "assistant_confidence_threshold",
        "prompt_lookup_num_tokens",
        "max_matching_ngram_size",
        "assistant_early_exit",
        "assistant_lookbehind",
        "target_lookbehind",
        "speculation_type",
        # what `generate` returns beside the text
        "output_attentions",
        "output_hidden_states",
        "output_scores",
        "output_logits",
        "return_dict_in_generate",
        # of texts side by side, which are not written here
        "pad_token_id",
        # where the settings come from
        "transformers_version",
        "_from_model_config",
        "_commit_hash",
        "_name_or_path",
    }
)
"""What changes no token that is written."""
_NEUTRAL: Final[dict[str, tuple[Any, ...]]] = {
    "max_time": (),
    "guidance_scale": (1,),
    "token_healing": (False,),
    "watermarking_config": (),
    "num_return_sequences": (1,),
    "penalty_alpha": (0,),
    "dola_layers": (),
    "diversity_penalty": (0,),
    "num_beam_groups": (1,),
    "constraints": (),
    "force_words_ids": (),
    "assistant_ensemble_weight": (),
}
"""What Headscope does not do, with the values that ask for nothing; whatever is in no table is named as well."""
_OFF: Final[dict[str, tuple[Any, ...]]] = {
    "encoder_repetition_penalty": (1,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "min_length": (0,),
    "min_new_tokens": (0,),
    "remove_invalid_values": (False,),
    "renormalize_logits": (False,),
    "typical_p": (1,),
    "epsilon_cutoff": (0, 1),
    "eta_cutoff": (0, 1),
}
"""Values of rules that ask for nothing."""
_TOP_K_OF_DRAWING: Final = 50
"""What transformers' `generate` draws among if the settings do not say; 0 is all."""
_SHOWN: Final = 60
"""Characters of a value."""
_MOST_WORDS: Final = 6
_T = TypeVar("_T")
Named = Callable[[int], str]
"""The token of an id, as people read it."""


def classified(key: str) -> str:
    """ "used", "harmless" or "named"."""
    if key in _STARTS or key in RULES:
        return "used"
    return "harmless" if key in _HARMLESS else "named"


def generation_settings(
    settings: Mapping[str, Any], *, n_vocabulary: int, end_ids: frozenset[int], named: Named, is_encoder_decoder: bool
) -> GenerationSettings:
    """Headscope's reading of a GenerationConfig.

    Parameters
    ----------
    settings : mapping
        `GenerationConfig.to_dict()`.
    n_vocabulary : int
        Scores that the model gives at each place.
    end_ids : frozenset of int
    named : callable
        The token of an id.
    is_encoder_decoder : bool

    Returns
    -------
    GenerationSettings
        What cannot be used is among `unsupported`, and nothing is raised.
    """
    unsupported = [_shown(key, value) for key, value in settings.items() if _is_named(key, value)]
    place = Place((0,), 1, 2, end_ids or frozenset({0}), compat.rule_processor)
    rules = []
    for name in ORDER:
        value = _frozen(settings.get(name))
        if name not in RULES or value is None or _is_one_of(value, _OFF.get(name, ())):
            continue
        if name == "min_length" and settings.get("min_new_tokens"):  # which counts more
            continue
        try:
            RulesAtWork([Rule(name, value)], place).effects((0,), n_vocabulary)
        except HeadscopeError as error:
            unsupported.append(f"{_shown(name, value)}: {error.parameters.get('expected', error.message)}")
        else:
            rules.append(Rule(name, value, _words(name, value, named, n_vocabulary)))
    start = _Start(settings, unsupported)
    start.check_tokens()
    sampling, beams = start.sampling(), start.beams()
    if beams.n_beams > 1 and sampling.temperature:
        unsupported.append("do_sample: True (beam search does not sample here)")
    max_new_tokens, max_length = start.count("max_new_tokens"), start.count("max_length")
    if is_encoder_decoder and max_length is not None and max_new_tokens is None and max_length > 1:
        max_new_tokens = max_length - 1  # all but the start token
    return GenerationSettings(
        sampling, beams, max_new_tokens, max_length, start.stop(), tuple(rules), tuple(dict.fromkeys(unsupported))
    )


def keep_unread(config: Any, folder: Path) -> None:
    """Put the keys of a folder's settings that transformers does not know into its GenerationConfig, so that they are named.

    It does so itself, but not where the file says that it was made from a configuration, as most do.
    """
    if config is None:
        return
    try:
        said = read_json(folder / "generation_config.json")
    except HeadscopeError:  # there is none, or transformers has passed it over as well
        return
    for key, value in said.items() if isinstance(said, dict) else ():
        if classified(key) == "named" and not hasattr(config, key):
            setattr(config, key, value)


def end_ids_of(settings: Mapping[str, Any]) -> frozenset[int]:
    """The ids that end a text."""
    known = settings.get("eos_token_id")
    ids = known if isinstance(known, list | tuple) else [known]
    return frozenset(id_ for id_ in ids if isinstance(id_, int) and not isinstance(id_, bool))


def start_id_of(settings: Mapping[str, Any], others: Sequence[Any], n_embeddings: int) -> int:
    """The token an encoder-decoder's decoder begins with: as `generate` has it, or the first of `others` that can be."""
    known = [settings.get("decoder_start_token_id"), settings.get("bos_token_id"), *others]
    flat = [each[0] if isinstance(each, list | tuple) and each else each for each in known]
    fitting = (each for each in flat if isinstance(each, int) and not isinstance(each, bool) and 0 <= each < n_embeddings)
    return next(fitting, 0)


class _Start:
    """What fields start from; values that cannot be are named, and left out."""

    def __init__(self, settings: Mapping[str, Any], unsupported: list[str]) -> None:
        self._settings = settings
        self._unsupported = unsupported

    def sampling(self) -> Sampling:
        own = Sampling(
            temperature=self._number("temperature", 1.0) if self._settings.get("do_sample") is True else 0.0,
            top_k=int(self._number("top_k", _TOP_K_OF_DRAWING if self._settings.get("do_sample") is True else 0)),
            top_p=self._number("top_p", 1.0),
            min_p=self._number("min_p", 0.0),
            repetition_penalty=self._number("repetition_penalty", 1.0),
        )
        try:
            check(own)
        except HeadscopeError as error:
            name = str(error.parameters["option"])
            self._left_out(name, str(error.parameters["expected"]), None)
            self._settings = {key: value for key, value in self._settings.items() if key != name}
            return self.sampling()
        return own

    def beams(self) -> BeamSearch:
        early: Any = self._settings.get("early_stopping")
        early = early if early in (True, "never") else False
        n_beams, power = self.count("num_beams") or 1, self._number("length_penalty", 1.0)
        if n_beams > MOST_BEAMS:
            n_beams = self._left_out("num_beams", f"at most {MOST_BEAMS}", 1)
        if abs(power) > LARGEST_POWER:
            power = self._left_out("length_penalty", f"from -{LARGEST_POWER} to {LARGEST_POWER}", 1.0)
        return BeamSearch(n_beams, power, early)

    def stop(self) -> tuple[str, ...]:
        value = self._settings.get("stop_strings")
        texts = [value] if isinstance(value, str) else [] if value is None else value
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
            return self._left_out("stop_strings", "texts", ())
        return tuple(texts)

    def check_tokens(self) -> None:
        """Name what does not say which tokens begin and end a text, and whether tokens are drawn."""
        for name in ("eos_token_id", "bos_token_id", "decoder_start_token_id"):
            value = self._settings.get(name)
            each = value if isinstance(value, list | tuple) else [value]
            if value is not None and not all(isinstance(id_, int) and not isinstance(id_, bool) for id_ in each):
                self._left_out(name, "a token's id, or a list of them", None)
        if not isinstance(self._settings.get("do_sample"), bool | None):
            self._left_out("do_sample", "true or false", None)

    def _left_out(self, name: str, expected: str, otherwise: _T) -> _T:
        self._unsupported.append(f"{_shown(name, self._settings.get(name))}: must be {expected}")
        return otherwise

    def count(self, name: str) -> int | None:
        value = self._number(name, 0)
        return int(value) if value >= 1 else None

    def _number(self, name: str, otherwise: float) -> float:
        value = self._settings.get(name)
        if value is None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return self._left_out(name, "a number", otherwise)
        return value


def _is_named(key: str, value: Any) -> bool:
    return value is not None and classified(key) == "named" and not _is_one_of(value, _NEUTRAL.get(key, ()))


def _is_one_of(value: Any, neutral: tuple[Any, ...]) -> bool:
    return isinstance(value, bool | int | float) and value in neutral


def _shown(key: str, value: Any) -> str:
    words = one_line(value)
    key = one_line(key)
    key = key if len(key) <= _SHOWN else key[: _SHOWN - 1] + "…"
    return f"{key}: {words if len(words) <= _SHOWN else words[: _SHOWN - 1] + '…'}"


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down; {sequence: bias} as pairs."""
    if isinstance(value, Mapping):
        return tuple((_frozen(key), _frozen(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(each) for each in value)
    return value


def _words(name: str, value: Any, named: Named, n_vocabulary: int) -> tuple[str, ...]:
    """The first of the tokens, or sequences of tokens, that a rule names."""
    if name == "sequence_bias":
        sequences: Any = [sequence for sequence, _ in value]
    elif name == "bad_words_ids":
        sequences = value
    elif name in ("forced_bos_token_id", "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens"):
        sequences = [(id_,) for id_ in (value if isinstance(value, tuple) else (value,))]
    else:
        return ()
    known = [sequence for sequence in sequences if all(0 <= id_ < n_vocabulary for id_ in sequence)]
    return tuple(" ".join(named(id_) for id_ in sequence) for sequence in known[:_MOST_WORDS])
