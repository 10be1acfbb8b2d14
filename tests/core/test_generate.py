"""Generation token by token: the right tokens, and the attention rows of one full pass."""

import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.attention.kept.growing import Growing, is_growing
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.options import Sampling
from headscope.core.predict import predictions as predictions_file
from headscope.core.predict.generate import generate
from headscope.core.predict.live_filters import LiveFilters
from headscope.core.predict.results import GenerationStep
from headscope.core.predict.stops import stopped
from headscope.core.text.tokens import Token
from tests import allowed
from tests.generating import model_of, written_by_transformers
from tests.tiny_models import write_decoder, write_encoder_decoder

PROMPT = "the cat sat"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A folder with a tiny model of a family; made once."""
    made: dict[str, Path] = {}

    def of(family: str) -> Path:
        if family not in made:
            write = write_encoder_decoder if family in ("t5", "bart") else write_decoder
            made[family] = write(tmp_path_factory.mktemp(family), family)
        return made[family]

    return of


def opened(source: Path | str) -> Model:
    return load_model(str(source), device="cpu", dtype="float32")


def steps_of(model: Model, n: int = 12, sampling: Sampling | None = None, text: str = PROMPT) -> list[GenerationStep]:
    return list(generate(model, text, max_new_tokens=n, sampling=sampling or Sampling()))


@pytest.mark.parametrize("family", ["gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "bloom"])
def test_greedy_tokens_are_those_of_transformers_and_rows_those_of_one_pass(folder, family: str) -> None:
    model = opened(folder(family))
    steps = steps_of(model)
    prompt, _ = model.encode(PROMPT)
    written = [*prompt.ids, *(step.token.id for step in steps)]

    independent = hf.AutoModelForCausalLM.from_pretrained(folder(family), attn_implementation="eager").eval()
    asked = torch.tensor([prompt.ids])
    answer = independent.generate(
        asked, attention_mask=torch.ones_like(asked), max_new_tokens=12, do_sample=False, pad_token_id=0
    )
    assert answer[0].tolist() == written

    with torch.inference_mode():
        whole = independent(torch.tensor([written[:-1]]), output_attentions=True)
    record = steps[-1].record
    for layer, expected in enumerate(whole.attentions):
        assert allowed.difference(record.layer_weights(layer, "decoder"), expected[0]) <= allowed.of_weights(expected[0], model)
    rounding = allowed.of_probabilities(whole.logits, model)
    probabilities = whole.logits[0, len(prompt.ids) - 1 :].softmax(-1)
    for step, row in zip(steps, probabilities, strict=True):
        assert step.probability == pytest.approx(float(row[step.token.id]), abs=rounding)
        assert step.sampled_probability == 1.0
        assert [candidate.id for candidate in step.candidates] == row.topk(10).indices.tolist()


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_an_encoder_decoder_writes_its_target_and_shows_all_three_kinds(folder, family: str) -> None:
    model = opened(folder(family))
    steps = list(generate(model, PROMPT, max_new_tokens=6, rules=()))  # BART's own forces an end
    source, target = model.encode(PROMPT)
    written = [*target.ids, *(step.token.id for step in steps)]

    # By whole passes and not by generate(), which fails for a T5 with more decoder than encoder layers.
    independent = hf.AutoModelForSeq2SeqLM.from_pretrained(folder(family), attn_implementation="eager").eval()
    inputs = {"input_ids": torch.tensor([source.ids])}
    ids = list(target.ids)
    with torch.inference_mode():
        while len(ids) < len(written):
            whole = independent(**inputs, decoder_input_ids=torch.tensor([ids]), output_attentions=True)
            ids.append(int(whole.logits[0, -1].argmax()))
    assert written == ids

    record = steps[-1].record
    assert record.kinds == ("encoder", "decoder", "cross")
    for kind, layers in (
        ("encoder", whole.encoder_attentions),
        ("decoder", whole.decoder_attentions),
        ("cross", whole.cross_attentions),
    ):
        for layer, expected in enumerate(layers):
            assert allowed.difference(record.layer_weights(layer, kind), expected[0]) <= allowed.of_weights(expected[0], model)


def test_the_toy_tells_a_story_and_its_rows_are_those_of_one_pass() -> None:
    model = opened("toy:tales")
    steps = steps_of(model, n=30, text="once upon a time")
    assert steps[-1].text.startswith("once upon a time")
    prompt, _ = model.encode("once upon a time")
    written = torch.tensor([[*prompt.ids, *(step.token.id for step in steps)]])
    with torch.inference_mode():
        whole = model.module(written[:, :-1], output_attentions=True)
    assert whole.logits[0, len(prompt.ids) - 1 :].argmax(-1).tolist() == written[0, len(prompt.ids) :].tolist()
    for layer, expected in enumerate(whole.attentions["decoder"]):
        ours = steps[-1].record.layer_weights(layer, "decoder")
        assert allowed.difference(ours, expected[0]) <= allowed.of_weights(expected[0], model)


def test_each_step_holds_the_rows_so_far_and_later_steps_do_not_change_it(folder) -> None:
    model = opened(folder("gpt2"))
    n_prompt = len(model.encode(PROMPT)[0].ids)
    steps, seen = [], []
    for step in generate(model, PROMPT, max_new_tokens=5):
        steps.append(step)
        seen.append(step.record.layer_weights(1, "decoder").copy())
        assert len(step.record.axis("decoder").queries) == n_prompt + step.index
    for step, weights in zip(steps, seen, strict=True):
        np.testing.assert_array_equal(step.record.layer_weights(1, "decoder"), weights)
    tokens = steps[-1].record.axis("decoder").queries.tokens
    assert [token.generated for token in tokens] == [False] * n_prompt + [True] * 4


@pytest.mark.parametrize("family", ["llama-grouped", "bart"])
def test_a_step_shows_what_every_head_looked_at_when_its_token_was_chosen(family: str) -> None:
    for step in model_of(family).generate(PROMPT, max_new_tokens=4):
        for kind in set(step.record.kinds) - {"encoder"}:
            for layer in range(step.record.n_layers(kind)):
                rows = step.attention_rows(layer, kind)
                assert rows.shape == (step.record.n_heads(kind), len(step.record.axis(kind).keys))
                whole = step.record.layer_weights(layer, kind)[:, -1]
                assert allowed.difference(rows, whole) <= allowed.of_weights(whole)


def test_the_text_grows_by_the_tokens(folder) -> None:
    model = opened(folder("gpt2"))
    text = PROMPT
    for step in steps_of(model):
        assert step.text.startswith(text)
        assert step.text[step.token.start : step.token.end] == step.text[len(text) :]
        text = step.text
    assert len(text) > len(PROMPT)


def test_a_seed_draws_the_same_again_and_filters_hold(folder) -> None:
    model = opened(folder("gpt2"))
    # The tiny model is very sure of itself: a high temperature leaves something to draw.
    sampling = Sampling(temperature=9.0, top_k=4, top_p=0.9, seed=3)
    one, two = steps_of(model, sampling=sampling), steps_of(model, sampling=sampling)
    other = steps_of(model, sampling=Sampling(temperature=9.0, top_k=4, top_p=0.9, seed=4))
    assert [step.token.id for step in one] == [step.token.id for step in two]
    assert [step.token.id for step in one] != [step.token.id for step in other]
    for step in one:
        assert step.token.id in [candidate.id for candidate in step.candidates[:4]]
        assert 0 < step.sampled_probability <= 1


def test_generation_ends_with_an_end_token(folder) -> None:
    model = opened(folder("gpt2"))
    (end,) = model.tokenizer.end_ids
    with torch.no_grad():  # every token's hidden state becomes all ones, and the end token's row answers that loudest
        model.module.transformer.ln_f.weight.zero_()
        model.module.transformer.ln_f.bias.fill_(1.0)
        rows = torch.zeros_like(model.module.lm_head.weight)
        rows[end] = 1.0
        model.module.lm_head.weight = torch.nn.Parameter(rows)
    (step,) = steps_of(model)
    assert step.token.id == end
    assert step.token.special
    assert step.text == PROMPT


def test_generation_stops_where_the_model_has_no_more_positions(folder) -> None:
    model = opened(folder("gpt2"))
    n_prompt = len(model.encode("a" * 50)[0].ids)
    steps = steps_of(model, n=200, text="a" * 50)
    assert len(steps) == 64 - n_prompt + 1  # the last token is written at the last position and not read any more
    assert len(steps[-1].record.axis("decoder").queries) == 64


def test_a_prompt_without_room_is_refused(folder) -> None:
    with pytest.raises(HeadscopeError) as captured:
        generate(opened(folder("gpt2")), "a" * 70)
    assert captured.value.code == "no_room"


def test_cancel_ends_it_before_the_next_token(folder) -> None:
    cancel = Cancel()
    steps = generate(opened(folder("gpt2")), PROMPT, max_new_tokens=100, job=Job(cancel=cancel))
    next(steps)
    cancel.set()
    with pytest.raises(Cancelled):
        next(steps)


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("", {}, "empty_text"),
        (PROMPT, {"max_new_tokens": 0}, "bad_option"),
        (PROMPT, {"sampling": Sampling(top_p=2.0)}, "bad_option"),
    ],
)
def test_what_cannot_be_generated_is_said_at_once(text: str, options: dict, code: str) -> None:
    with pytest.raises(HeadscopeError) as captured:
        generate(opened("toy:tales"), text, **options)
    assert captured.value.code == code


def test_an_encoder_cannot_generate() -> None:
    with pytest.raises(HeadscopeError) as captured:
        generate(opened("toy:grammar"), "the keys")
    assert captured.value.code == "cannot_generate"


# ---------------------------------------------------------------- transformers' own choices
@pytest.mark.parametrize("family", ["gpt2", "llama-grouped", "t5", "bart"])
@pytest.mark.parametrize("penalty", [1.0, 1.5])
def test_greedy_tokens_are_those_of_transformers_with_and_without_a_repetition_penalty(family: str, penalty: float) -> None:
    steps = model_of(family).generate(PROMPT, max_new_tokens=12, repetition_penalty=penalty)
    expected = written_by_transformers(family, max_new_tokens=12, repetition_penalty=penalty)
    assert [step.token.id for step in steps] == expected


def test_each_candidate_tells_what_every_filter_made_of_it() -> None:
    options = {"temperature": 4.0, "top_k": 6, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.2, "seed": 1}
    for step in model_of("llama-grouped").generate(PROMPT, max_new_tokens=8, **options):
        names = [stage.name for stage in step.filters]
        assert names == ["model", "repetition_penalty", "temperature", "top_k", "top_p", "min_p"]
        own = [candidate.probability for candidate in step.candidates]
        assert step.filters[0].probabilities == pytest.approx(own, abs=allowed.of_doubles())
        kept = [stage.n_kept for stage in step.filters]
        assert kept[0] == kept[2] > kept[3] == 6 >= kept[4] >= kept[5] >= 1
        assert all(0 < stage.mass <= 1 for stage in step.filters)
        assert step.filters[3].mass < 1
        removed = [p == 0 for p in step.filters[-1].probabilities]
        assert any(removed) and not all(removed)
        chosen = [candidate.id for candidate in step.candidates].index(step.token.id)
        assert step.filters[-1].probabilities[chosen] == pytest.approx(step.sampled_probability, abs=allowed.of_doubles())


# ---------------------------------------------------------------- whole distributions
def assert_filters_act(step: GenerationStep, sampling: Sampling) -> None:
    """The window's filters make of the distribution that a step carries what `sampling` made of it when it was chosen."""
    read = [token.id for token in step.record.axis("decoder").queries.tokens]
    live = LiveFilters(step.prediction.logits, read, step.prediction.effects).filtered(
        sampling, [each.id for each in step.candidates]
    )
    assert [(stage.name, stage.n_kept) for stage in live.stages] == [(stage.name, stage.n_kept) for stage in step.filters]
    for ours, theirs in zip(live.stages, step.filters, strict=True):
        assert ours.probabilities == pytest.approx(theirs.probabilities, abs=allowed.of_doubles())
        assert ours.mass == pytest.approx(theirs.mass, abs=allowed.of_doubles())


