"""What edits say of themselves, what they change in predictions, and sweeps over many of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import transformers as hf
from transformers import AutoModel, AutoTokenizer

from headscope.core import load_model, wrap_model
from headscope.core.analyse.attribution.gradient_attention import gradient_attention
from headscope.core.analyse.attribution.integrated_gradients import integrated_gradients
from headscope.core.analyse.causal import variants
from headscope.core.analyse.causal.effects import effects
from headscope.core.analyse.causal.head_outputs import head_outputs, mean_outputs
from headscope.core.analyse.causal.sweeps import Question, ablate_heads, cut_edges, forbid_keys, patch
from headscope.core.attention.intervention import Cut, Intervention, Paste, Replace, Scale, Uniform, ablate
from headscope.core.engine.engine import Engine
from headscope.core.engine.predictions import sweep
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.predictions import SweepRequest
from headscope.core.requests.runs import GenerateRequest
from tests import allowed
from tests.golden.families import VOCABULARY
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

SENTENCE = "the keys near the cabinet [MASK] rusty ."
SINGULAR = "the key near the cabinet [MASK] rusty ."
ROUNDING = allowed.of_logits(20.0)
"""Of changes of log-probability: the logits here are no larger than 20."""


@pytest.fixture(scope="module")
def grammar():
    return load_model("toy:grammar", device="cpu")


@pytest.fixture(scope="module")
def tales():
    return load_model("toy:tales", device="cpu")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Loads a tiny model of a family, once."""
    folder, loaded = tmp_path_factory.mktemp("tiny"), {}
    writers = {"bert": write_masked, "t5": write_encoder_decoder, "bart": write_encoder_decoder}

    def load(family):
        if family not in loaded:
            write = writers.get(family, write_decoder)
            path = write(folder / family) if family == "bert" else write(folder / family, family)
            loaded[family] = load_model(path, device="cpu", dtype="float32")
        return loaded[family]

    return load


def texts_of(family):
    text = "the cat [MASK] on a mat ." if family == "bert" else "a cat sat"
    return text, "so it" if family in ("t5", "bart") else None


