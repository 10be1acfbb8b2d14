"""Languages that a tokenizer has codes for: mBART, mBART-50, NLLB, M2M100 and PLBart by special tokens, Marian by words like ``>>fra<<``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from headscope.core.errors import HeadscopeError
from headscope.core.options import GenerationSettings, LanguageChoice, Languages
from headscope.core.predict.languages import named_languages
from headscope.core.text.tokenizer import Encoded

_SPECIAL: Final = re.compile(r"[a-z]{2,3}_[A-Z][A-Za-z]{1,3}")
"""A language with a region or a script: ``fr_XX``, ``fra_Latn``."""
_WORD: Final = re.compile(r">>[\w@-]+<<")


class LanguageCodes:
    """The codes of a tokenizer; of one that has none, nothing.

    Parameters
    ----------
    tokenizer : a transformers tokenizer
        Its source language is set while a text is encoded, and set back.
    name : str
        Of the model, for errors.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        self._tokenizer = tokenizer
        self._name = name
        self.has_source = hasattr(type(tokenizer), "src_lang")
        self._ids = _special_codes(tokenizer) if self.has_source else _word_codes(tokenizer)

    def choice(self, settings: GenerationSettings) -> LanguageChoice:
        """What can be chosen, and what `settings` mean already."""
        if not self._ids:
            return LanguageChoice()
        source = getattr(self._tokenizer, "src_lang", None) if self.has_source else None
        first = next((rule.value for rule in settings.rules if rule.name == "forced_bos_token_id"), None)
        target = next((code for code, id_ in self._ids.items() if id_ == first), None) if self.has_source else None
        return LanguageChoice(named_languages(self._ids), source if source in self._ids else None, target, self.has_source)

    def first_token(self, code: str) -> int | None:
        """The token that an answer in this language begins with; None if the source says the language.

        Raises
        ------
        HeadscopeError
            ``no_languages``, ``unknown_language``.
        """
        self._check(code)
        return self._ids[code] if self.has_source else None

    def beginning(self, languages: Languages | None) -> str:
        """What stands before the source's text for its language."""
        if languages is None or languages.target is None or self.has_source:
            return ""
        self._check(languages.target)
        return f"{languages.target} "

    @contextmanager
    def speaking(self, languages: Languages | None) -> Iterator[None]:
        """Texts are encoded as texts of these languages inside."""
        wanted = Languages() if languages is None else languages
        for code in (wanted.source, wanted.target):
            if code is not None:
                self._check(code)
        if wanted.source is not None and not self.has_source:
            raise HeadscopeError("no_source_language", model=self._name)
        if not self.has_source or wanted == Languages():
            yield
            return
        tokenizer = self._tokenizer
        before = tokenizer.src_lang, getattr(tokenizer, "tgt_lang", None)
        try:
            tokenizer.tgt_lang = wanted.target or before[1]
            tokenizer.src_lang = wanted.source or before[0]
            yield
        finally:
            tokenizer.tgt_lang = before[1]
            tokenizer.src_lang = before[0]

    def _check(self, code: str) -> None:
        if not self._ids:
            raise HeadscopeError("no_languages", model=self._name)
        if code not in self._ids:
            known = ", ".join(list(self._ids)[:12])
            raise HeadscopeError("unknown_language", model=self._name, language=code, known=known)


def without_beginning(encoded: Encoded, text: str, n_letters: int) -> Encoded:
    """An encoding of a text with `n_letters` before it, as one of `text` itself: those letters' tokens are special."""
    tokens = [
        replace(token, start=token.start - n_letters, end=token.end - n_letters)
        if token.start >= n_letters
        else replace(token, start=-1, end=-1, special=True)
        for token in encoded.axis.tokens
    ]
    axis = replace(encoded.axis, tokens=tuple(tokens), text=text, dropped_from=max(0, encoded.axis.dropped_from - n_letters))
    return Encoded(encoded.ids, encoded.segments, axis)


def _special_codes(tokenizer: Any) -> dict[str, int]:
    known: Any = getattr(tokenizer, "lang_code_to_id", None)
    if not isinstance(known, dict):
        words = [str(word) for word in tokenizer.all_special_tokens if _SPECIAL.fullmatch(str(word))]
        known = {word: tokenizer.convert_tokens_to_ids(word) for word in words}
    unknown = tokenizer.unk_token_id
    return {str(code): id_ for code, id_ in known.items() if isinstance(id_, int) and id_ != unknown}


def _word_codes(tokenizer: Any) -> dict[str, int]:
    if not any(word.startswith(">>") for word in tokenizer.get_vocab()):
        return {}
    return {word: id_ for word, id_ in sorted(tokenizer.get_vocab().items()) if _WORD.fullmatch(word)}