@pytest.mark.parametrize("family", ["gpt2", "bart", "toy:tales"])
def test_each_step_and_each_branch_carries_the_distribution_that_its_token_was_drawn_from(family: str) -> None:
    model = model_of(family)
    sampling = Sampling(temperature=1.5, top_k=20, top_p=0.9, min_p=0.01, repetition_penalty=1.2, seed=3)
    steps = list(model.generate(PROMPT, max_new_tokens=6, **asdict(sampling)))
    branch = list(steps[2].fork(steps[2].candidates[1].id, max_new_tokens=3))
    for step in (*steps, *branch):
        assert step.prediction.position == len(step.record.axis("decoder").queries)
        assert math.exp(step.prediction.log_probability(step.token.id)) == pytest.approx(
            step.probability, abs=allowed.of_doubles()
        )
        assert_filters_act(step, sampling)


def test_the_steps_of_every_beam_carry_theirs() -> None:
    *_, last = model_of("gpt2").beam_search(PROMPT, n_beams=3, max_new_tokens=5, repetition_penalty=1.3)
    for beam in (*last.beams, *last.finished):
        for step in beam.steps:
            assert_filters_act(step, Sampling(repetition_penalty=1.3))


def test_a_generation_and_its_branches_carry_no_more_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("gpt2")
    (whole,) = model.run(PROMPT).predictions
    monkeypatch.setattr(predictions_file, "WHOLE_BYTES", 5 * whole.logits.nbytes + 1)
    generation = model.generate(PROMPT, max_new_tokens=9)
    steps = [next(generation) for _ in range(3)]
    branch = list(steps[0].fork(steps[0].candidates[1].id, max_new_tokens=3))
    steps += generation
    assert [step.prediction.logits is not None for step in steps] == [True] * 3 + [False] * 6
    assert [step.prediction.logits is not None for step in branch] == [True] * 2 + [False]
    assert all(len(step.candidates) == 10 for step in (*steps, *branch))
    assert next(model.generate(PROMPT)).prediction.logits is not None, "another generation has its own room"