# ---------------------------------------------------------------- many at once
@pytest.mark.parametrize("family", ["bert", "gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "gptj", "t5", "bart"])
def test_many_edited_passes_at_once_are_what_each_is_alone(tiny, family):
    model = tiny(family)
    text, target = texts_of(family)
    source, encoded_target = model.encode(text, None, target)
    interventions = [
        Intervention((edit,))
        for kind, (n_layers, n_heads) in model.info.layers.items()
        for layer in range(n_layers)
        for edit in (
            *(Scale(layer=layer, head=head, kind=kind) for head in range(n_heads)),
            Cut(layer=layer, head=1, kind=kind, keys=(1,)),
            Uniform(layer=layer, head=2, kind=kind, queries=(1, 2)),
        )
    ]
    interventions += [Intervention((Cut(keys=(0,)), Scale(layer=1, head=0))), Intervention(), ablate(1, 3)]
    rows = source.axis.masks or (len((encoded_target or source).ids) - 1, 1)
    seen = {}
    for outcome in variants.outcomes(model, source, encoded_target, interventions, rows):
        seen |= dict(zip(outcome.indices, outcome.logits, strict=True))
    assert sorted(seen) == list(range(len(interventions)))
    _, plain = model.observe(source, encoded_target)
    changed = 0
    for index, intervention in enumerate(interventions):
        _, alone = model.observe(source, encoded_target, intervention=intervention)
        expected = alone.logits[0, list(rows)]
        assert allowed.difference(seen[index], expected) <= allowed.of_logits(expected, model)
        changed += bool((expected - plain.logits[0, list(rows)]).abs().max() > 1e-3)
    assert changed > len(interventions) / 2


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama-grouped", "gemma2-softcap", "t5", "bart"])
def test_copies_share_the_layers_before_their_edit(tiny, family):
    model = tiny(family)
    text, target = texts_of(family)
    source, encoded_target = model.encode(text, None, target)
    kind = "decoder" if "decoder" in model.info.layers else "encoder"
    batches = []

    def look(module, args, kwargs):
        batches.append(len(kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]))

    layout = variants._layout_to_branch(model, model.inputs(source, encoded_target))
    assert layout is not None
    blocks, _ = layout
    hooks = [block.register_forward_pre_hook(look, with_kwargs=True) for block in blocks]
    heads = [ablate(layer, head, kind) for layer in range(3) for head in range(4)]
    try:
        list(variants.outcomes(model, source, encoded_target, heads, [1]))
    finally:
        for hook in hooks:
            hook.remove()
    assert batches[-3:] == [1, 5, 9]  # as each block is called, before its own rows join


# ---------------------------------------------------------------- effects
def test_an_effect_is_the_difference_of_two_predictions(grammar):
    intervention = ablate(1, 3)
    (effect,) = effects(grammar, SENTENCE, intervention, tokens=[grammar.tokenizer.id_of("are"), grammar.tokenizer.id_of("is")])
    before = grammar.fill_mask(SENTENCE, top_k=500)[0].candidates
    after = grammar.run(SENTENCE, top_k=500, intervention=intervention).predictions[0].candidates
    p, q = ({each.id: each.probability for each in candidates} for candidates in (before, after))
    passes = [grammar.observe(grammar.encode(SENTENCE)[0], intervention=each) for each in (None, intervention)]
    logits = [output.logits for _, output in passes]
    rounding = max(allowed.of_probabilities(each, grammar) for each in logits)
    for change in effect.tokens:
        assert change.before == pytest.approx(p[change.id], abs=rounding)
        assert change.after == pytest.approx(q[change.id], abs=rounding)
        assert change.log_probability_change == pytest.approx(
            np.log(q[change.id] / p[change.id]), abs=allowed.of_logits(logits[0])
        )
    expected = sum(p[id_] * np.log(p[id_] / q[id_]) for id_ in p)
    assert effect.divergence == pytest.approx(expected, abs=allowed.of_logits(logits[0]))
    assert effect.divergence > 0.1
    assert [change.label for change in effect.tokens] == ["are", "is"]
    assert effect.tokens[0].log_probability_change < -0.5
    assert effect.before[0].label == "are"
    assert len(effect.after) == 10


def test_no_edit_has_no_effect(grammar, tales):
    for model, text in ((grammar, SENTENCE), (tales, "once upon a time")):
        (effect,) = effects(model, text, Intervention())
        rounding = allowed.of_logits(model.observe(model.encode(text)[0])[1].logits, model)
        assert effect.divergence == pytest.approx(0, abs=rounding)
        assert not effect.top_changed
        assert effect.tokens[0].log_probability_change == pytest.approx(0, abs=rounding)


def test_effects_are_read_at_every_mask_and_behind_a_decoders_text(grammar, tales):
    found = effects(grammar, "the [MASK] of the cabinet [MASK] rusty .", ablate(0, 0))
    assert [effect.position for effect in found] == [2, 6]
    (effect,) = effects(tales, "once upon a time", ablate(2, 0))
    source, _ = tales.encode("once upon a time")
    assert effect.position == len(source.axis)


def test_what_predicts_nothing_says_so(grammar):
    with pytest.raises(HeadscopeError) as error:
        effects(grammar, "the keys are rusty .", ablate(0, 0))
    assert error.value.code == "no_mask"


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (Scale(layer=9, head=0), "no_such_head"),
        (Scale(layer=0, head=9), "no_such_head"),
        (Scale(layer=0, head=0, kind="cross"), "unknown_kind"),
        (Scale(layer=0, head=0, queries=(40,)), "no_such_position"),
        (Cut(layer=0, head=0, keys=(-1,)), "no_such_position"),
        (Replace(layer=0, head=0, output=np.zeros(3, np.float32)), "edit_misfit"),
        (Replace(layer=0, output=np.zeros((3, 16), np.float32)), "edit_misfit"),
        (Scale(batch=1), "no_such_text"),
        (Uniform(batch=-1), "no_such_text"),
    ],
)
def test_an_edit_of_what_is_not_there_is_refused(grammar, edit, code):
    with pytest.raises(HeadscopeError) as error:
        grammar.run(SENTENCE, intervention=Intervention((edit,)))
    assert error.value.code == code
    assert grammar.run(SENTENCE).predictions[0].candidates[0].label == "are"  # as if nothing had been


