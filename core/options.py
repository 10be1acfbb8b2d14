"""How a model writes, as plain values: the rules of its own settings, what its sampling and beams start from, languages.

Nothing here imports torch: the window shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from headscope.core.arguments import check_fields
from headscope.core.errors import HeadscopeError
from headscope.core.vocabulary import Filter

ORDER: Final[tuple[str, ...]] = get_args(Filter)
"""All filters in the order in which they are applied."""
SAMPLING: Final = frozenset({"repetition_penalty", "temperature", "top_k", "top_p", "min_p"})
"""Those that are fields of `Sampling`."""
CUTS: Final = frozenset({"top_h", "typical_p", "epsilon_cutoff", "eta_cutoff"})
"""Rules that act only where a token is drawn: they cut probabilities, as top-k and top-p do."""
RULES: Final = frozenset(ORDER) - SAMPLING - {"model"}
MOST_NEW_TOKENS: Final = 40
"""Where generation ends at the latest if nobody says where, neither the caller nor the model's settings."""
MOST_BEAMS: Final = 100
LARGEST_POWER: Final = 16
"""Of a length, as a penalty; the scores of far larger ones are all 0 or infinite."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that shapes what may be written, with transformers' name and meaning.

    Attributes
    ----------
    name : str
        A key of transformers' GenerationConfig, one of `RULES`.
    value : bool, int, float, or tuples of them
        As GenerationConfig has it, with tuples in the place of lists.
    words : tuple of str
        The first of the tokens it names, as people read them.
    """

    name: str
    value: Any
    words: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise HeadscopeError("bad_option", option="a rule's name", value=self.name, expected=", ".join(sorted(RULES)))


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; `top_k` 0, `top_p` 1, `min_p` 0 and `repetition_penalty` 1 are off.

    Filters apply in the order of `Filter`, as in transformers; those that cut, each on a renormalised distribution.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class BeamSearch:
    """How beams are kept, with transformers' names and meanings.

    Attributes
    ----------
    n_beams : int
        1: no beam search.
    length_penalty : float
        A finished beam's score is its log-probability divided by its length to this power.
    early_stopping : bool or "never"
        True: end as soon as `n_beams` beams are finished. False: when no running beam can be expected to win any more. "never":
        when none can win any more, however long it becomes.
    """

    n_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What a model's own settings say about how it writes; the start of all fields and options.

    Attributes
    ----------
    sampling : Sampling
        Temperature 0 if its settings do not say that tokens are drawn.
    beams : BeamSearch
    max_new_tokens, max_length : int or None
        The most new tokens, or the most tokens together with the prompt's (an encoder-decoder's start token is its prompt).
    stop : tuple of str
        Texts that end the text.
    rules : tuple of Rule
        In the order in which they are applied.
    unsupported : tuple of str
        Settings that are left out, each with its value and, if it cannot be used, the reason.
    """

    sampling: Sampling = field(default_factory=Sampling)
    beams: BeamSearch = field(default_factory=BeamSearch)
    max_new_tokens: int | None = None
    max_length: int | None = None
    stop: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    unsupported: tuple[str, ...] = ()

    def new_tokens(self, n_prompt: int) -> int:
        """The most new tokens behind a prompt of so many."""
        if self.max_new_tokens is not None:
            return self.max_new_tokens
        room = 0 if self.max_length is None else self.max_length - n_prompt
        return room if room > 0 else MOST_NEW_TOKENS

    def sampling_with(self, sampling: Sampling | None = None, **values: Any) -> Sampling:
        """The model's own sampling, or that in its place, with other values for what is not None."""
        return replace(sampling or self.sampling, **{name: value for name, value in values.items() if value is not None})

    def rules_without(self, names: frozenset[str] | set[str]) -> tuple[Rule, ...]:
        """The model's rules but those of these names.

        Raises
        ------
        HeadscopeError
            ``bad_option`` for a name that none of them has.
        """
        own = {rule.name for rule in self.rules}
        if unknown := sorted(names - own):
            expected = f"one of the model's rules ({', '.join(sorted(own)) or 'it has none'})"
            raise HeadscopeError("bad_option", option="a rule to leave out", value=unknown[0], expected=expected)
        return tuple(rule for rule in self.rules if rule.name not in names)


@dataclass(frozen=True, slots=True)
class Language:
    """A language that a tokenizer has a token for: transformers' `code`, such as ``fr_XX``, and its English `name`."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """Which languages a model can be asked for.

    Attributes
    ----------
    languages : tuple of Language
        By name; empty if its tokenizer has no language codes.
    source, target : str or None
        The codes that its own settings mean, if they mean any.
    has_source : bool
        Whether the source's language is said as well: Marian's models are told the target's alone.
    """

    languages: tuple[Language, ...] = ()
    source: str | None = None
    target: str | None = None
    has_source: bool = False

    def code_of(self, language: str, model: str) -> str:
        """The code of a language that somebody calls by its code or by its name.

        Raises
        ------
        HeadscopeError
            ``no_languages``, ``unknown_language``.
        """
        if not self.languages:
            raise HeadscopeError("no_languages", model=model)
        wanted = language.strip().casefold()
        by_code = [each.code for each in self.languages if each.code.casefold() == wanted]
        by_name = [each.code for each in self.languages if each.name.casefold() == wanted]
        by_beginning = [each.code for each in self.languages if _begins(each.code, wanted)]
        for found in (by_code, by_name, by_beginning):
            if len(found) == 1:
                return found[0]
        known = ", ".join(each.code for each in self.languages[:12])
        raise HeadscopeError("unknown_language", model=model, language=language, known=known)


def _begins(code: str, wanted: str) -> bool:
    """Whether ``fr`` is meant by ``fr_XX``, ``__fr__`` or ``>>fr<<``."""
    return code.strip("_<>").casefold().split("_")[0] == wanted.strip("_<>")


@dataclass(frozen=True, slots=True)
class Languages:
    """The codes of the languages that a text is read in and answered in; None: as the model's own settings say."""

    source: str | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        check_fields(self)


OWN_LANGUAGES: Final = Languages()
