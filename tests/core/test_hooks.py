"""A model that is looked into is given back as it was, after whatever was done with it, and threads do not disturb each other."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from torch import nn

from headscope.core import Model, wrap_model
from headscope.core.analyse.attribution.direct_logit import direct_logit_attribution
from headscope.core.analyse.attribution.gradient_attention import gradient_attention
from headscope.core.analyse.attribution.integrated_gradients import integrated_gradients
from headscope.core.analyse.attribution.value_weighted import value_weighted_attention
from headscope.core.analyse.causal.effects import effects
from headscope.core.analyse.causal.sweeps import Question, ablate_heads
from headscope.core.attention.intervention import Cut, Intervention, Scale
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.forward.verify import verify
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.predict.logit_lens import logit_lens
from tests import allowed
from tests.fingerprint import differences, fingerprint
from tests.golden.families import ENDS, FAMILIES, SIZES, VOCABULARY, Family, built, mamba
from tests.looked_into import OTHERS
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

_BIRD = {
    **SIZES,
    "attention_type": "block_sparse",
    "block_size": 4,
    "num_random_blocks": 1,
    "pad_token_id": 0,
    **ENDS,
    "sep_token_id": 3,
}
_UMT5 = {
    "vocab_size": VOCABULARY,
    "d_model": 64,
    "d_kv": 16,
    "d_ff": 96,
    "num_layers": 2,
    "num_heads": 4,
    "pad_token_id": 0,
    "eos_token_id": 2,
}
SPECIAL = (
    Family("big-bird", lambda: hf.BigBirdForMaskedLM(hf.BigBirdConfig(**_BIRD)), "encoder"),
    Family("umt5-encoder", lambda: hf.UMT5EncoderModel(hf.UMT5Config(**_UMT5)), "encoder"),
    Family("layoutlm", lambda: hf.LayoutLMForMaskedLM(hf.LayoutLMConfig(**SIZES)), "encoder"),
    Family(
        "gpt2-classifier",
        lambda: hf.GPT2ForSequenceClassification(hf.GPT2Config(vocab_size=VOCABULARY, n_embd=64, n_layer=2, n_head=4)),
        "decoder",
    ),
)
EVERY = {family.name: family for family in (*FAMILIES, *SPECIAL, *OTHERS)}
NAMES = [
    "bert",
    "albert",
    "gpt2",
    "mistral-sliding",
    "t5",
    "gpt-oss-sinks",
    "falcon",
    "xlnet",
    *(family.name for family in SPECIAL),
]
TEXT = "the cat sat"
EDITS = Intervention((Scale(layer=0, head=1), Cut(layer=0, head=0, queries=(2,), keys=(1,))))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    write = {"encoder": write_masked, "decoder": write_decoder, "encoder-decoder": write_encoder_decoder}
    return cache(lambda form: hf.AutoTokenizer.from_pretrained(write[form](tmp_path_factory.mktemp(form))))


def half_frozen(name: str) -> nn.Module:
    """In training, but for one part."""
    module = built(EVERY[name]).train()
    next(iter(module.children())).eval()
    next(iter(module.parameters())).requires_grad_(False)
    return module


def operations(look: Model, job: Callable[[], Job]) -> dict[str, Callable[[], object]]:
    """All that a model can be asked."""
    text = "the [MASK] sat" if look.info.family == "encoder" else TEXT
    target = "a mat" if look.info.family == "encoder-decoder" else None
    whole = (text, None, target)
    return {
        "capture": lambda: look.capture(*whole, job=job()),
        "edited": lambda: look.capture(*whole, intervention=EDITS, job=job()),
        "run": lambda: look.run(*whole, job=job()),
        "batch": lambda: look.capture_batch([text, text + " cat"], targets=target and [target, target], job=job()),
        "generate": lambda: [step.fork(7, max_new_tokens=2) for step in look.generate(text, max_new_tokens=3, job=job())],
        "beams": lambda: list(look.beam_search(text, n_beams=2, max_new_tokens=2, job=job())),
        "lens": lambda: list(logit_lens(look, *whole, job=job())),
        "direct": lambda: direct_logit_attribution(look, *whole, job=job()),
        "value": lambda: value_weighted_attention(look, *whole, job=job()),
        "gradient": lambda: gradient_attention(look, *whole, job=job()),
        "integrated": lambda: next(integrated_gradients(look, *whole, steps=2, most_steps=2, job=job())),
        "effects": lambda: effects(look, text, EDITS, target=target, job=job()),
        "sweep": lambda: list(ablate_heads(look, Question(*whole), job=job())),
        "verify": lambda: verify(look, text, target=target) if target else verify(look, text),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_as_it_was_after_every_operation_that_succeeds_or_is_refused(
    name: str, tokenizer: Callable[[str], Any]
) -> None:
    module = half_frozen(name)
    words = tokenizer(EVERY[name].form)
    before = fingerprint(module)
    look = wrap_model(module, words)
    done: set[str] = set()
    for what, operation in operations(look, Job).items():
        with suppress(HeadscopeError):
            operation()
            done.add(what)
        assert not differences(before, fingerprint(module)), what
    assert {"capture", "value" if look.info.backend != "fallback" else "capture"} <= done
    look.release()
    assert not differences(before, fingerprint(module))


class Interrupted(BaseException):
    """As KeyboardInterrupt is: no Exception."""


@pytest.mark.parametrize(
    ("name", "error"),
    [("gpt2", Interrupted), ("bloom", Cancelled), ("big-bird", ValueError), ("t5", torch.OutOfMemoryError)],
)
def test_whatever_is_raised_in_the_middle_of_a_pass_leaves_nothing_behind(
    name: str, error: type[BaseException], tokenizer: Callable[[str], Any]
) -> None:
    module = half_frozen(name)
    look = wrap_model(module, tokenizer(EVERY[name].form))
    for operation in operations(look, Job).values():
        with suppress(HeadscopeError):
            operation()  # what is tried once is known from now on
    inner = [part for part in module.modules() if "attention" in type(part).__name__.lower()]
    for place in (inner[-1],):
        handle = place.register_forward_hook(lambda *_: _raise(error))
        before = fingerprint(module)
        for what, operation in operations(look, Job).items():
            with suppress(error, HeadscopeError):
                operation()
            assert not differences(before, fingerprint(module)), what
        handle.remove()
    record = look.capture(TEXT)
    assert record.n_layers(record.kinds[0]) == look.info.layers[record.kinds[0]][0]


def _raise(error: type[BaseException]) -> None:
    raise error("here")


def test_what_its_owner_has_asked_for_before_still_answers(tokenizer: Callable[[str], Any]) -> None:
    """BigBird reads short texts in full, by modules of ours; transformers' hooks are on its owner's."""
    module = built(EVERY["big-bird"])
    ids = torch.arange(5, 15)[None].expand(1, -1).repeat(1, 5)  # long enough for its blocks
    with torch.inference_mode():
        expected = module(input_ids=ids, output_attentions=True, output_hidden_states=True)
    assert module.bert.attention_type == "block_sparse"
    before = fingerprint(module)
    look = wrap_model(module, tokenizer("encoder"))
    assert look.capture(TEXT).n_layers("encoder") == 3
    assert not differences(before, fingerprint(module))
    with torch.inference_mode():
        again = module(input_ids=ids, output_attentions=True, output_hidden_states=True)
    assert len(again.attentions) == len(expected.attentions) == 3
    assert len(again.hidden_states) == len(expected.hidden_states)


def test_a_model_that_is_refused_is_as_it_was(tokenizer: Callable[[str], Any]) -> None:
    for module in (
        mamba().train(),
        hf.FNetForMaskedLM(hf.FNetConfig(**{k: SIZES[k] for k in ("vocab_size", "hidden_size")})).train(),
    ):
        before = fingerprint(module)
        for _ in range(2):
            with pytest.raises(HeadscopeError):
                wrap_model(module, tokenizer("decoder"))
        assert not differences(before, fingerprint(module))


# ---------------------------------------------------------------- what its owner does meanwhile
@pytest.mark.parametrize("name", ["bert", "gpt2", "gemma2-softcap", "big-bird", "umt5-encoder", "bloom"])
def test_wrapped_twice_and_given_back_in_any_order(name: str, tokenizer: Callable[[str], Any]) -> None:
    module = half_frozen(name)
    before = fingerprint(module)
    words = tokenizer(EVERY[name].form)
    one, two = wrap_model(module, words), wrap_model(module, words)
    first = weights_of(one.capture(TEXT))
    one.release()
    assert not differences(before, fingerprint(module))
    assert weights_of(two.capture(TEXT)) == first
    three = wrap_model(module, words)
    two.release()
    assert weights_of(three.capture(TEXT)) == first
    three.release()
    assert not differences(before, fingerprint(module))


@pytest.mark.parametrize("name", ["bert", "gpt2", "gemma2-softcap", "big-bird", "umt5-encoder", "bloom"])
def test_a_copy_of_a_wrapped_model_is_a_copy_of_the_model(name: str, tokenizer: Callable[[str], Any], tmp_path: Path) -> None:
    module = half_frozen(name)
    twin = copy.deepcopy(module)
    words = tokenizer(EVERY[name].form)
    with wrap_model(module, words) as look:
        expected = weights_of(look.capture(TEXT))
        for made in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
            assert made.config.to_dict() == twin.config.to_dict()
            assert made.config._attn_implementation == twin.config._attn_implementation
            assert [part.training for part in made.modules()] == [part.training for part in twin.modules()]
            assert [type(part) for part in made.modules()] == [type(part) for part in twin.modules()]
            assert weights_of(wrap_model(made, words).capture(TEXT)) == expected
        module.save_pretrained(tmp_path / "looked")
        twin.save_pretrained(tmp_path / "never")
    for file in (tmp_path / "never").iterdir():
        assert file.read_bytes() == (tmp_path / "looked" / file.name).read_bytes(), file.name


def test_a_model_that_is_trained_inside_the_block_is_shown_without_dropout_and_trained_with_it(
    tokenizer: Callable[[str], Any],
) -> None:
    module, twin = half_frozen("bert").train(), half_frozen("bert").train()
    ids = torch.arange(5, 12)[None]
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.05) for each in (module, twin)]
    with wrap_model(module, tokenizer("encoder")) as look:
        for step in range(3):
            assert weights_of(look.capture(TEXT)) == weights_of(look.capture(TEXT))
            gradient_attention(look, "the [MASK] sat")
            for each, optimizer in zip((module, twin), optimizers, strict=True):
                torch.manual_seed(step)
                each(input_ids=ids, labels=ids).loss.backward()
                optimizer.step()
                optimizer.zero_grad()
            assert all(part.training for part in module.modules())
    for weights, other in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(weights, other, rtol=0, atol=0)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_that_its_owner_sets_in_the_block_stays_and_ours_is_the_same(
    tokenizer: Callable[[str], Any], attention: str
) -> None:
    module = built(EVERY["gpt2"])
    with wrap_model(module, tokenizer("decoder")) as look:
        expected = weights_of(look.capture(TEXT))
        module.set_attn_implementation(attention)
        assert weights_of(look.capture(TEXT)) == expected
        assert verify(look, TEXT).passed
        assert module.config._attn_implementation == attention
    assert module.config._attn_implementation == attention


# ---------------------------------------------------------------- threads
N_THREADS, N_EACH = 4, 12


def weights_of(record: AttentionRecord) -> list[bytes]:
    return [record.layer_weights(layer, kind).tobytes() for kind in record.kinds for layer in range(record.n_layers(kind))]


def asked(look: Model, number: int) -> object:
    """Something of a model, another for each number."""
    text = " ".join(["the cat sat on a mat"] * (1 + number % 3))[: 8 + number % 7]
    target = "a mat" if look.info.family == "encoder-decoder" else None
    match number % 4:
        case 0:
            return weights_of(look.capture(text, None, target))
        case 1:
            return weights_of(look.capture(text, None, target, intervention=EDITS))
        case 2 if "generate" in look.info.abilities:
            return [(step.token.id, weights_of(step.record)) for step in look.generate(text, max_new_tokens=3)]
        case 2:
            return look.run("the [MASK] sat").predictions[0].candidates
        case _:
            made = gradient_attention(
                look, "the [MASK] sat" if target is None and "fill_mask" in look.info.abilities else text, None, target
            )
            return made.value, {kind: array.tobytes() for kind, array in made.attributions.items()}


@pytest.mark.parametrize("name", ["bert", "llama-grouped", "bloom", "t5"])
def test_several_threads_get_what_each_would_get_alone(name: str, tokenizer: Callable[[str], Any]) -> None:
    module = half_frozen(name)
    before = fingerprint(module)
    words = tokenizer(EVERY[name].form)
    looks = [wrap_model(module, words), wrap_model(module, words)]
    expected = [asked(looks[0], number) for number in range(N_EACH)]
    begin = threading.Barrier(N_THREADS)

    def work(thread: int) -> list[object]:
        begin.wait()
        return [asked(looks[thread % 2], (number + 5 * thread) % N_EACH) for number in range(N_EACH)]

    with ThreadPoolExecutor(N_THREADS) as pool:
        found = list(pool.map(work, range(N_THREADS)))
    for thread, answers in enumerate(found):
        for number, answer in enumerate(answers):
            assert answer == expected[(number + 5 * thread) % N_EACH], (thread, number)
    assert not differences(before, fingerprint(module))


@contextmanager
def in_the_middle_of_a_pass(look: Model) -> Iterator[None]:
    """Another thread has stopped inside a capture."""
    inside, go_on = threading.Event(), threading.Event()
    main = threading.get_ident()
    part = list(look.module.modules())[-1]

    def stop(*_: object) -> None:
        if threading.get_ident() != main:
            inside.set()
            assert go_on.wait(60)

    handle = part.register_forward_hook(stop)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: weights_of(look.capture(TEXT)))
        assert inside.wait(60)
        try:
            yield
        finally:
            go_on.set()
            handle.remove()
        expected = weights_of(look.capture(TEXT))
        assert other.result() == expected


def test_who_waits_for_a_model_can_be_cancelled(tokenizer: Callable[[str], Any]) -> None:
    look = wrap_model(built(EVERY["gpt2"]), tokenizer("decoder"))
    cancel = Cancel()
    with in_the_middle_of_a_pass(look):
        threading.Timer(0.1, cancel.set).start()
        with pytest.raises(Cancelled):
            look.capture(TEXT, job=Job(cancel=cancel))
    assert look.capture(TEXT).kinds == ("decoder",)


@pytest.mark.parametrize("name", ["gpt2", "bloom", "bert"])
def test_a_pass_of_its_owners_in_another_thread_is_nobodys_business(name: str, tokenizer: Callable[[str], Any]) -> None:
    module = built(EVERY[name])
    look = wrap_model(module, tokenizer(EVERY[name].form))
    ids = torch.arange(5, 15)[None]
    with torch.inference_mode():
        expected = module(input_ids=ids).logits
        with in_the_middle_of_a_pass(look):
            logits = module(input_ids=ids).logits  # by other kernels
            assert allowed.difference(logits, expected) <= allowed.of_logits(expected, module)


def test_a_model_and_a_part_of_it_take_turns(tokenizer: Callable[[str], Any]) -> None:
    whole = built(EVERY["bert"])
    words = tokenizer("encoder")
    looks = [wrap_model(whole, words), wrap_model(whole.bert, words)]
    expected = [weights_of(look.capture(TEXT)) for look in looks]
    assert expected[0] == expected[1]
    cancel = Cancel()
    with in_the_middle_of_a_pass(looks[0]):
        cancel.set()
        with pytest.raises(Cancelled):
            looks[1].capture(TEXT, job=Job(cancel=cancel))
    with ThreadPoolExecutor(2) as pool:
        for look in islice(looks * 20, 40):
            pool.submit(lambda look=look: np.testing.assert_equal(weights_of(look.capture(TEXT)), expected[0])).result()


def test_two_models_do_not_wait_for_each_other(tokenizer: Callable[[str], Any]) -> None:
    one, two = (wrap_model(built(EVERY["llama-grouped"], seed), tokenizer("decoder")) for seed in (0, 1))
    expected = weights_of(two.capture(TEXT))
    with ExitStack() as stack:
        stack.enter_context(in_the_middle_of_a_pass(one))
        assert weights_of(two.capture(TEXT)) == expected  # (both are wrapped in the same file's functions meanwhile)