def test_an_edit_of_the_wrong_shape_or_without_numbers_cannot_be_made():
    for wrong in (
        lambda: Paste(layer=0, head=0, pattern=np.zeros(3)),
        lambda: Replace(layer=0, head=0, output=np.full(4, np.nan)),
        lambda: Paste(pattern=np.array([[1, "a"]], object)),
        lambda: Paste(pattern=np.ones((2, 2), complex)),
        lambda: Paste(pattern=np.full((2, 2), 1e300)),  # infinite as float32
        lambda: Paste(pattern=[[1.0, 2.0], [3.0]]),
        lambda: Scale(factor=float("nan")),
        lambda: Scale(factor="0"),
    ):
        with pytest.raises(HeadscopeError) as error:
            wrong()
        assert error.value.code == "edit_misfit"


@pytest.mark.parametrize(
    "pattern", [np.eye(10, dtype=">f4"), np.eye(10, dtype=np.longdouble), np.eye(10)[::-1, ::-1], np.eye(10).tolist()]
)
def test_an_array_may_be_stored_in_any_way(grammar, pattern):
    record = grammar.capture(SENTENCE, intervention=Intervention((Paste(layer=0, head=1, pattern=pattern),)))
    np.testing.assert_array_equal(record.attention_weights(0, 1), np.eye(10, dtype=np.float32))


def test_a_batch_is_asked_for_the_text_that_an_edit_names(grammar):
    texts = [SENTENCE, SINGULAR]
    with pytest.raises(HeadscopeError, match="no text 2"):
        grammar.capture_batch(texts, intervention=Intervention((Uniform(batch=2),)))
    with pytest.raises(HeadscopeError, match="pairs must be as many as texts"):
        grammar.capture_batch(texts, pairs=["the cat purrs ."])
    first, second = grammar.capture_batch(texts, intervention=Intervention((Uniform(layer=0, head=0, batch=1),)))
    alone = grammar.capture(SENTENCE).attention_weights(0, 0)
    assert allowed.difference(first.attention_weights(0, 0), alone) <= allowed.of_weights(alone, grammar)
    assert allowed.difference(second.attention_weights(0, 0), 0.1) <= allowed.of_sums(10)


def test_numbers_that_overflow_in_a_model_without_a_head_are_said(tmp_path):
    module = AutoModel.from_pretrained(write_decoder(tmp_path / "bare"))
    with wrap_model(module, AutoTokenizer.from_pretrained(tmp_path / "bare")) as model:
        with pytest.raises(HeadscopeError) as error:
            model.capture("a cat sat", intervention=Intervention((Scale(factor=1e38),)))
        assert error.value.code == "not_a_number"
        assert np.isfinite(model.capture("a cat sat").attention_weights(1, 0)).all()


# ---------------------------------------------------------------- sweeps
def test_ablating_every_head_finds_the_one_that_sees_the_subject(grammar):
    *_, sweep = ablate_heads(grammar, Question(SENTENCE))
    assert sweep.finished
    assert sweep.label == "are"
    assert sweep.log_probability_change.shape == grammar.info.layers["encoder"]
    assert np.unravel_index(sweep.log_probability_change.argmin(), sweep.log_probability_change.shape) == (1, 3)
    for layer, head in ((0, 2), (1, 3)):
        (effect,) = effects(grammar, SENTENCE, ablate(layer, head))
        assert sweep.log_probability_change[layer, head] == pytest.approx(effect.tokens[0].log_probability_change, abs=ROUNDING)
        assert sweep.probabilities[layer, head] == pytest.approx(effect.tokens[0].after, abs=ROUNDING)
        assert sweep.divergence[layer, head] == pytest.approx(effect.divergence, abs=ROUNDING)


def test_a_sweep_comes_in_parts_and_can_be_cancelled(grammar, monkeypatch):
    monkeypatch.setattr(variants, "_MOST_ROWS", 3)
    cancel, heard = Cancel(), []
    parts = list(ablate_heads(grammar, Question(SENTENCE), job=Job(lambda progress: heard.append(progress.fraction))))
    assert [part.n_done for part in parts] == [3, 6, 8]
    assert heard == [3 / 8, 6 / 8, 1.0]
    assert [int(np.isfinite(part.log_probability_change).sum()) for part in parts] == [3, 6, 8]
    running = ablate_heads(grammar, Question(SENTENCE), job=Job(cancel=cancel))
    next(running)
    cancel.set()
    with pytest.raises(Cancelled):
        next(running)


