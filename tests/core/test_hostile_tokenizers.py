"""Tokenizers and chat templates that would hang, fill the memory or panic are refused in a sentence; others pass unhindered."""

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from headscope.core.errors import HeadscopeError
from headscope.core.files import guarded
from headscope.core.models.hub.tokenizer import HubTokenizer, read_tokenizer
from headscope.core.models.hub.tokenizer_bounds import is_bounded, splits_in_bounds
from tests.tiny_models import write_decoder
from tests.tiny_tokenizers import byte_fallback, byte_level, unigram, word_piece


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A memory of what passed that is the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are reached soon."""
    monkeypatch.setattr(guarded, "SECONDS", 1.5)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_decoder(tmp_path_factory.mktemp("sound") / "gpt2")


def changed(sound: Path, to: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The tokenizer files of `sound`, with another tokenizer.json."""
    to.mkdir()
    for path in sound.glob("*.json"):
        (to / path.name).write_bytes(path.read_bytes())
    whole = json.loads((sound / "tokenizer.json").read_text(encoding="utf-8"))
    text = change(whole)
    (to / "tokenizer.json").write_text(text if isinstance(text, str) else json.dumps(whole), encoding="utf-8")
    return to


def with_part(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda whole: whole.update({name: value})


def regex(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def growing(n: int) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"Regex": "."}, "content": "xy" * n}


def deep(n: int) -> str:
    return '{"type":"Sequence","normalizers":[' * n + '{"type":"NFC"}' + "]}" * n


ENDS = {"id": "<s>", "type_id": 0}
HOSTILE = {
    "a map that panics": with_part("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
    "an empty map": with_part("normalizer", {"type": "Precompiled", "precompiled_charsmap": ""}),
    "a regex past its limit": with_part("pre_tokenizer", regex("(a|aa)+$x")),
    "a text that grows": with_part("normalizer", {"type": "Sequence", "normalizers": [growing(3000), growing(3000)]}),
    "a template of many": with_part(
        "post_processor",
        {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": ENDS}] * 9_000 + [{"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": ENDS}] * 9_000,
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1] * 99_000, "tokens": ["<s>"] * 99_000}},
        },
    ),
    "nested a thousand deep": lambda whole: json.dumps(whole | {"normalizer": "X"}).replace('"X"', deep(1000)),
    "nested a million deep": lambda whole: json.dumps(whole | {"normalizer": "X"}).replace('"X"', deep(1_000_000)),
    "a token of a million letters": lambda whole: whole["added_tokens"].append(
        {**whole["added_tokens"][0], "id": 99, "content": "x" * 10**6} if whole["added_tokens"] else {}
    ),
}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tokenizer_is_refused_within_the_limits(sound: Path, tmp_path: Path, capfd, name: str) -> None:
    folder = changed(sound, tmp_path / "model", HOSTILE[name])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HeadscopeError) as captured:
        read_tokenizer(folder, "model")
    assert captured.value.code in {"tokenizer_broken", "cannot_read", "no_tokenizer"}
    assert captured.value.message.isprintable()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 2**10  # kB: the parent built nothing of it
    assert capfd.readouterr() == ("", "")  # Rust writes its panics to the terminal


