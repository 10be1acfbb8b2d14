"""The shipped toys: their attention is the textbook's, they do what they were trained for, and they can be made again."""

from __future__ import annotations

import json
import random
from dataclasses import asdict

import pytest
import torch

from headscope.core.attention.capture.recorder import Recorder
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.lab.evaluation import evaluate
from headscope.core.lab.languages import tales
from headscope.core.lab.languages.grammar import Grammar
from headscope.core.lab.tasks import TASKS, task_of
from headscope.core.lab.training import train, trained
from headscope.core.models.toy_model import ToyModel
from headscope.core.toy.load import read_toy
from headscope.core.toy.model import ToyConfig, ToyTransformer
from headscope.resources import toy_folder, toy_names
from tests import allowed
from tests.golden.families import axis


@pytest.fixture(scope="module")
def toys() -> dict[str, ToyModel]:
    return {name: ToyModel(name, dtype="float32") for name in toy_names()}


# ---------------------------------------------------------------- attention
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("grammar", ("the keys of the cabinet [MASK] rusty .",)),
        ("grammar", ("Tom lost the red kite .", "he looked for the kite in the park .")),
        ("tales", ("once upon a time a brave king named Tom lived in a castle . he had a red ball",)),
    ],
)
def test_captured_weights_are_those_of_the_textbook(toys, name: str, texts: tuple[str, ...]) -> None:
    model = toys[name]
    source, _ = model.encode(*texts)
    record, output = model.observe(source)
    textbook = model.eager_pass(model.inputs(source))
    for kind, matrices in textbook.attentions.items():
        assert (record.n_layers(kind), record.n_heads(kind)) == model.info.layers[kind]
        for layer, expected in enumerate(matrices):
            assert allowed.difference(record.layer_weights(layer, kind), expected[0]) <= allowed.of_weights(expected[0], model)
    rounding = allowed.of_probabilities(textbook.logits, model)
    assert allowed.difference(output.logits.softmax(-1), textbook.logits.softmax(-1)) <= rounding


def test_rows_of_a_generation_are_those_of_one_textbook_pass(toys) -> None:
    model = toys["tales"]
    *_, last = model.generate("once upon a time", max_new_tokens=50)
    ids = tuple(token.id for token in last.record.axis("decoder").queries.tokens)
    assert len(ids) == 5 + 49  # <eos>, four words, and all but the last that was written
    textbook = model.eager_attentions({"input_ids": torch.tensor([ids])})["decoder"]
    for layer, expected in enumerate(textbook):
        ours = last.record.layer_weights(layer, "decoder")
        assert allowed.difference(ours, expected[0]) <= allowed.of_weights(expected[0], model)


def test_an_encoder_decoder_is_caught_in_all_three_kinds_and_padding_gets_nothing() -> None:
    torch.manual_seed(0)
    model = ToyTransformer(ToyConfig("encoder-decoder", 50, n_layers=3)).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(1.5)  # away from looking everywhere alike
    is_token = torch.ones(2, 9, dtype=torch.long)
    is_token[1, 6:] = 0
    inputs = {
        "input_ids": torch.randint(5, 50, (2, 9)),
        "attention_mask": is_token,
        "decoder_input_ids": torch.randint(5, 50, (2, 7)),
    }
    recorder = Recorder(model)
    with torch.inference_mode(), recorder.recording():
        logits = model(**inputs).logits
    with torch.inference_mode():
        textbook = model(**inputs, output_attentions=True)
    axes = {"encoder": (axis(9), axis(9)), "decoder": (axis(7), axis(7)), "cross": (axis(7), axis(9))}
    for batch in (0, 1):
        record = recorder.record(axes, backend="fast", batch=batch)
        assert record.kinds == tuple(textbook.attentions) == ("encoder", "decoder", "cross")
        for kind, matrices in textbook.attentions.items():
            assert record.n_layers(kind) == len(matrices) == 3
            for layer, expected in enumerate(matrices):
                weights = record.layer_weights(layer, kind)
                assert allowed.difference(weights, expected[batch]) <= allowed.of_weights(expected[batch], model)
                assert weights.max() > 0.3
                assert not (kind != "decoder" and batch == 1 and weights[..., 6:].any())
    assert allowed.difference(logits, textbook.logits) <= allowed.of_logits(textbook.logits, model)


# ---------------------------------------------------------------- what they learned
def test_grammar_is_right_on_sentences_it_has_never_seen() -> None:
    report = evaluate("grammar", n=500)
    assert report.sentences == 500
    assert report.number_across_distractor >= 0.99
    assert report.verb >= 0.99
    assert report.verb_across_distractor >= 0.99
    assert report.pronoun >= 0.99
    assert report.name >= 0.99
    assert report.next_sentence >= 0.99
    assert report.subject_head == "layer 1, head 3"
    assert report.subject_weight >= 0.97