def test_mean_ablation_puts_the_mean_of_a_reference_text_in(grammar):
    reference = "the dog near the houses barks ."
    *_, sweep = ablate_heads(grammar, Question(SENTENCE), mean_of=reference)
    mean = head_outputs(grammar, reference)["encoder"][1][3].mean(0)
    assert mean_outputs(grammar, reference)["encoder"][1][3] == pytest.approx(
        mean, abs=allowed.of_sums(size=float(np.abs(mean).max()))
    )
    (effect,) = effects(grammar, SENTENCE, Intervention((Replace(layer=1, head=3, output=mean),)))
    assert sweep.log_probability_change[1, 3] == pytest.approx(effect.tokens[0].log_probability_change, abs=ROUNDING)


def test_every_edge_of_a_head_and_every_key(grammar, tales):
    record = grammar.capture(SENTENCE)
    *_, edges = cut_edges(grammar, Question(SENTENCE), 1, 3)
    mask = record.axis("encoder").queries.masks[0]
    assert np.unravel_index(edges.log_probability_change.argmin(), edges.log_probability_change.shape) == (mask, 2)  # "keys"
    assert np.isfinite(edges.log_probability_change).all()

    *_, keys = forbid_keys(grammar, Question(SENTENCE))
    assert keys.log_probability_change.argmin() == 2
    others = tuple(query for query in range(len(record.axis("encoder").keys)) if query != 2)
    (effect,) = effects(grammar, SENTENCE, Intervention((Cut(keys=(2,), queries=others),)))
    assert keys.log_probability_change[2] == pytest.approx(effect.tokens[0].log_probability_change, abs=ROUNDING)

    *_, edges = cut_edges(tales, Question("once upon a time"), 0, 0)
    assert not edges.log_probability_change[
        np.triu_indices(len(edges.log_probability_change), 1)
    ].any()  # the future has no edges


def test_patching_from_a_sentence_about_one_key_makes_the_verb_singular(grammar):
    question = Question(SENTENCE, token=grammar.tokenizer.id_of("is"))
    *_, heads = patch(grammar, question, SINGULAR)
    assert np.unravel_index(heads.log_probability_change.argmax(), heads.log_probability_change.shape) == (1, 3)
    assert heads.log_probability_change[1, 3] > 2
    *_, layers = patch(grammar, question, SINGULAR, by="layer")
    assert layers.log_probability_change.shape == (2,)
    *_, positions = patch(grammar, question, SINGULAR, by="position")
    assert np.unravel_index(positions.log_probability_change.argmax(), positions.probabilities.shape) == (1, 6)  # the mask
    *_, same = patch(grammar, question, SENTENCE, by="layer")
    assert np.abs(same.log_probability_change).max() <= ROUNDING
    with pytest.raises(HeadscopeError) as error:
        list(patch(grammar, question, "the key [MASK] ."))
    assert error.value.code == "texts_differ"


def test_a_question_may_name_its_mask_and_its_token(grammar):
    text = "the [MASK] of the cabinet [MASK] rusty ."
    *_, second = ablate_heads(grammar, Question(text, position=6, token=grammar.tokenizer.id_of("is")))
    assert (second.position, second.label) == (6, "is")
    with pytest.raises(HeadscopeError) as error:
        list(ablate_heads(grammar, Question(text, position=3)))
    assert error.value.code == "no_such_position"


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_sweeps_of_an_encoder_decoder(tiny, kind):
    model = tiny("t5")
    text, target = texts_of("t5")
    question = Question(text, target=target)
    *_, sweep = ablate_heads(model, question, kind)
    n_layers, n_heads = model.info.layers[kind]
    assert sweep.log_probability_change.shape == (n_layers, n_heads)
    (effect,) = effects(model, text, ablate(1, 2, kind), target=target)
    assert sweep.log_probability_change[1, 2] == pytest.approx(effect.tokens[0].log_probability_change, abs=ROUNDING)
    *_, keys = forbid_keys(model, question, kind)
    assert np.isfinite(keys.divergence).all()


