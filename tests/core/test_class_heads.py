"""Classes, tags and answers are what plain transformers says, in every family: its own logits, pipelines and span search."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from transformers.pipelines.document_question_answering import select_starts_ends

from headscope.core.errors import HeadscopeError
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.numerics import half_digits
from headscope.core.predict.class_predictions import answer, classify, tag
from headscope.core.predict.classes import best_spans, label_index, readable_labels
from headscope.gui.app.command_line import main
from tests import allowed
from tests.classifying import write

TEXT, PAIR = "the cat sat on a mat .", "play the walking cat , playing"
ALIKE = half_digits(torch.float32)
"""What many layers made twice, by different kernels, is right to half of its digits."""
MULTI, NUMBER = {"problem_type": "multi_label_classification"}, {"num_labels": 1}
CLASSIFIERS: list[tuple[str, dict[str, Any]]] = [
    ("Bert", {"num_labels": 2}),
    ("Bert", {"num_labels": 4, **MULTI}),
    ("Bert", NUMBER),
    ("Bert", {"num_labels": 3, "problem_type": "regression"}),
    *(
        (family, {"num_labels": 3})
        for family in ("Roberta", "DistilBert", "Albert", "DebertaV2", "XLNet", "Bart", "MBart", "T5")
    ),
    ("ModernBert", {"num_labels": 3, "classifier_pooling": "mean"}),
    ("GPT2", {"num_labels": 3}),
    ("GPT2", {"num_labels": 3, "pad_token_id": 0}),
    ("Llama", NUMBER),
    ("Bloom", {"num_labels": 5, **MULTI}),
]
TAGGERS = ("Bert", "Roberta", "DistilBert", "Albert", "DebertaV2", "ModernBert", "XLNet", "GPT2", "Llama", "T5")
ANSWERING = (
    *(f"{family}ForQuestionAnswering" for family in ("Bert", "Roberta", "DistilBert", "Albert", "DebertaV2", "GPT2", "Llama")),
    *(f"{family}ForQuestionAnswering" for family in ("Bart", "MBart", "T5")),
    "XLNetForQuestionAnsweringSimple",
)


def opened(folder: Path) -> Model:
    return load_model(str(folder), device="cpu", dtype="float32")


def plain(folder: Path, auto: Any, text: str, pair: str | None = None) -> tuple[Any, Any]:
    """(the tokenizer's inputs, the output) of a folder as its page on the hub says."""
    tokenizer, model = hf.AutoTokenizer.from_pretrained(folder), auto.from_pretrained(folder)
    accepted = inspect.signature(model.forward).parameters
    inputs = tokenizer(text, pair, return_tensors="pt") if pair else tokenizer(text, return_tensors="pt")
    told_apart = getattr(model.config, "type_vocab_size", 0) > 1
    if model.config.model_type == "xlnet":  # which of its texts' types are right is another test's
        told_apart = "token_type_ids" in (looked := opened(folder)).inputs(*looked.encode(text, pair))
    if "token_type_ids" not in accepted or not told_apart:
        inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        return inputs, model.eval()(**inputs)


# ---------------------------------------------------------------- classes
@pytest.mark.parametrize(("family", "settings"), CLASSIFIERS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_class_of_a_text_and_of_a_pair_is_what_transformers_says(
    tmp_path: Path, family: str, settings: dict[str, Any]
) -> None:
    folder = write(tmp_path, f"{family}ForSequenceClassification", **settings)
    model = opened(folder)
    for pair in (None, PAIR):
        check_class(folder, model, settings, pair)


def check_class(folder: Path, model: Model, settings: dict[str, Any], pair: str | None) -> None:
    logits = plain(folder, hf.AutoModelForSequenceClassification, TEXT, pair)[1].logits[0].double()
    assert model.info.abilities == {"classify"}
    result = model.run(TEXT, pair)
    (prediction,) = result.predictions
    assert prediction == classify(model, TEXT, pair, top_k=10)
    assert result.record.kinds
    np.testing.assert_allclose(prediction.logits, logits, atol=ALIKE, rtol=ALIKE)
    found = {each.id: each for each in prediction.candidates}
    assert {each.label for each in prediction.candidates} == set(model.info.labels)
    if settings.get("problem_type") == "regression" or settings is NUMBER:
        numbers = [found[at].number for at in range(len(logits))]
        assert numbers == pytest.approx(logits.tolist(), abs=ALIKE, rel=ALIKE)
        return
    own = logits.sigmoid() if "problem_type" in settings else logits.softmax(-1)
    assert [found[at].probability for at in range(len(logits))] == pytest.approx(own.tolist(), abs=ALIKE)
    assert [prediction.log_probability(at) for at in range(len(logits))] == pytest.approx(own.log().tolist(), abs=10 * ALIKE)
    order = [each.probability for each in prediction.candidates]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("settings", [{"num_labels": 3}, {"num_labels": 3, **MULTI}], ids=["one", "several"])
def test_probabilities_are_those_of_the_pipeline(tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = write(tmp_path, "DistilBertForSequenceClassification", **settings, id2label={0: "bad", 1: "so so", 2: "good"})
    pipe = hf.pipeline("text-classification", model=str(folder), device="cpu", top_k=None)
    expected = {each["label"]: each["score"] for each in pipe({"text": TEXT, "text_pair": PAIR})}
    found = {each.label: each.probability for each in classify(opened(folder), TEXT, PAIR).candidates}
    assert found == pytest.approx(expected, abs=ALIKE)


@pytest.mark.parametrize("family", ["Bert", "GPT2", "Bart", "XLNet"])
def test_a_class_is_read_at_the_token_that_the_head_reads(tmp_path: Path, family: str) -> None:
    """Noise on the last layer's states changes the class at that position, and at no other; on one number, since a norm takes a shift away."""
    model = opened(write(tmp_path, f"{family}ForSequenceClassification", num_labels=3))
    source, target = model.encode(TEXT, PAIR)
    at = model.class_position(source, target)
    inputs = model.inputs(source, target)
    own = model.forward(inputs).logits
    last = {
        "Bert": lambda: model.module.bert.encoder.layer[-1],
        "GPT2": lambda: model.module.transformer.h[-1],
        "Bart": lambda: model.module.model.decoder.layers[-1],
        "XLNet": lambda: model.module.transformer.layer[-1],
    }[family]()
    changed = []
    for position in range(len(source.ids)):

        def disturb(_: Any, __: Any, output: Any, position: int = position) -> Any:
            states = output[0] if isinstance(output, tuple) else output
            states = states.clone()
            if family == "XLNet":  # whose states are (n_tokens, batch, d_model)
                states[position, :, 0] += 1
            else:
                states[:, position, 0] += 1
            return (states, *output[1:]) if isinstance(output, tuple) else states

        hook = last.register_forward_hook(disturb)
        with torch.inference_mode():
            noisy = model.module(**inputs).logits
        hook.remove()
        if allowed.difference(noisy, own[:, 0]) > allowed.of_logits(own, model):
            changed.append(position)
    assert changed == [at]


# ---------------------------------------------------------------- tags
@pytest.mark.parametrize("family", TAGGERS)
def test_the_tags_of_tokens_are_what_transformers_says(tmp_path: Path, family: str) -> None:
    folder = write(tmp_path, f"{family}ForTokenClassification", num_labels=7)
    model = opened(folder)
    logits = plain(folder, hf.AutoModelForTokenClassification, TEXT)[1].logits[0].double()
    predictions = model.run(TEXT).predictions
    assert predictions == tag(model, TEXT)
    tokens = model.encode(TEXT)[0].axis.tokens
    assert [each.position for each in predictions] == [at for at, token in enumerate(tokens) if not token.special]
    for prediction in predictions:
        np.testing.assert_allclose(prediction.logits, logits[prediction.position], atol=ALIKE, rtol=ALIKE)
        best = prediction.candidates[0]
        assert best.probability == pytest.approx(float(logits[prediction.position].softmax(-1).max()), abs=ALIKE)
        assert len(prediction.candidates) == 5


def test_words_have_the_tag_of_their_first_token_as_the_pipeline_has_them(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    text = "the cat walked on playing mat"
    folder = write(tmp_path, "BertForTokenClassification", num_labels=9)
    pipe = hf.pipeline("token-classification", model=str(folder), device="cpu", aggregation_strategy="first")
    expected = [(each["word"], each["entity_group"], each["score"]) for each in pipe(text)]
    assert main(["predict", "--model", str(folder), "--text", text, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    words = [(each["word"], each["tag"], each["probability"]) for each in said["words"]]
    assert [word for word, _, _ in words] == text.split()
    merged: list[tuple[list[str], str, list[float]]] = []  # the pipeline joins neighbours of one tag
    for word, label, probability in words:
        if merged and merged[-1][1] == label:
            merged[-1][0].append(word)
            merged[-1][2].append(probability)
        else:
            merged.append(([word], label, [probability]))
    assert [(" ".join(each[0]), each[1].replace("label ", "LABEL_")) for each in merged] == [
        (word, f"LABEL_{label.removeprefix('LABEL_')}") for word, label, _ in expected
    ]
    assert [np.mean(each[2]) for each in merged] == pytest.approx([score for _, _, score in expected], abs=ALIKE)


def test_a_discriminator_says_of_each_token_whether_it_was_replaced(tmp_path: Path) -> None:
    folder = write(tmp_path, "ElectraForPreTraining")
    model = opened(folder)
    assert model.info.labels == ("original", "replaced")
    own = plain(folder, hf.ElectraForPreTraining, TEXT)[1].logits[0].double().sigmoid()
    for prediction in model.run(TEXT).predictions:
        replaced = next(each for each in prediction.candidates if each.label == "replaced")
        assert replaced.probability == pytest.approx(float(own[prediction.position]), abs=ALIKE)


# ---------------------------------------------------------------- answers
@pytest.mark.parametrize("name", ANSWERING)
def test_answers_are_those_of_transformers_question_answering(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path, name)
    model = opened(folder)
    context = "the cat sat on a mat . playing , the cat walked . a mat"
    inputs, output = plain(
        folder, hf.AutoModelForQuestionAnswering if "Simple" not in name else getattr(hf, name), TEXT, context
    )
    sequence = inputs.sequence_ids(0) if hasattr(inputs, "sequence_ids") else inputs.encodings[0].sequence_ids
    cls = int((inputs["input_ids"][0] == 2).nonzero()[0])
    outside = np.array([[segment != 1 for segment in sequence]])
    outside[0, cls] = False
    arguments = (output.start_logits.double().numpy(), output.end_logits.double().numpy(), outside, np.ones_like(outside, int))
    starts, ends, scores, none = select_starts_ends(*arguments, top_k=5, handle_impossible_answer=True)
    result = model.run(TEXT, context)
    spans = [each for each in result.answers if each.text is not None]
    assert [(each.start, each.end) for each in spans] == list(zip(starts, ends, strict=True))
    assert [each.probability for each in spans] == pytest.approx(scores.tolist(), rel=10 * ALIKE)
    (no_answer,) = (each for each in result.answers if each.text is None)
    assert no_answer.probability == pytest.approx(none, rel=10 * ALIKE)
    assert no_answer.start == no_answer.end == cls
    offsets = inputs.encodings[0].offsets
    assert [each.text for each in spans] == [context[offsets[each.start][0] : offsets[each.end][1]] for each in spans]
    start, end = result.predictions
    assert (start.kind, end.kind) == ("start", "end")
    assert sum(math.exp(start.log_probability(at)) for at in range(len(sequence))) == pytest.approx(1)
    assert start.log_probability(1) == -math.inf, "an answer is in the context, never in the question"
    assert result.answers == answer(model, TEXT, context)[1]


def test_an_answer_has_at_most_so_many_tokens() -> None:
    chances = np.full(40, 1e-6)
    start, end = chances.copy(), chances.copy()
    start[3], end[30], end[17] = 0.9, 0.8, 0.1
    assert best_spans(start, end, range(2, 38), 1) == [(3, 17, pytest.approx(0.09))]
    assert best_spans(start, end, range(0), 3) == []
    assert len(best_spans(start, end, range(5, 7), 9)) == 3


def test_without_a_second_text_there_is_no_answer_and_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = write(tmp_path, "BertForQuestionAnswering")
    result = opened(folder).run(TEXT)
    assert result.predictions == result.answers == ()
    assert main(["predict", "--model", str(folder), "--text", TEXT]) == 2
    assert "second text" in capsys.readouterr().err


# ---------------------------------------------------------------- what predicts nothing
@pytest.mark.parametrize(
    ("name", "lost", "said"),
    [
        ("BertForSequenceClassification", "classifier", "without the weights of its prediction head"),
        ("BertForSequenceClassification", "pooler", "without the weights of its prediction head"),
        ("RobertaForSequenceClassification", "classifier.out_proj", "without the weights of its prediction head"),
        ("BertForTokenClassification", "classifier", "without the weights of its prediction head"),
        ("BertForQuestionAnswering", "qa_outputs", "without the weights of its prediction head"),
        ("GPT2ForSequenceClassification", "score", "without the weights of its prediction head"),
        ("BartForSequenceClassification", "classification_head", "without the weights of its prediction head"),
        ("XLNetForQuestionAnswering", None, "beam search"),
    ],
)
def test_a_head_whose_weights_are_missing_predicts_nothing_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture, name: str, lost: str | None, said: str
) -> None:
    folder = write(tmp_path, name)
    if lost is not None:
        weights = load_file(folder / "model.safetensors")
        kept = {key: tensor for key, tensor in weights.items() if lost not in key}
        assert len(kept) < len(weights)
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    model = opened(folder)
    result = model.run(TEXT)
    assert result.predictions == ()
    assert result.record.attention_weights(0, 0).shape[0] == len(model.encode(TEXT)[0].ids)
    assert main(["predict", "--model", str(folder), "--text", TEXT, "--pair", PAIR]) == 2
    assert said in capsys.readouterr().err


def test_multiple_choice_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError) as error:
        opened(write(tmp_path, "BertForMultipleChoice"))
    assert error.value.code == "multiple_choice"


# ---------------------------------------------------------------- labels
def test_labels_are_readable_and_found_by_any_of_their_names() -> None:
    labels = readable_labels(["LABEL_0", "B-PER\n\x1b[2J", "", "x" * 5000, "Very Good", "7", "same", "same"])
    assert labels[:3] == ("label 0", "B-PER[2J", "label 2")
    assert len(labels[3]) == 200
    asked = {"label 0": 0, "LABEL_0": 0, "label_2": 2, "very_good": 4, "VERY GOOD": 4, "3": 3, "7": 5, 7: 7}
    assert {name: label_index(labels, name) for name in asked} == asked
    for wrong in ("nothing", 8, -1, "same", "99"):
        with pytest.raises(HeadscopeError) as error:
            label_index(labels, wrong)
        assert error.value.code == "unknown_label"
        assert len(str(error.value)) < 400


# ---------------------------------------------------------------- the command line
@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("BertForSequenceClassification", {"id2label": {0: "entailment", 1: "neutral"}}, ["class of the text", "entailment"]),
        ("BertForSequenceClassification", {"num_labels": 3, **MULTI}, ["each independent", "label 2"]),
        ("LlamaForSequenceClassification", NUMBER, ["number", "score", "sigmoid"]),
        ("BertForTokenClassification", {"id2label": {0: "O", 1: "B-X"}}, ["tag", "B-X", "cat"]),
        ("BertForQuestionAnswering", {}, ["p(start) · p(end)", "no answer", "the answer starts with", "the answer ends with"]),
    ],
)
def test_predict_prints_every_kind_of_prediction(
    tmp_path: Path, capsys: pytest.CaptureFixture, name: str, settings: dict[str, Any], words: list[str]
) -> None:
    folder = write(tmp_path, name, **settings)
    arguments = ["predict", "--model", str(folder), "--text", TEXT, "--pair", PAIR]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert [word for word in words if word not in out] == []
    assert main([*arguments, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data.keys() & {"classes", "numbers", "tags", "answers"}