def test_tales_writes_grammatical_stories_and_looks_back() -> None:
    report = evaluate("toy:tales", n=30)
    assert report.stories == 30
    assert report.grammatical_sentences >= 0.95
    assert report.finished_stories >= 0.95
    assert 1.2 < report.perplexity < 1.6
    assert report.object_weight >= 0.9
    assert report.name_weight >= 0.9
    assert report.sample.startswith("once upon a time")
    assert all(map(tales.is_grammatical, tales.sentences_of(report.sample)))


def test_a_toy_that_has_learned_nothing_scores_badly(tmp_path) -> None:
    train("grammar", steps=1, out=tmp_path)
    report = evaluate("grammar", tmp_path, n=40)
    assert report.number_across_distractor < 0.7
    assert report.pronoun < 0.5
    assert report.subject_weight < 0.4


def test_evaluating_again_gives_the_same_and_another_seed_other_sentences() -> None:
    once, again, other = (evaluate("tales", n=2, seed=seed) for seed in (0, 0, 1))
    assert once == again
    assert once.perplexity != other.perplexity


def test_an_unknown_toy_cannot_be_evaluated() -> None:
    with pytest.raises(HeadscopeError) as captured:
        evaluate("nothing")
    assert captured.value.code == "unknown_toy"


# ---------------------------------------------------------------- the languages
def test_held_out_sentences_are_never_trained_on() -> None:
    trained_on, held_out = Grammar(1), Grammar(2, held_out=True)
    seen = {trained_on.sentence().words for _ in range(5000)}
    fresh = {held_out.sentence().words for _ in range(2000)}
    assert len(fresh) > 1000
    assert not seen & fresh
    pairs_seen = {(pair.first, pair.second) for pair in (trained_on.pair() for _ in range(3000))}
    assert not pairs_seen & {(pair.first, pair.second) for pair in (held_out.pair() for _ in range(1000))}


def test_held_out_sentences_are_what_the_evaluation_asks_about() -> None:
    """The task "distractor" has a noun of the other number between subject and verb."""
    grammar = Grammar(0, held_out=True)
    for _ in range(300):
        sentence = grammar.sentence("distractor")
        assert sentence.task == "distractor"
        assert sentence.cue == 1
        assert sentence.target - sentence.cue >= 3


def test_stories_are_cut_into_the_sentences_they_are_made_of() -> None:
    draw = random.Random(3)
    for _ in range(300):
        story = tales.story(draw)
        sentences = tales.sentences_of(story)
        assert " ".join(sentences) == story
        assert all(map(tales.is_grammatical, sentences))


def test_a_sentence_that_is_wrong_is_counted_and_those_after_it_are_found() -> None:
    right, wrong = "Tom was happy and thanked Mia .", "Tom was where is the ring ."
    assert tales.sentences_of(f"{right} {wrong} {right} {right}") == [right, wrong, right, right]
    assert tales.sentences_of(f"{right} {wrong}") == [right, wrong]
    assert tales.sentences_of(f"{right} Tom was") == [right]  # unfinished
    assert not tales.is_grammatical(wrong)


# ---------------------------------------------------------------- recipes
@pytest.mark.parametrize("name", sorted(TASKS))
def test_shipped_files_fit_the_code_that_makes_them(name: str) -> None:
    assert toy_names() == sorted(TASKS)
    task, (module, tokenizer) = task_of(name), read_toy(toy_folder(name))
    recipe = json.loads((toy_folder(name) / "recipe.json").read_text(encoding="utf-8"))
    assert tokenizer.words == task.tokenizer.words
    assert recipe["config"] == asdict(task.config) == asdict(module.config)
    assert (recipe["toy"], recipe["seed"], recipe["steps"]) == (name, task.seed, task.steps)
    assert recipe["generator_version"] == task.version
    assert recipe["command"] == f"headscope train {name} --seed {task.seed} --steps {task.steps}"
    assert all(weights.dtype == torch.float32 for weights in module.parameters())


@pytest.mark.parametrize(("name", "steps"), [("grammar", 40), ("tales", 12)])
def test_training_reduces_the_loss(name: str, steps: int) -> None:
    """Within the warm-up, so by little; what the whole training reaches is above."""
    _, first_loss = trained(task_of(name), seed=1, steps=1, job=Job())
    _, loss = trained(task_of(name), seed=1, steps=steps, job=Job())
    assert loss < 0.98 * first_loss


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_seed_trains_the_same_weights_again(tmp_path, name: str) -> None:
    for folder, seed in (("one", 1), ("same", 1), ("other", 2)):
        report = train(name, seed=seed, steps=2, out=tmp_path / folder)
        assert (report.name, report.seed, report.steps, report.folder) == (name, seed, 2, str(tmp_path / folder))
    one, same, other = ((tmp_path / folder / "model.safetensors").read_bytes() for folder in ("one", "same", "other"))
    assert one == same != other
    recipe = json.loads((tmp_path / "other" / "recipe.json").read_text(encoding="utf-8"))
    assert (recipe["seed"], recipe["steps"]) == (2, 2)
    assert read_toy(tmp_path / "other")[1].words == task_of(name).tokenizer.words