# ---------------------------------------------------------------- stop strings
@pytest.mark.parametrize("family", ["gpt2", "bart", "toy:tales"])
def test_the_text_ends_where_a_stop_string_ends(family: str) -> None:
    model = model_of(family)
    *_, free = model.generate(PROMPT, max_new_tokens=12)
    begins = 0 if family == "bart" else len(PROMPT)
    words = free.text[begins:]
    stop = words[2:5]
    *_, last = model.generate(PROMPT, max_new_tokens=12, stop=("never", stop))
    end = begins + words.find(stop) + len(stop)
    assert last.text == free.text[:end]
    assert last.text + last.cut == free.text[: end + len(last.cut)]
    assert last.token.end == len(last.text)
    assert last.index < 11


def test_what_a_token_adds_behind_a_stop_string_is_cut_and_told() -> None:
    token = Token("tail.␣More", 7, 4, 14)
    ended = stopped(token, "the tail. More", ["l.", "nothing"], begins=0, was=3)
    assert ended == (Token("tail.␣More", 7, 4, 9), "the tail.", " More")
    assert stopped(token, "the tail. More", ["the"], begins=0, was=3) is None  # was there before
    assert stopped(token, "the tail. More", ["e tail"], begins=3, was=3) is None  # begins in the prompt
    assert stopped(token, "the tail. More", ["e tail"], begins=0, was=3) is not None
    with pytest.raises(HeadscopeError, match="stop"):
        generate(model_of("gpt2"), PROMPT, stop=("",))


