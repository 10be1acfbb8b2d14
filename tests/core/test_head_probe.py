"""Heads on a probe: a model whose heads were made by hand to do what they are called, and plain transformers' own weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, GPT2Config, GPT2LMHeadModel

from headscope.core import load_model, wrap_model
from headscope.core.analyse import head_probe
from headscope.core.analyse.probing import drawn_tokens
from headscope.core.analyse.records.head_types import PROBE_METRICS
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job, Progress
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.probe import ProbeRequest
from tests import allowed
from tests.word_level import word_level

N_WORDS, N_POSITIONS = 16, 24
WIDTH = 2 * N_WORDS + N_POSITIONS
"""Which token stands here, which stood before, and where: one number each."""
TOKEN, BEFORE, PLACE = slice(0, N_WORDS), slice(N_WORDS, 2 * N_WORDS), slice(2 * N_WORDS, WIDTH)
SHARP = 20.0


def hand_made() -> GPT2LMHeadModel:
    """Heads 0.0 previous token, 0.1 equal tokens, 1.0 induction (it reads what 0.0 wrote), 1.1 all that it sees alike."""
    config = GPT2Config(vocab_size=N_WORDS, n_positions=N_POSITIONS, n_embd=WIDTH, n_layer=2, n_head=2, n_inner=4)
    model, side = GPT2LMHeadModel(config), WIDTH // 2
    with torch.no_grad():
        for block in model.transformer.h:
            for part in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj):
                part.weight.zero_()
                part.bias.zero_()
        model.transformer.wte.weight.zero_()[:, TOKEN] = torch.eye(N_WORDS)
        model.transformer.wpe.weight.zero_()[:, PLACE] = torch.eye(N_POSITIONS)

        def attend(layer: int, head: int, queries: slice, keys: slice, of_queries: torch.Tensor) -> None:
            weight = model.transformer.h[layer].attn.c_attn.weight
            n, start = of_queries.shape[1], head * side
            weight[queries, start : start + n] = SHARP * of_queries
            weight[keys, WIDTH + start : WIDTH + start + n] = torch.eye(n)

        attend(0, 0, PLACE, PLACE, torch.eye(N_POSITIONS).roll(1, 0))  # a query asks for the place before its own
        attend(0, 1, TOKEN, TOKEN, torch.eye(N_WORDS))
        attend(1, 0, TOKEN, BEFORE, torch.eye(N_WORDS))
        first = model.transformer.h[0].attn
        first.c_attn.weight[TOKEN, 2 * WIDTH : 2 * WIDTH + N_WORDS] = torch.eye(N_WORDS)
        first.c_proj.weight[:N_WORDS, BEFORE] = 0.2 * torch.eye(N_WORDS)  # a layer norm has made about 5 of each 1
    return model.eval()


@pytest.fixture
def made():
    with wrap_model(hand_made(), word_level()) as model:
        yield model


def test_heads_that_were_made_by_hand_have_the_scores_they_were_made_for(made) -> None:
    probe = head_probe(made, length=10, seed=3)
    assert (probe.length, probe.repeats, probe.seed, probe.kind) == (10, 2, 3, "decoder")
    even = 1 / np.arange(1, 22)  # of query i, after the token that begins every text
    expected = {
        "probe_previous": [[1, np.nan], [np.nan, even[1:].mean()]],
        "probe_duplicate": [[0, 0.5], [0, even[11:].mean()]],
        "probe_induction": [[0, 0], [1, even[11:].mean()]],
    }
    for metric, scores in expected.items():
        told = ~np.isnan(scores)
        np.testing.assert_allclose(
            probe.scores[metric][told], np.array(scores)[told], atol=4 * allowed.of_sums(), err_msg=metric
        )
    assert probe.type_of((0, 0)) == "previous"
    assert probe.type_of((1, 0)) == "induction"
    assert probe.type_of((1, 1)) == "broad"


def test_the_text_is_random_tokens_repeated_in_the_models_own_frame(made) -> None:
    probe = head_probe(made, length=6, repeats=3)
    tokens = probe.tokens.tokens
    assert (tokens[0].text, tokens[0].special, len(tokens)) == ("[PAD]", True, 19)
    ids = [token.id for token in tokens[1:]]
    assert ids[:6] == ids[6:12] == ids[12:]
    assert len(set(ids)) == 6
    assert not any(token.special or token.masked or token.unknown for token in tokens[1:])
    assert [token.id for token in head_probe(made, length=6, repeats=3).tokens.tokens[1:]] == ids, "the same seed"
    assert [token.id for token in head_probe(made, length=6, repeats=3, seed=1).tokens.tokens[1:]] != ids


def test_each_ordinary_token_can_be_drawn_and_nothing_else(made) -> None:
    tokenizer = made.tokenizer
    assert set(drawn_tokens(tokenizer, 1000, 0)) == set(range(3, N_WORDS))  # [UNK], [PAD], [MASK] come first
    assert set(drawn_tokens(load_model("toy:grammar", device="cpu").tokenizer, 10_000, 0)).isdisjoint(
        load_model("toy:grammar", device="cpu").encode("[MASK]")[0].ids
    )


def test_a_probe_is_no_longer_than_the_model_and_its_vocabulary_have_room_for(made) -> None:
    assert head_probe(made, length=25).length == (N_POSITIONS - 1) // 2
    assert head_probe(load_model("toy:tales", device="cpu")).length == 25


# ---------------------------------------------------------------- beside plain transformers
def plain_scores(attentions: list[np.ndarray], ids: list[int], special: list[bool]) -> dict[str, np.ndarray]:
    """(n_layers, n_heads) of each score, a query at a time, from (n_heads, n, n) of each layer."""
    found = {metric: np.zeros((len(attentions), attentions[0].shape[0])) for metric in PROBE_METRICS}
    for layer, weights in enumerate(attentions):
        for head, matrix in enumerate(weights):
            rows: dict[str, list[float]] = {metric: [] for metric in PROBE_METRICS}
            for i, row in enumerate(matrix):
                if i > 0:
                    rows["probe_previous"].append(row[i - 1])
                earlier = [j for j in range(i) if ids[j] == ids[i] and not special[i]]
                if earlier:
                    rows["probe_duplicate"].append(sum(row[j] for j in earlier))
                    rows["probe_induction"].append(sum(row[j + 1] for j in earlier))
            for metric, values in rows.items():
                found[metric][layer, head] = np.mean(values)
    return found


@pytest.mark.parametrize(("family", "kind"), [("gpt2", AutoModelForCausalLM), ("bert", AutoModelForMaskedLM)])
def test_scores_are_those_of_plain_transformers_own_weights(originals: Path, family: str, kind: type) -> None:
    probe = head_probe(load_model(originals / family, device="cpu"), length=8, repeats=3, seed=5)
    tokens = probe.tokens.tokens
    plain = kind.from_pretrained(originals / family, attn_implementation="eager").eval()
    with torch.inference_mode():
        ids = torch.tensor([[token.id for token in tokens]])
        attentions = [each[0].double().numpy() for each in plain(ids, output_attentions=True).attentions]
    expected = plain_scores(attentions, ids[0].tolist(), [token.special for token in tokens])
    for metric in PROBE_METRICS:
        np.testing.assert_allclose(probe.scores[metric], expected[metric], atol=4 * allowed.of_sums(), err_msg=metric)


# ---------------------------------------------------------------- what cannot be, and the lane
def test_what_cannot_be_probed_says_so(made, originals: Path) -> None:
    with pytest.raises(HeadscopeError) as refused:
        head_probe(load_model(originals / "t5", device="cpu"))
    assert refused.value.code == "cannot_probe"
    with pytest.raises(HeadscopeError) as refused:
        head_probe(made, repeats=9)  # room for two tokens
    assert refused.value.code == "cannot_probe"
    for options in ({"length": 2}, {"repeats": 1}, {"length": -1}, {"seed": -1}, {"repeats": 10**9}):
        with pytest.raises(HeadscopeError) as refused:
            head_probe(made, **options)
        assert refused.value.code == "bad_option"


def test_the_engine_measures_the_model_that_it_has_and_says_how_far_it_is(originals: Path) -> None:
    engine, said = Engine(), []
    engine.handle(LoadRequest(str(originals / "gpt2")), Job(), said.append)
    reports: list[Progress] = []
    probe = engine.handle(ProbeRequest(length=8, seed=5), Job(report=reports.append), said.append)
    expected = head_probe(load_model(originals / "gpt2", device="cpu"), length=8, seed=5)
    for metric in PROBE_METRICS:
        np.testing.assert_array_equal(probe.scores[metric], expected.scores[metric])
    n_layers = len(probe.values["entropy"])
    assert [report.fraction for report in reports] == [None, *(layer / n_layers for layer in range(1, n_layers + 1))]
    assert {report.stage for report in reports} == {"measuring"}


def test_it_ends_when_it_is_cancelled(made) -> None:
    cancel = Cancel()

    def report(progress: Progress) -> None:
        if progress.fraction is not None:
            cancel.set()

    with pytest.raises(Cancelled):
        head_probe(made, length=6, job=Job(report, cancel))
