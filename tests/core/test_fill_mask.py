"""Masked words: read where the mask is, one at a time when they are filled; and whether a second text follows the first."""

import pytest
import torch

from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.predict.fill_iteratively import fill_iteratively
from headscope.core.predict.fill_mask import fill_mask
from headscope.core.predict.gibbs import fill_by_gibbs
from headscope.core.predict.next_sentence import next_sentence
from tests import allowed
from tests.tiny_models import write_masked


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(str(write_masked(tmp_path_factory.mktemp("bert"))), device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def grammar() -> Model:
    return load_model("toy:grammar", device="cpu")


def logits_of(model: Model, text: str, pair: str | None = None) -> torch.Tensor:
    source, _ = model.encode(text, pair)
    with torch.inference_mode():
        return model.module(**model.inputs(source)).logits[0]


def test_probabilities_are_of_the_softmax_at_the_mask_and_not_at_the_end(bert: Model) -> None:
    text = "the cat [MASK] on the mat ."
    (prediction,) = fill_mask(bert, text, top_k=7)
    logits = logits_of(bert, text)
    assert prediction.position == 3  # [CLS] the cat [MASK]
    at_mask = logits[3].softmax(-1).topk(7)
    assert [candidate.id for candidate in prediction.candidates] == at_mask.indices.tolist()
    assert [candidate.probability for candidate in prediction.candidates] == pytest.approx(
        at_mask.values.tolist(), abs=allowed.of_sums()
    )
    # What many tutorials read instead: the last position, which is [SEP]'s and answers another question.
    assert [candidate.id for candidate in prediction.candidates] != logits[-1].softmax(-1).topk(7).indices.tolist()


@pytest.mark.parametrize(("subject", "verb"), [("keys", "are"), ("key", "is")])
def test_the_toy_finds_the_verb_across_a_noun_of_the_other_number(grammar: Model, subject: str, verb: str) -> None:
    other = "cabinet" if subject == "keys" else "cabinets"
    (prediction,) = fill_mask(grammar, f"the {subject} near the {other} [MASK] rusty .")
    assert prediction.candidates[0].text == f" {verb}"
    assert prediction.candidates[0].probability > 0.9


def test_each_mask_of_either_text_gets_its_prediction(bert: Model) -> None:
    predictions = fill_mask(bert, "the [MASK] sat", "on [MASK] mat")
    logits = logits_of(bert, "the [MASK] sat", "on [MASK] mat")
    assert [prediction.position for prediction in predictions] == [2, 6]
    assert [len(prediction.candidates) for prediction in predictions] == [5, 5]
    assert [prediction.candidates[0].id for prediction in predictions] == logits[[2, 6]].argmax(-1).tolist()


def test_more_candidates_than_words_are_all_words(bert: Model) -> None:
    (prediction,) = fill_mask(bert, "[MASK]", top_k=10_000)
    assert len(prediction.candidates) == logits_of(bert, "[MASK]").shape[-1]
    assert sum(candidate.probability for candidate in prediction.candidates) == pytest.approx(1, abs=allowed.of_sums())


@pytest.mark.parametrize("ask", [fill_mask, fill_iteratively])
def test_what_cannot_be_filled_is_said_at_once(grammar: Model, ask) -> None:
    decoder = load_model("toy:tales", device="cpu")
    for model, text, code in (
        (decoder, "once upon a [MASK]", "cannot_fill_mask"),
        (grammar, "the keys are rusty .", "no_mask"),
        (grammar, "", "empty_text"),
        (grammar, " \n ", "empty_text"),
    ):
        with pytest.raises(HeadscopeError) as captured:
            ask(model, text)
        assert captured.value.code == code


# ---------------------------------------------------------------- one mask at a time
TEXT = "the [MASK] sat [MASK] a [MASK] ."


@pytest.mark.parametrize("strategy", ["confident", "left_to_right"])
def test_each_step_is_one_pass_over_what_was_filled_before(bert: Model, strategy: str) -> None:
    source, _ = bert.encode(TEXT)
    inputs = bert.inputs(source)
    left = [2, 4, 6]
    mask_id = bert.tokenizer.mask_id
    for step in fill_iteratively(bert, TEXT, strategy=strategy):
        with torch.inference_mode():
            probabilities = bert.module(**inputs).logits[0].softmax(-1)
            probabilities[:, mask_id] = 0
        expected = left[0] if strategy == "left_to_right" else max(left, key=lambda at: float(probabilities[at].max()))
        assert step.position == expected
        assert step.chosen.id == int(probabilities[expected].argmax())
        assert step.chosen.probability == pytest.approx(float(probabilities[expected].max()), abs=allowed.of_sums())
        assert step.record.axis("encoder").queries.masks == tuple(left)
        inputs["input_ids"][0, expected] = step.chosen.id
        left.remove(expected)
    assert left == []


def test_the_text_is_filled_where_the_masks_were(grammar: Model) -> None:
    text = "the  keys of the cabinet [MASK] [MASK] ."
    steps = list(fill_iteratively(grammar, text, strategy="left_to_right"))
    first, second = (step.chosen.label for step in steps)
    assert steps[0].text == f"the  keys of the cabinet {first} [MASK] ."
    assert steps[1].text == f"the  keys of the cabinet {first} {second} ."
    assert first == "are"


def test_tokens_of_a_step_point_into_its_text(bert: Model) -> None:
    *_, before_last, last = fill_iteratively(bert, "人 [MASK] the [MASK] , [MASK] cat", strategy="left_to_right")
    axis = last.record.axis("encoder").queries
    assert axis.text == before_last.text
    for token in axis.tokens:
        if token.generated or token.masked or token.text in ("人", "the", "cat"):
            assert axis.text[token.start : token.end].strip() == token.text.removeprefix("·").replace(
                "[MASK]", bert.info.mask_token
            )


def test_a_piece_of_a_word_joins_the_word_before_it_and_stays_one_token(bert: Model) -> None:
    pieces = bert.module.get_output_embeddings().bias
    id_of_ing = bert.encode("playing")[0].ids[2]
    before = pieces[id_of_ing].item()
    with torch.no_grad():
        pieces[id_of_ing] = 1e4
    try:
        first, second = fill_iteratively(bert, "walk [MASK] the [MASK]", strategy="left_to_right")
    finally:
        with torch.no_grad():
            pieces[id_of_ing] = before
    assert first.text == "walking the [MASK]"
    assert second.text == "walking theing"
    tokens = second.record.axis("encoder").queries.tokens
    assert [token.id for token in tokens[1:4]] == [*bert.encode("walk")[0].ids[1:2], id_of_ing, *bert.encode("the")[0].ids[1:2]]
    assert (tokens[2].start, tokens[2].end) == (4, 7)
    assert tokens[4].masked
    assert (tokens[4].start, tokens[4].end) == (12, 18)


def test_masks_of_a_pair_are_filled_in_the_pair(grammar: Model) -> None:
    (step,) = fill_iteratively(grammar, "Tom lost the red kite .", "he found the [MASK] .")
    assert step.text == "Tom lost the red kite ."
    assert step.text_pair == f"he found the {step.chosen.label} ."


def test_filling_stops_when_it_is_cancelled(grammar: Model) -> None:
    cancel = Cancel()
    steps = fill_iteratively(grammar, "the [MASK] [MASK] [MASK] .", job=Job(cancel=cancel))
    next(steps)
    cancel.set()
    with pytest.raises(Cancelled):
        next(steps)


# ---------------------------------------------------------------- next sentence
def test_the_toy_tells_what_follows_from_what_does_not(grammar: Model) -> None:
    first = "Tom lost the red kite ."
    assert next_sentence(grammar, first, "he looked for the kite .") > 0.9
    assert next_sentence(grammar, first, "he looked for the ball .") < 0.1


def test_the_next_sentence_is_the_first_of_two_logits(grammar: Model) -> None:
    source, _ = grammar.encode("Tom lost the kite .", "she opened the door .")
    with torch.inference_mode():
        follows, strange = grammar.module(**grammar.inputs(source)).next_sentence_logits[0].tolist()
    expected = 1 / (1 + torch.tensor(strange - follows).exp().item())
    assert next_sentence(grammar, "Tom lost the kite .", "she opened the door .") == pytest.approx(
        expected, abs=allowed.of_sums()
    )


def test_a_model_without_the_head_says_so(bert: Model) -> None:
    with pytest.raises(HeadscopeError) as captured:
        next_sentence(bert, "the cat", "sat")
    assert captured.value.code == "cannot_next_sentence"


# ---------------------------------------------------------------- Gibbs sampling
def test_each_step_of_gibbs_masks_one_place_and_draws_it_given_the_others(bert: Model) -> None:
    source, _ = bert.encode(TEXT)
    ids = bert.inputs(source)["input_ids"].clone()
    steps = list(fill_by_gibbs(bert, TEXT, sweeps=4, temperature=30.0, seed=3))
    assert len(steps) == 12
    for index, step in enumerate(steps):
        ids[0, step.position] = bert.tokenizer.mask_id
        with torch.inference_mode():
            logits = bert.module(**bert.inputs(source) | {"input_ids": ids}).logits[0, step.position].clone()
            logits[bert.tokenizer.mask_id] = -torch.inf
        assert step.chosen.probability == pytest.approx(float(logits.softmax(-1)[step.chosen.id]), abs=allowed.of_sums())
        masks = step.record.axis("encoder").queries.masks
        assert step.position in masks
        assert len(masks) == max(1, 3 - index)
        ids[0, step.position] = step.chosen.id
    for sweep in range(4):
        assert sorted(step.position for step in steps[3 * sweep : 3 * sweep + 3]) == [2, 4, 6]
    assert len({step.chosen.id for step in steps}) > 3


def test_gibbs_texts_are_read_again_as_the_tokens_that_were_drawn(grammar: Model) -> None:
    text = "the keys of the [MASK] [MASK] [MASK] ."
    for step in fill_by_gibbs(grammar, text, sweeps=3, temperature=2.0, seed=1):
        read = grammar.encode(step.text)[0].axis.tokens[step.position]
        assert read.id == step.chosen.id
    assert "[MASK]" not in step.text


def test_gibbs_drawn_with_a_seed_can_be_drawn_again_and_follows_the_distribution(grammar: Model) -> None:
    text = "the keys near the cabinet [MASK] [MASK] ."

    def drawn(seed: int, **options: float) -> list[tuple[int, int]]:
        return [(step.position, step.chosen.id) for step in fill_by_gibbs(grammar, text, seed=seed, **options)]

    assert drawn(1, temperature=3.0) == drawn(1, temperature=3.0) != drawn(2, temperature=3.0)
    # Of one mask alone, what is drawn again and again follows the model's own distribution there.
    (prediction,) = fill_mask(grammar, "the keys near the cabinet are [MASK] .", top_k=1)
    (best,) = prediction.candidates
    steps = list(fill_by_gibbs(grammar, "the keys near the cabinet are [MASK] .", sweeps=300))
    share = sum(step.chosen.id == best.id for step in steps) / 300
    assert abs(share - best.probability) < 4 * (best.probability * (1 - best.probability) / 300) ** 0.5 + 1e-3


def test_gibbs_refuses_what_it_cannot_do(grammar: Model) -> None:
    for text, options, code in (
        ("the keys .", {}, "no_mask"),
        ("the [MASK] .", {"sweeps": 0}, "bad_option"),
        ("the [MASK] .", {"temperature": -1.0}, "bad_option"),
    ):
        with pytest.raises(HeadscopeError) as captured:
            fill_by_gibbs(grammar, text, **options)
        assert captured.value.code == code
