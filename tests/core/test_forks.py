"""Forks of a generation: another token at an earlier step; both branches stay what they are."""

import gc
import pickle
import weakref

import numpy as np
import pytest

from headscope.core.attention.intervention import Cut, Intervention, Scale, Uniform
from headscope.core.errors import HeadscopeError
from headscope.core.models.load import load_model
from headscope.core.predict.generate import _READ
from headscope.core.predict.reader import inputs_of
from headscope.core.predict.results import GenerationStep
from tests import allowed
from tests.generating import PROMPT, difference_from_one_pass, folder_of, model_of

FAMILIES = ("gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "bloom", "t5", "bart", "toy:tales")


def other(step: GenerationStep) -> int:
    """A likely token that was not chosen."""
    return next(candidate.id for candidate in step.candidates if candidate.id != step.token.id)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_branches_have_the_attention_of_one_pass_over_their_tokens(family: str) -> None:
    model = model_of(family)
    shared_prefix = list(model.generate(PROMPT, max_new_tokens=12))
    before = [step.record.layer_weights(1, "decoder").copy() for step in shared_prefix]
    for at in (0, 1, 7):
        branch = list(shared_prefix[at].fork(other(shared_prefix[at]), max_new_tokens=8))
        assert branch[0].index == at
        assert branch[0].forced
        assert not branch[1].forced
        assert [each.id for each in branch[0].candidates] == [each.id for each in shared_prefix[at].candidates]
        assert branch[0].token.id == other(shared_prefix[at])
        tokens = branch[-1].record.axis("decoder").queries.tokens
        n_shared = len(shared_prefix[at].record.axis("decoder").queries)
        assert tokens[:n_shared] == shared_prefix[at].record.axis("decoder").queries.tokens
        assert difference_from_one_pass(model, branch[-1].record) <= 1
    for step, weights in zip(shared_prefix, before, strict=True):
        np.testing.assert_array_equal(step.record.layer_weights(1, "decoder"), weights)


@pytest.mark.parametrize("family", ["gpt2", "llama-grouped", "mistral-sliding", "bart"])
def test_what_follows_a_forced_token_is_what_the_model_says_after_it(family: str) -> None:
    model = model_of(family)
    shared_prefix = list(model.generate(PROMPT, max_new_tokens=10))
    branch = list(shared_prefix[5].fork(other(shared_prefix[5]), max_new_tokens=6))
    again = list(shared_prefix[5].fork(shared_prefix[5].token.id, max_new_tokens=5))
    assert [step.token.id for step in again] == [step.token.id for step in shared_prefix[5:]]
    if family != "bart":  # a text that is typed reads the same tokens; a decoder's target is read by another way
        typed = list(model.generate(branch[0].text, max_new_tokens=5))
        assert [step.token.id for step in typed] == [step.token.id for step in branch[1:]]


def test_a_branch_can_be_forked_and_the_trunk_goes_on_beside_it() -> None:
    model = model_of("llama-grouped")
    generation = model.generate(PROMPT, max_new_tokens=12)
    shared_prefix = [next(generation) for _ in range(6)]
    branch = shared_prefix[3].fork(other(shared_prefix[3]))
    twigs = [next(branch), next(branch), next(branch)]
    shared_prefix += [next(generation), next(generation)]
    twig = twigs[2].fork(other(twigs[2]))
    leaves = [next(twig), next(twig)]
    shared_prefix += list(generation)
    for step in (shared_prefix[-1], shared_prefix[6], twigs[-1], leaves[-1]):
        assert difference_from_one_pass(model, step.record) <= 1
    assert [step.token.id for step in shared_prefix] == [step.token.id for step in model.generate(PROMPT, max_new_tokens=12)]


def test_branches_share_the_memory_of_what_they_have_in_common() -> None:
    model = model_of("gpt2")
    shared_prefix = list(model.generate(PROMPT * 3, max_new_tokens=12))
    (first,) = shared_prefix[8].fork(other(shared_prefix[8]), max_new_tokens=1)
    shared = {tensor.untyped_storage().data_ptr() for tensor in shared_prefix[7].record._layers["decoder"][0].tensors}
    keys = first.record._layers["decoder"][0].key
    assert keys.shape[2] == len(first.record.axis("decoder").queries)
    assert first.record.nbytes <= 2 * shared_prefix[-1].record.nbytes
    assert shared  # the trunk's own stay where they are
    assert shared == {tensor.untyped_storage().data_ptr() for tensor in shared_prefix[-1].record._layers["decoder"][0].tensors}


def test_a_drawn_branch_is_drawn_again_alike() -> None:
    model = model_of("llama-grouped")
    shared_prefix = list(model.generate(PROMPT, max_new_tokens=8, temperature=3.0, seed=5))
    one, two = ([step.token.id for step in shared_prefix[4].fork(7, max_new_tokens=6)] for _ in range(2))
    assert one == two
    assert one[0] == 7


def test_a_token_that_does_not_exist_is_refused() -> None:
    step = next(model_of("gpt2").generate(PROMPT))
    for token_id in (-1, 10**6):
        with pytest.raises(HeadscopeError, match="token_id"):
            next(step.fork(token_id))


def test_the_steps_of_a_beam_can_be_forked_too() -> None:
    model = model_of("llama-grouped")
    *_, last = model.beam_search(PROMPT, n_beams=2, max_new_tokens=6)
    step = last.best.steps[3]
    branch = list(step.fork(other(step), max_new_tokens=3))
    assert difference_from_one_pass(model, branch[-1].record) <= 1


@pytest.mark.parametrize("family", ["gpt2", "mistral-sliding", "gemma2-softcap", "bloom", "bart"])
def test_what_is_changed_in_the_model_is_changed_in_every_step_and_branch(family: str) -> None:
    model = model_of(family)
    edits = Intervention(
        (
            Scale(layer=1, head=2, kind="decoder"),
            Cut(layer=0, head=1, kind="decoder", keys=(0, 1)),
            Uniform(layer=2, head=0, kind="decoder", queries=(2, 4)),
        )
    )
    shared_prefix = list(model.generate(PROMPT, max_new_tokens=8, intervention=edits))
    branch = list(shared_prefix[4].fork(other(shared_prefix[4]), max_new_tokens=6))
    assert [step.probability for step in shared_prefix] != [
        step.probability for step in model.generate(PROMPT, max_new_tokens=8)
    ]
    for step in (shared_prefix[-1], branch[-1]):
        source, target = inputs_of(step.record)
        assert (target is not None) == (family == "bart")
        assert source.ids[: len(PROMPT)] == model.encode(PROMPT)[0].ids[: len(PROMPT)]
        record, output = model.observe(source, target, intervention=edits)
        for layer in range(3):
            ours, whole = (each.layer_weights(layer, "decoder") for each in (step.record, record))
            assert allowed.difference(ours, whole) <= allowed.of_weights(whole, model)
        logits = output.logits[0, -1]
        expected = float(logits.softmax(-1)[step.token.id])
        assert step.probability == pytest.approx(expected, abs=allowed.of_probabilities(logits, model))


def test_a_head_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(HeadscopeError) as captured:
        model_of("gpt2").generate(PROMPT, intervention=Intervention((Scale(layer=1, head=99),)))
    assert captured.value.code == "no_such_head"


@pytest.mark.parametrize("family", ["gpt2", "gpt-oss-sinks", "bloom", "bart", "toy:tales"])
def test_steps_keep_neither_their_model_nor_its_cache(family: str) -> None:
    model = load_model(family if family.startswith("toy:") else str(folder_of(family)), device="cpu", dtype="float32")
    steps = list(model.generate(PROMPT, max_new_tokens=4))
    best = list(model.beam_search(PROMPT, n_beams=2, max_new_tokens=2))[-1].best.steps
    assert next(steps[2].fork(other(steps[2]), max_new_tokens=2)).forced
    rows = [step.attention_rows(1).tobytes() for step in (*steps, *best)]
    alive = weakref.ref(model), weakref.ref(model.module)
    del model
    gc.collect()
    assert [each() for each in alive] == [None, None]
    assert [step.attention_rows(1).tobytes() for step in (*steps, *best)] == rows
    for step in (steps[2], best[1]):
        with pytest.raises(HeadscopeError) as captured:
            step.fork(7)
        assert captured.value.code == "model_gone"
    kept = pickle.loads(pickle.dumps(steps))  # to a file and back
    assert [step.attention_rows(1).tobytes() for step in kept] == rows[: len(kept)]


def test_what_a_generation_has_read_goes_with_its_last_step() -> None:
    model = load_model(str(folder_of("gpt2")), device="cpu", dtype="float32")
    steps = list(model.generate(PROMPT, max_new_tokens=4))
    ((reader, _),) = _READ[model].values()
    alive = weakref.ref(reader)
    del reader
    last = steps[-1]
    del steps
    gc.collect()
    assert alive() is not None
    del last
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("family", ["gpt2", "mistral-sliding", "bart", "bloom"])
def test_a_generation_that_was_stopped_in_the_middle_of_a_pass_goes_on_as_if_it_were_not(family: str) -> None:
    """Half the layers had read the token, and the others had not."""
    model = model_of(family)
    expected = list(model.generate(PROMPT, max_new_tokens=6))
    generation = model.generate(PROMPT, max_new_tokens=6)
    steps = [next(generation), next(generation)]
    inner = [part for part in model.module.modules() if "attention" in type(part).__name__.lower()]
    hook = inner[-1].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(generation)
    hook.remove()
    steps += list(generation)
    assert [step.token.id for step in steps] == [step.token.id for step in expected]
    for step, whole in zip(steps, expected, strict=True):
        np.testing.assert_allclose(
            step.attention_rows(1), rows := whole.attention_rows(1), atol=allowed.of_weights(rows, model)
        )
    assert next(steps[1].fork(other(steps[1]), max_new_tokens=2)).forced
