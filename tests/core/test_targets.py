"""A class, a tag and an end of an answer are explained as a token is: against plain transformers, its gradients and plain hooks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.analyse.attribution.direct_logit import direct_logit_attribution
from headscope.core.analyse.attribution.gradient_attention import gradient_attention
from headscope.core.analyse.attribution.integrated_gradients import integrated_gradients
from headscope.core.analyse.attribution.token_attribution import token_attribution
from headscope.core.analyse.causal.effects import effects
from headscope.core.analyse.causal.sweeps import Question, ablate_heads, forbid_keys
from headscope.core.attention.intervention import ablate
from headscope.core.errors import HeadscopeError
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.numerics import half_digits
from headscope.core.target import Target
from headscope.gui.app.command_line import main
from tests import allowed
from tests.classifying import write

TEXT, PAIR = "the cat sat on a mat .", "play the walking cat , playing"
ALIKE = half_digits(torch.float32)
MULTI = {"num_labels": 4, "problem_type": "multi_label_classification"}
NER = {"id2label": {0: "O", 1: "B-PER", 2: "I-PER"}}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], Callable[[Any], torch.Tensor]]] = {
    "class": ("BertForSequenceClassification", {"num_labels": 3}, {"label": 2}, lambda out: out.logits[:, 2]),
    "several": ("BertForSequenceClassification", MULTI, {"label": "LABEL_1"}, lambda out: out.logits[:, 1]),
    "number": ("BertForSequenceClassification", {"num_labels": 1}, {}, lambda out: out.logits[:, 0]),
    "tag": ("BertForTokenClassification", NER, {"label": "b-per", "position": 3}, lambda out: out.logits[:, 3, 1]),
    "start": ("BertForQuestionAnswering", {}, {"span": "start", "position": 11}, lambda out: out.start_logits[:, 11]),
    "end": ("BertForQuestionAnswering", {}, {"span": "end", "position": 12}, lambda out: out.end_logits[:, 12]),
    "last-class": ("GPT2ForSequenceClassification", {"num_labels": 3}, {"label": 0}, lambda out: out.logits[:, 0]),
    "last-tag": ("GPT2ForTokenClassification", NER, {"label": 2, "position": 5}, lambda out: out.logits[:, 5, 2]),
    "decoder-start": ("GPT2ForQuestionAnswering", {}, {"span": "start", "position": 11}, lambda out: out.start_logits[:, 11]),
    "decoder-class": ("LlamaForSequenceClassification", {"num_labels": 3}, {"label": 1}, lambda out: out.logits[:, 1]),
    "two-stacks": ("BartForSequenceClassification", {"num_labels": 3}, {"label": 1}, lambda out: out.logits[:, 1]),
}
PROJECTIONS = {
    "Bert": lambda module: [layer.attention.output.dense for layer in module.bert.encoder.layer],
    "GPT2": lambda module: [layer.attn.c_proj for layer in module.transformer.h],
    "Llama": lambda module: [layer.self_attn.o_proj for layer in module.model.layers],
    "Bart": lambda module: [layer.self_attn.out_proj for layer in module.model.encoder.layers],
}


class Opened:
    """A case's model here and as plain transformers loads it."""

    def __init__(self, folder: Path, case: str) -> None:
        self.name, settings, self.asked, self.logit_of = CASES[case]
        write(folder, self.name, **settings)
        self.model: Model = load_model(str(folder), device="cpu", dtype="float32")
        self.plain = getattr(hf, self.name).from_pretrained(folder, attn_implementation="eager").eval()
        inputs = hf.AutoTokenizer.from_pretrained(folder)(TEXT, PAIR, return_tensors="pt")
        self.inputs = {key: inputs[key] for key in ("input_ids", "attention_mask")}
        if self.name.startswith("Bert"):
            self.inputs["token_type_ids"] = inputs["token_type_ids"]

    def value(self, output: Any) -> float:
        """Log-probability of what is asked for, or the regression's number."""
        logit = self.logit_of(output)
        if self.plain.config.problem_type == "multi_label_classification":
            return float(logit.double().sigmoid().log())
        if self.model.info.link == "identity":
            return float(logit)
        if "QuestionAnswering" in self.name:
            tokens = self.model.encode(TEXT, PAIR)[0].axis.tokens
            where = [at for at, token in enumerate(tokens) if (token.segment == 1 and not token.special) or token.id == 2]
            rows = output.start_logits if self.asked["span"] == "start" else output.end_logits
            return float(logit.double() - rows[0, where].double().logsumexp(-1))
        rows = output.logits[0, self.asked["position"]] if "Token" in self.name else output.logits[0]
        return float(logit.double() - rows.double().logsumexp(-1))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Opened]:
    """Each case's model is opened once."""
    return cache(lambda case: Opened(tmp_path_factory.mktemp(case), case))