# ---------------------------------------------------------------- chats
TEMPLATE = (
    "{% for said in messages %}{% if said.role == 'system' and 'rude' in said.content %}{{ raise_exception('no rudeness') }}"
    "{% endif %}<s>{{ said.role }}:{{ said.content }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant:{% endif %}"
)


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = write_decoder(tmp_path_factory.mktemp("talker"), "llama-grouped")
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return opened(folder)


def test_a_chat_is_read_as_the_template_renders_it(talker: Model) -> None:
    assert "chat" in talker.info.abilities
    steps = list(talker.generate("hi", chat=True, system="be kind", max_new_tokens=5))
    text = "<s>system:be kind</s><s>user:hi</s><s>assistant:"
    axis = steps[0].record.axis("decoder").queries
    assert axis.text == text
    own = hf.AutoTokenizer.from_pretrained(talker.info.source)
    said = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]
    expected = own.apply_chat_template(said, add_generation_prompt=True)["input_ids"]
    assert [token.id for token in axis.tokens] == expected
    assert [token.text for token in axis.tokens if token.special] == ["<s>", "</s>", "<s>", "</s>", "<s>"]
    assert "".join(text[token.start : token.end] for token in axis.tokens).replace(" ", "") == text.replace(" ", "")
    assert steps[-1].text.startswith(text)