def test_what_passed_is_opened_without_a_child(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = changed(sound, tmp_path / "model", with_part("pre_tokenizer", regex("[a-c]|[d-z]")))
    read_tokenizer(folder, "model")
    monkeypatch.setattr(guarded, "_interpreter", lambda: pytest.fail("there was a child"))
    read_tokenizer(folder, "model")
    read_tokenizer(sound, "model")  # of known parts: no child at all


@pytest.mark.parametrize("tokenizer", [word_piece, byte_level, byte_fallback, unigram])
def test_the_kinds_in_use_are_known_to_be_bounded(tokenizer: Callable[[], HubTokenizer]) -> None:
    backend = tokenizer()._tokenizer.backend_tokenizer
    assert splits_in_bounds(backend)
    assert is_bounded(json.loads(backend.to_str()))


@pytest.mark.parametrize("missing", ["model", "added_tokens", "padding", "normalizer"])
def test_what_is_not_as_the_library_writes_it_is_not_taken_for_bounded(sound: Path, missing: str) -> None:
    whole = json.loads((sound / "tokenizer.json").read_text(encoding="utf-8"))
    assert is_bounded(whole)
    del whole[missing]
    assert not is_bounded(whole)
    assert not is_bounded([whole])
    assert not is_bounded(None)


# ---------------------------------------------------------------- texts
def splitting(pattern: str) -> HubTokenizer:
    backend = Tokenizer(models.WordLevel({"<unk>": 0, "b": 1}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>"))


def lengthening() -> HubTokenizer:
    backend = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    backend.normalizer = normalizers.Replace("q", "q" * 10**6)
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>"))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("tokenizer", "text"),
    [(splitting("(b|bb|bbb)+$z"), "b" * 60), (splitting("b*b*(?=c|dd)"), "b" * 3000 + "d"), (lengthening(), "q" * 10_000)],
    ids=["past its limit", "slow at every letter", "longer and longer"],
)
def test_a_text_that_a_tokenizer_does_not_end_with_is_refused(capfd, tokenizer: HubTokenizer, text: str) -> None:
    assert len(tokenizer.encode("b q").axis.tokens) > 0
    with pytest.raises(HeadscopeError) as captured:
        tokenizer.encode(text)
    assert captured.value.code == "text_not_split"
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------- chats
LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"
TEMPLATES = {
    "nested loops": LOOPS,
    "a text larger than the memory": "{{ 'x' * 9999999999 }}",
    "a large number": "{{ 9 ** (9 ** 9) }}",
    "a wide column": "{{ 'x'|center(9999999) }}",
    "itself": "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
    "no template": "{% for %}",
    "a refusal": "{{ raise_exception('never\x1b[31m\n') }}",
    "underscores": "{{ ''.__class__.__mro__ }}{{ messages.__init__.__globals__ }}",
}


def chatting(template: str) -> HubTokenizer:
    tokenizer = byte_level()._tokenizer
    tokenizer.chat_template = template
    return HubTokenizer(tokenizer)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_does_not_end_is_refused_and_hinders_no_other_text(name: str) -> None:
    tokenizer = chatting(TEMPLATES[name])
    plain = byte_level()
    assert tokenizer.encode("the cat").ids == plain.encode("the cat").ids
    with pytest.raises(HeadscopeError) as captured:
        tokenizer.chat("the cat")
    assert captured.value.code == "chat_template_failed"
    assert captured.value.message.isprintable()


TURNS = "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m['content'] | trim }}{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}"


@pytest.mark.parametrize("system", ["", "be brief"])
def test_a_chat_is_what_transformers_makes_of_it(system: str) -> None:
    tokenizer = chatting(TURNS)
    said = [{"role": "system", "content": system}] * bool(system) + [{"role": "user", "content": " the cat é\n"}]
    expected = tokenizer._tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    assert tokenizer.chat(" the cat é\n", system) == expected
    assert tokenizer.chat(expected) == expected  # in the template already


# ---------------------------------------------------------------- found by make fuzz
def test_a_template_that_names_a_token_it_does_not_list_panics_in_the_child(sound: Path, tmp_path: Path, capfd) -> None:
    """Rust writes a panic and its stack to the terminal of the process that it happens in."""

    def change(whole: dict[str, Any]) -> None:
        pieces = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        whole["post_processor"] = {"type": "TemplateProcessing", "single": pieces, "pair": pieces, "special_tokens": {}}

    folder = changed(sound, tmp_path / "model", change)
    capfd.readouterr()
    with pytest.raises(HeadscopeError) as captured:
        read_tokenizer(folder, "model")
    assert captured.value.code == "tokenizer_broken"
    assert capfd.readouterr() == ("", "")


def test_a_tokenizer_that_looks_for_its_unknown_token_without_end_is_refused(sound: Path, tmp_path: Path) -> None:
    folder = changed(sound, tmp_path / "model", lambda whole: None)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "unk_token": ""}), encoding="utf-8")
    with pytest.raises(HeadscopeError) as captured:
        read_tokenizer(folder, "model")
    assert captured.value.code == "no_tokenizer"