@pytest.fixture
def opened(models: Callable[[str], Opened], request: pytest.FixtureRequest) -> Opened:
    return models(request.param)


each_case = pytest.mark.parametrize("opened", CASES, indirect=True)


@each_case
def test_gradient_times_attention_is_that_of_plain_autograd(opened: Opened) -> None:
    found = gradient_attention(opened.model, TEXT, PAIR, **opened.asked)
    output = opened.plain(**opened.inputs, output_attentions=True)
    logit = opened.logit_of(output).sum()
    assert found.value == pytest.approx(float(logit.detach()), abs=ALIKE)
    own = {
        "encoder": getattr(output, "encoder_attentions", None) or output.get("attentions"),
        "decoder": getattr(output, "decoder_attentions", None) or output.get("attentions"),
        "cross": getattr(output, "cross_attentions", None),
    }
    for kind, products in found.attributions.items():
        gradients = torch.autograd.grad(logit, own[kind], retain_graph=True)
        expected = [(weights * gradient)[0].detach() for weights, gradient in zip(own[kind], gradients, strict=True)]
        np.testing.assert_allclose(products, np.stack(expected), atol=ALIKE, rtol=ALIKE)


@each_case
def test_taking_a_head_out_changes_what_a_plain_hook_changes(opened: Opened) -> None:
    *_, found = ablate_heads(opened.model, Question(TEXT, PAIR, **opened.asked))
    family = next(family for family in PROJECTIONS if opened.name.startswith(family))
    with torch.inference_mode():
        whole = opened.value(opened.plain(**opened.inputs))
        expected = np.zeros_like(found.log_probability_change)
        for layer, projection in enumerate(PROJECTIONS[family](opened.plain)):
            for head in range(expected.shape[1]):

                def take_out(_: Any, args: tuple[Any, ...], head: int = head) -> tuple[Any, ...]:
                    mixed = args[0].clone()
                    mixed[..., head * 16 : (head + 1) * 16] = 0
                    return (mixed, *args[1:])

                hook = projection.register_forward_pre_hook(take_out)
                expected[layer, head] = opened.value(opened.plain(**opened.inputs)) - whole
                hook.remove()
    np.testing.assert_allclose(found.log_probability_change, expected, atol=10 * ALIKE)
    assert abs(found.log_probability_change).max() > 0.01
    is_number = opened.model.info.link == "identity"
    assert found.probability == pytest.approx(whole if is_number else math.exp(whole), abs=ALIKE)
    assert bool(np.isnan(found.divergence).all()) is is_number
    assert is_number or found.divergence.min() >= 0
    (effect, *_) = (
        each
        for each in effects(opened.model, TEXT, ablate(0, 1, next(iter(opened.model.info.layers))), text_pair=PAIR)
        if each.position in (None, opened.asked.get("position"))
    )
    if opened.asked == {"label": effect.tokens[0].id}:
        assert effect.tokens[0].log_probability_change == pytest.approx(found.log_probability_change[0, 1], abs=ALIKE)


@pytest.mark.parametrize("opened", ["class", "tag", "end", "decoder-class"], indirect=True)
def test_integrated_gradients_add_up_to_what_a_layers_attention_changes(opened: Opened) -> None:
    kind = next(iter(opened.model.info.layers))
    (found,) = integrated_gradients(opened.model, TEXT, PAIR, layers=[(kind, 2)], measure="log_probability", **opened.asked)
    with torch.inference_mode():
        own = opened.value(opened.plain(**opened.inputs))
    assert found.value == pytest.approx(own, abs=10 * ALIKE)
    assert abs(found.incompleteness) < 0.01


# ---------------------------------------------------------------- direct logit attribution
@pytest.mark.parametrize("opened", ["last-class", "last-tag", "decoder-start", "decoder-class"], indirect=True)
def test_a_logit_is_the_sum_of_its_parts(opened: Opened) -> None:
    found = direct_logit_attribution(opened.model, TEXT, PAIR, **opened.asked)
    with torch.inference_mode():
        assert found.logit == pytest.approx(float(opened.logit_of(opened.plain(**opened.inputs))), abs=ALIKE)
    assert abs(found.remainder) <= allowed.of_logits([part.contribution for part in found.parts], opened.model)
    best = direct_logit_attribution(opened.model, TEXT, PAIR)
    assert abs(best.remainder) <= allowed.of_logits([part.contribution for part in best.parts], opened.model)