def test_a_text_that_is_in_the_template_already_is_continued_and_captured_as_it_is(talker: Model) -> None:
    rendered = talker.chat("hi")
    assert rendered == talker.chat(rendered) == "<s>user:hi</s><s>assistant:"
    one, two = (list(talker.generate(text, chat=True, max_new_tokens=4)) for text in ("hi", rendered))
    assert [step.token.id for step in one] == [step.token.id for step in two]
    again = talker.capture(rendered).axis("decoder").queries
    assert again.tokens == one[0].record.axis("decoder").queries.tokens  # no second <s> before it
    plain = talker.encode("hi")[0].axis
    assert [token.special for token in plain.tokens] == [True, False, False]


def test_what_cannot_be_a_chat_is_said(talker: Model) -> None:
    for model, text, system, code in (
        (model_of("gpt2"), "hi", "", "cannot_chat"),
        (model_of("toy:tales"), "hi", "", "cannot_chat"),
        (talker, " ", "", "empty_text"),
        (talker, "hi", "be rude", "chat_template_failed"),
    ):
        with pytest.raises(HeadscopeError) as captured:
            model.generate(text, chat=True, system=system)
        assert captured.value.code == code


# ---------------------------------------------------------------- what is kept
def test_a_record_shares_its_keys_with_the_cache_and_takes_no_room_that_will_not_be_filled() -> None:
    model = model_of("gpt2")
    generation = generate(model, PROMPT, max_new_tokens=20)
    *_, last = generation
    n_read = len(last.record.axis("decoder").queries)
    cache = generation._reader._cache
    (layer, *_) = last.record._layers["decoder"]
    assert layer.key.untyped_storage().data_ptr() == cache.layers[0].keys.untyped_storage().data_ptr()
    exact = 3 * 2 * 4 * (n_read + 1) * 16 * 4  # layers · (queries and keys) · heads · tokens with the last · d_head · bytes
    assert last.record.nbytes == exact


def test_growing_rows_are_those_that_were_put_in_whatever_happens_to_the_branches() -> None:
    rows = torch.arange(60.0).view(1, 2, 10, 3)
    shared_prefix = Growing()
    first = shared_prefix.append(rows[:, :, :4])
    branch = shared_prefix.branch(3)
    one = shared_prefix.append(rows[:, :, 4:6])
    two = branch.append(rows[:, :, 8:9])
    twig = branch.branch(4)
    three = twig.append(rows[:, :, 9:])
    four = branch.append(rows[:, :, :1])
    for view, expected in (
        (first, rows[:, :, :4]),
        (one, rows[:, :, :6]),
        (two, rows[:, :, [0, 1, 2, 8]]),
        (three, rows[:, :, [0, 1, 2, 8, 9]]),
        (four, rows[:, :, [0, 1, 2, 8, 0]]),
    ):
        assert torch.equal(view, expected)
        assert is_growing(view)
    assert not is_growing(rows)