def test_a_model_that_edits_do_not_reach_refuses_them_and_what_is_built_on_them(tmp_path):
    config = hf.DiffLlamaConfig(
        vocab_size=VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96
    )
    write_decoder(tmp_path)  # for its tokenizer
    hf.DiffLlamaForCausalLM(config).save_pretrained(tmp_path)
    model = load_model(tmp_path, device="cpu", dtype="float32")
    model.capture("a cat sat")
    for refused in (
        lambda: model.capture("a cat sat", intervention=ablate(0, 0)),
        lambda: model.generate("a cat sat", intervention=ablate(0, 0)),
        lambda: list(ablate_heads(model, Question("a cat sat"))),
        lambda: gradient_attention(model, "a cat sat"),
        lambda: list(integrated_gradients(model, "a cat sat")),
    ):
        with pytest.raises(HeadscopeError) as error:
            refused()
        assert error.value.code == "cannot_intervene"


# ---------------------------------------------------------------- through the engine, and in generation
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"token": 170}, "token must be an id from 0 to 169, not 170"),
        ({"token": -1, "what": "keys"}, "token must be an id from 0 to 169, not -1"),
        ({"what": "words"}, "what must be heads, edges, keys or patches"),
        ({"what": "patches", "other": SINGULAR, "by": "word"}, "by must be layer, head or position"),
    ],
)
def test_a_sweep_that_makes_no_question_is_refused(grammar, wrong, says):
    with pytest.raises(HeadscopeError, match=says):
        list(sweep(grammar, SweepRequest(SENTENCE, **wrong), Job()))


@pytest.mark.parametrize("n_checks", [0, 1, 2])
def test_a_sweep_that_is_cancelled_or_fails_leaves_the_model_as_it_was(tiny, n_checks):
    """Bit by bit, and without a hook; failing in each layer, with copies that join on the way."""

    class Failing(Cancel):
        n_left = n_checks

        def check(self):
            self.n_left -= 1
            if self.n_left < 0:
                raise Cancelled

    model = tiny("gpt2")
    list(ablate_heads(model, Question("a cat sat")))  # so that whether copies may join is known
    inputs = model.inputs(*model.encode("a cat sat"))
    before = model.forward(inputs).logits.clone(), hooks_of(model)
    with pytest.raises(Cancelled):
        list(ablate_heads(model, Question("a cat sat"), job=Job(cancel=Failing())))
    assert hooks_of(model) == before[1]
    assert allowed.difference(model.forward(inputs).logits, before[0]) <= allowed.of_logits(before[0], model)


def hooks_of(model):
    return {name: (*part._forward_pre_hooks, *part._forward_hooks) for name, part in model.module.named_modules()}


def test_the_engine_streams_a_sweep():
    engine, seen = Engine(), []
    engine.handle(LoadRequest("toy:grammar", device="cpu"), Job(), lambda _: None)
    for request in (
        SweepRequest(SENTENCE),
        SweepRequest(SENTENCE, what="edges", layer=1, head=3),
        SweepRequest(SENTENCE, what="keys"),
        SweepRequest(SENTENCE, what="patches", other=SINGULAR),
    ):
        seen.clear()
        answer = engine.handle(request, Job(), seen.append)
        assert answer is seen[-1]
        assert answer.finished
    assert answer.log_probability_change.shape == (2, 4)


def test_generation_goes_on_with_the_edit_in_every_step(tales):
    engine = Engine()
    engine.handle(LoadRequest("toy:tales", device="cpu"), Job(), lambda _: None)
    everything_out = Intervention(tuple(Scale(layer=layer) for layer in range(tales.info.layers["decoder"][0])))
    request = GenerateRequest("once upon a time", max_new_tokens=6)
    plain = engine.handle(request, Job(), lambda _: None)
    edited = engine.handle(replace(request, intervention=everything_out), Job(), lambda _: None)
    assert edited.text != plain.text
    written, _ = tales.encode(edited.text)
    # A model without attention writes by the last word alone, so one pass over the whole text predicts each of its words.
    _, output = tales.observe(written, intervention=everything_out)
    start = len(tales.encode("once upon a time")[0].ids)
    assert list(written.ids[start:]) == output.logits[0, start - 1 : -1].argmax(-1).tolist()