@pytest.mark.parametrize("opened", ["last-class"], indirect=True)
def test_a_heads_part_is_what_the_score_makes_of_its_output(opened: Opened) -> None:
    """By hand: the head's output at the last token, through the final norm at its length there, times the label's weights."""
    plain, seen = opened.plain, {}
    projection = plain.transformer.h[1].attn.c_proj
    hooks = [
        projection.register_forward_pre_hook(lambda _, args: seen.update(mixed=args[0][0, -1])),
        plain.transformer.ln_f.register_forward_pre_hook(lambda _, args: seen.update(stream=args[0][0, -1])),
    ]
    with torch.inference_mode():
        plain(**opened.inputs)
        norm = plain.transformer.ln_f
        length = (seen["stream"].var(unbiased=False) + norm.eps).sqrt()
        parts = [
            seen["mixed"][head * 16 : (head + 1) * 16] @ projection.weight[head * 16 : (head + 1) * 16] for head in range(4)
        ]
        expected = [float((part - part.mean()) / length * norm.weight @ plain.score.weight[0]) for part in parts]
    for hook in hooks:
        hook.remove()
    found = direct_logit_attribution(opened.model, TEXT, PAIR, label=0).heads("decoder")[1]
    np.testing.assert_allclose(found, expected, atol=ALIKE, rtol=10 * ALIKE)


@pytest.mark.parametrize("opened", ["class", "tag", "start", "two-stacks"], indirect=True)
def test_what_is_no_sum_is_refused(opened: Opened) -> None:
    with pytest.raises(HeadscopeError) as error:
        direct_logit_attribution(opened.model, TEXT, PAIR, **opened.asked)
    assert error.value.code == "analysis_undefined"


def test_a_head_that_is_not_linear_is_refused(tmp_path: Path) -> None:
    for pooling in ("cls", "mean"):
        folder = write(tmp_path / pooling, "ModernBertForSequenceClassification", num_labels=3, classifier_pooling=pooling)
        with pytest.raises(HeadscopeError) as error:
            direct_logit_attribution(load_model(str(folder), device="cpu", dtype="float32"), TEXT)
        assert error.value.code == "analysis_undefined"


# ---------------------------------------------------------------- what is asked for
@pytest.mark.parametrize("opened", ["class", "tag", "start"], indirect=True)
def test_tokens_owe_and_are_hidden_for_any_target(opened: Opened) -> None:
    record = opened.model.capture(TEXT, PAIR)
    asked = Target(opened.asked.get("position"), None, opened.asked.get("label"), opened.asked.get("span"))
    found = token_attribution(opened.model, record, asked)
    whole = gradient_attention(opened.model, TEXT, PAIR, positive=True, **opened.asked)
    assert found.predicted == whole.target
    np.testing.assert_allclose(found.source, whole.attributions["encoder"].sum(axis=(0, 1, 2)), rtol=ALIKE)
    *_, hidden = forbid_keys(opened.model, Question(TEXT, PAIR, **opened.asked))
    assert hidden.divergence.shape == (len(found.ids),)


@pytest.mark.parametrize(
    ("opened", "wrong", "code"),
    [
        ("class", {"token": 3}, "bad_option"),
        ("class", {"position": 3}, "bad_option"),
        ("class", {"span": "start"}, "bad_option"),
        ("class", {"label": "happy"}, "unknown_label"),
        ("class", {"label": 3}, "unknown_label"),
        ("tag", {"position": 99}, "no_such_position"),
        ("tag", {"span": "end"}, "bad_option"),
        ("start", {"span": "start", "position": 2}, "no_such_answer"),
        ("start", {"span": "middle"}, "bad_option"),
        ("start", {"label": 0}, "bad_option"),
    ],
    indirect=["opened"],
)
def test_a_target_of_another_kind_is_refused(opened: Opened, wrong: dict[str, Any], code: str) -> None:
    for explain in (
        lambda: gradient_attention(opened.model, TEXT, PAIR, **wrong),
        lambda: list(ablate_heads(opened.model, Question(TEXT, PAIR, **wrong))),
    ):
        with pytest.raises(HeadscopeError) as error:
            explain()
        assert error.value.code == code


@pytest.mark.parametrize(
    ("opened", "options", "said"),
    [
        ("class", ["--label", "label 2"], {"label": "label 2", "label_id": 2, "position": None}),
        ("tag", ["--label", "B-PER", "--at", "sat"], {"label": "B-PER", "position": 3}),
        ("end", ["--span", "end", "--at", "12"], {"span": "end", "position": 12}),
        ("number", [], {"label": "score"}),
    ],
    indirect=["opened"],
)
def test_the_command_line_sweeps_any_target(
    opened: Opened, options: list[str], said: dict[str, Any], capsys: pytest.CaptureFixture
) -> None:
    arguments = ["sweep", "--model", opened.model.info.source, "--text", TEXT, "--pair", PAIR, *options]
    assert main([*arguments, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data.items() >= said.items()
    *_, found = ablate_heads(opened.model, Question(TEXT, PAIR, **opened.asked))
    np.testing.assert_allclose(np.array(data["log_probability_change"]), found.log_probability_change, atol=ALIKE)
    assert main([*arguments, "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 4
    assert "nan" not in out
    assert main([*arguments, "--at", "nowhere"]) == 2
