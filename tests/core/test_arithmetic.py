"""Every number on the way to a weight is the model's own: compared with what hooks see inside it, and with its eager attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.analyse.records.arithmetic_numbers import Arithmetic, Working
from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.intervention import Cut, Intervention
from headscope.core.attention.kept import owned
from headscope.core.attention.record import AttentionRecord
from headscope.core.engine.engine import Engine
from headscope.core.forward import budget
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.keep import Keep
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.numerics import logit_tolerance, softmax_tolerance
from headscope.core.requests.cells import ArithmeticRequest
from headscope.core.text.tokens import Units
from headscope.core.vocabulary import Kind
from tests import allowed
from tests.golden.families import FAMILIES, GROUPED, SIZES, Family, built
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

TEXT = "the cat sat on a mat"
WRITE = {"encoder": write_masked, "decoder": write_decoder, "encoder-decoder": write_encoder_decoder}
ROTATED = (
    Family("gpt-neox", lambda: hf.GPTNeoXForCausalLM(hf.GPTNeoXConfig(**_without_groups(), rotary_pct=0.5)), "decoder"),
    Family("cohere", lambda: hf.CohereForCausalLM(hf.CohereConfig(**GROUPED)), "decoder"),
    Family("glm", lambda: hf.GlmForCausalLM(hf.GlmConfig(**GROUPED, head_dim=16)), "decoder"),
)
EVERY = (
    "bert",
    "gpt2",
    "llama-grouped",
    "mistral-sliding",
    "t5",
    "gemma2-softcap",
    "gpt-oss-sinks",
    "gpt-neox",
    "cohere",
    "glm",
)


def _without_groups() -> dict:
    return {name: value for name, value in GROUPED.items() if name != "num_key_value_heads"}


@dataclass
class Seen:
    """A model, its run, and what hooks saw of the same pass: the output of each module by its name."""

    name: str
    model: Model
    record: AttentionRecord
    eager: dict[Kind, list[torch.Tensor]]
    outputs: dict[str, torch.Tensor]

    def at(self, layer: int, head: int, query: int, key: int, kind: Kind | None = None) -> Working:
        working = self.all_of(layer, head, query, key, kind).working
        assert working is not None
        return working

    def all_of(self, layer: int, head: int, query: int, key: int, kind: Kind | None = None) -> Arithmetic:
        return asked(self.record, layer, head, query, key, kind)

    def heads_of(self, module: str, n_heads: int) -> torch.Tensor:
        """A projection's output cut into heads: (n_heads, n_tokens, d_head)."""
        return self.outputs[module][0].unflatten(-1, (n_heads, -1)).transpose(0, 1)


def asked(record: AttentionRecord, layer: int, head: int, query: int, key: int, kind: Kind | None = None) -> Arithmetic:
    answer = Engine().handle_record(
        ArithmeticRequest(record, kind or record.kinds[0], layer, head, query, key), Job(), lambda _: None
    )
    assert isinstance(answer, Arithmetic)
    return answer


def look_into(family: Family, folder: Path, text: str = TEXT, **options: object) -> Seen:
    WRITE[family.form](folder)
    built(family).save_pretrained(folder)
    model = load_model(str(folder), device="cpu", dtype="float32")
    target = "a mat" if family.form == "encoder-decoder" else None
    run = model.run(text, None, target, **options)
    inputs = model.inputs(*model.encode(text, None, target))
    outputs: dict[str, torch.Tensor] = {}

    def note(name: str, output: torch.Tensor) -> None:
        outputs.setdefault(name, output)

    hooks = [
        part.register_forward_hook(lambda _part, _args, output, name=name: note(name, output))
        for name, part in model.module.named_modules()
    ]
    model.forward(inputs)
    for hook in hooks:
        hook.remove()
    return Seen(family.name, model, run.record, model.eager_attentions(inputs), outputs)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Seen]:
    """Looks into a model of a family, once."""
    kept: dict[str, Seen] = {}

    def one(name: str) -> Seen:
        if name not in kept:
            family = next(family for family in (*FAMILIES, *ROTATED) if family.name == name)
            kept[name] = look_into(family, tmp_path_factory.mktemp(name))
        return kept[name]

    return one


@pytest.mark.parametrize("name", EVERY)
def test_each_weight_is_that_of_the_models_own_eager_attention(seen: Callable[[str], Seen], name: str) -> None:
    found = seen(name)
    for kind, layers in found.eager.items():
        for layer, head in product(range(len(layers)), (0, 3)):
            own = layers[layer][0, head]
            rounding = allowed.of_weights(own, found.model)
            for query, key in ((0, 0), (own.shape[0] - 1, 0), (own.shape[0] - 1, own.shape[1] - 1), (1, 2), (3, 1)):
                answer = found.all_of(layer, head, query, key, kind)
                softmax = answer.working.softmax
                assert abs(softmax.weight - float(own[query, key])) <= rounding
                assert answer.working.difference <= rounding
                assert answer.working.is_rounding
                assert answer.weight == answer.token_weight
                assert answer.weight == pytest.approx(found.record.cell(layer, head, query, key, kind), abs=rounding)


@pytest.mark.parametrize("name", EVERY)
def test_each_step_follows_from_the_one_before(seen: Callable[[str], Seen], name: str) -> None:
    found = seen(name)
    kind = found.record.kinds[-1]
    working = found.at(1, 2, 4, 3, kind)
    softmax = working.softmax
    assert softmax.dot == pytest.approx(working.products.sum(), abs=allowed.of_doubles(abs(working.products).sum()))
    assert softmax.scaled == pytest.approx(softmax.dot * softmax.scale)
    assert softmax.exponential == pytest.approx(math.exp(softmax.score - softmax.largest))
    assert softmax.weight == pytest.approx(softmax.exponential / softmax.row_sum)
    row = [found.at(1, 2, 4, key, kind).softmax for key in range(len(found.record.axis(kind).keys))]
    sink = 0 if softmax.sink is None else math.exp(softmax.sink - softmax.largest)
    assert softmax.row_sum == pytest.approx(sum(cell.exponential for cell in row) + sink)
    assert softmax.largest == max([cell.score for cell in row] + ([] if softmax.sink is None else [softmax.sink]))
    assert softmax.n_seen == sum(cell.hidden is None for cell in row)
    if softmax.largest_at is not None:
        assert row[softmax.largest_at].score == softmax.largest


def test_a_berts_query_and_key_are_the_outputs_of_its_projections(seen: Callable[[str], Seen]) -> None:
    found = seen("bert")
    working = found.at(1, 2, 3, 5)
    place = "bert.encoder.layer.1.attention.self"
    np.testing.assert_array_equal(working.q, found.heads_of(f"{place}.query", 4)[2, 3].double())
    np.testing.assert_array_equal(working.k, found.heads_of(f"{place}.key", 4)[2, 5].double())
    assert (working.softmax.root, working.softmax.scale) == (16, 0.25)
    assert working.rotated is None and working.softmax.bias is None and working.softmax.cap is None
    assert (working.key_head, working.shared_by) == (2, range(2, 3))


def test_a_gpt2s_query_and_key_are_parts_of_one_projection_and_later_keys_are_hidden(seen: Callable[[str], Seen]) -> None:
    found = seen("gpt2")
    query, key, _ = found.outputs["transformer.h.2.attn.c_attn"][0].split(64, dim=-1)
    working = found.at(2, 1, 4, 2)
    np.testing.assert_array_equal(working.q, query[4, 16:32].double())
    np.testing.assert_array_equal(working.k, key[2, 16:32].double())
    later = found.at(2, 1, 2, 4).softmax
    assert (later.hidden, later.score, later.exponential, later.weight, later.n_seen) == ("later", -math.inf, 0, 0, 3)


@pytest.mark.parametrize("name", ["llama-grouped", "mistral-sliding", "cohere", "glm", "gpt-neox", "gpt-oss-sinks"])
def test_before_rotation_query_and_key_are_the_outputs_of_their_projections(seen: Callable[[str], Seen], name: str) -> None:
    found = seen(name)
    layer, head, query, key = 1, 3, 9, 4
    if name == "gpt-neox":  # q, k and v of each head side by side
        fused = found.heads_of("gpt_neox.layers.1.attention.query_key_value", 4)[head]
        q, k = fused[query, :16], fused[key, 16:32]
    else:
        q = found.heads_of(f"model.layers.{layer}.self_attn.q_proj", 4)[head, query]
        k = found.heads_of(f"model.layers.{layer}.self_attn.k_proj", 2)[head // 2, key]
        assert found.at(layer, head, query, key).shared_by == range(2, 4)
    working = found.at(layer, head, query, key)
    assert isinstance(working.rotated, tuple)
    for rotated, projected, after in zip(working.rotated, (q, k), (working.q, working.k), strict=True):
        assert allowed.difference(rotated.before, projected) <= allowed.of_logits(projected)
        assert np.abs(rotated.before - after).max() > 0.1, "it was turned"
        assert rotated.difference <= allowed.of_logits(projected)


@pytest.mark.parametrize(
    ("name", "n_rotated", "partner"), [("llama-grouped", 16, 8), ("gpt-neox", 8, 4), ("cohere", 16, 1), ("glm", 8, 1)]
)
def test_each_pair_is_turned_by_its_angle_times_the_position(
    seen: Callable[[str], Seen], name: str, n_rotated: int, partner: int
) -> None:
    found = seen(name)
    theta, working = found.model.module.config.rope_parameters["rope_theta"], found.at(0, 0, 7, 3)
    assert isinstance(working.rotated, tuple)
    for rotated, after, position in zip(working.rotated, (working.q, working.k), (7, 3), strict=True):
        assert rotated.partners[0] == partner and rotated.partners[partner] == 0
        frequencies = theta ** (-np.arange(0, n_rotated, 2) / n_rotated)
        expected = (position * frequencies + np.pi) % (2 * np.pi) - np.pi
        firsts = np.flatnonzero(rotated.partners > np.arange(16))
        np.testing.assert_allclose(rotated.angles[firsts], expected, atol=allowed.of_sums(2, position))
        np.testing.assert_array_equal(rotated.angles[rotated.partners], rotated.angles)
        np.testing.assert_array_equal(rotated.partners[n_rotated:], np.arange(n_rotated, 16))
        np.testing.assert_array_equal(rotated.before[n_rotated:], after[n_rotated:])
        one, other = firsts[1], rotated.partners[firsts[1]]
        angle = rotated.angles[one]
        x, y = rotated.before[one], rotated.before[other]
        rounding = allowed.of_sums(2, position + abs(x) + abs(y))
        assert after[one] == pytest.approx(x * np.cos(angle) - y * np.sin(angle), abs=rounding)
        assert after[other] == pytest.approx(y * np.cos(angle) + x * np.sin(angle), abs=rounding)


def test_where_the_rotation_was_not_watched_it_is_not_guessed(tmp_path: Path) -> None:
    sizes = {**GROUPED, "head_dim": 16}
    normed = Family("hunyuan", lambda: hf.HunYuanDenseV1ForCausalLM(hf.HunYuanDenseV1Config(**sizes)), "decoder")
    assert look_into(normed, tmp_path / "normed").at(0, 0, 5, 2).rotated == "unseen", "its norms come behind the rotation"
    some = Family("smollm3", lambda: hf.SmolLM3ForCausalLM(hf.SmolLM3Config(**GROUPED, no_rope_layers=[1, 0, 1])), "decoder")
    found = look_into(some, tmp_path / "some")
    assert [isinstance(found.at(layer, 0, 5, 2).rotated, tuple) for layer in range(3)] == [True, False, True]
    assert found.at(1, 0, 5, 2).rotated is None, "this layer has no positions"
    sizes = {**_without_groups(), "q_lora_rank": None, "kv_lora_rank": 16, "v_head_dim": 16, "num_key_value_heads": 4}
    sizes |= {"qk_rope_head_dim": 8, "qk_nope_head_dim": 16, "n_routed_experts": 4, "first_k_dense_replace": 3}
    for interleaved in (True, False):
        config = hf.DeepseekV3Config(**sizes, n_group=1, topk_group=1, rope_interleave=interleaved)
        deep = Family("deepseek", partial(hf.DeepseekV3ForCausalLM, config), "decoder")
        inside = look_into(deep, tmp_path / f"deep{interleaved}")
        rotated = inside.at(1, 2, 9, 3).rotated
        if interleaved:
            assert rotated == "unseen", "its function changes the order of the dimensions too"
        else:
            projected = inside.heads_of("model.layers.1.self_attn.q_proj", 4)[2, 9]
            assert allowed.difference(rotated[0].before, projected) <= allowed.of_logits(projected), (
                "the last dimensions alone are turned"
            )
            np.testing.assert_array_equal(rotated[0].partners[:16], np.arange(16))
    *_, last = found.model.generate("the cat", max_new_tokens=2)
    assert asked(last.record, 0, 0, 5, 2).working.rotated == "unseen", "of a text that grew, not all tables are kept"
    assert asked(last.record, 0, 0, 5, 2).working.is_rounding
    *_, last = found.model.beam_search("the cat", n_beams=2, max_new_tokens=2)
    beam = asked(last.best.steps[-1].record, 0, 0, 5, 2)
    assert beam.working.rotated == "unseen" and beam.working.is_rounding
    assert beam.working.is_rounding


def test_watching_leaves_the_models_file_as_it_was(seen: Callable[[str], Seen]) -> None:
    from transformers.models.llama import modeling_llama

    before = modeling_llama.apply_rotary_pos_emb
    seen("llama-grouped").model.capture("the cat")
    assert modeling_llama.apply_rotary_pos_emb is before
    assert not hasattr(before, "__wrapped__")


@torch.inference_mode()
def test_a_t5s_position_bias_is_added_to_scores_without_a_scale(seen: Callable[[str], Seen]) -> None:
    found = seen("t5")
    bias = found.model.module.encoder.block[0].layer[0].SelfAttention.compute_bias(30, 30)[0]
    softmax = found.at(1, 2, 3, 7, "encoder").softmax
    assert (softmax.scale, softmax.root) == (1.0, None)
    assert softmax.bias == pytest.approx(float(bias[2, 3, 7]))
    assert softmax.score == pytest.approx(softmax.dot + softmax.bias)
    crossed = found.at(1, 2, 3, 7, "cross")
    np.testing.assert_array_equal(crossed.q, found.heads_of("decoder.block.1.layer.1.EncDecAttention.q", 4)[2, 3].double())
    np.testing.assert_array_equal(crossed.k, found.heads_of("decoder.block.1.layer.1.EncDecAttention.k", 4)[2, 7].double())
    assert crossed.softmax.hidden is None and crossed.softmax.window is None


def test_a_soft_cap_bends_the_scores(seen: Callable[[str], Seen]) -> None:
    softmax = seen("gemma2-softcap").at(1, 1, 6, 5).softmax
    assert softmax.cap == 5.0
    assert softmax.capped == pytest.approx(5 * math.tanh(softmax.scaled / 5))
    assert softmax.score == softmax.capped != softmax.scaled


@torch.inference_mode()
def test_a_sink_takes_its_part_of_the_row(seen: Callable[[str], Seen]) -> None:
    found = seen("gpt-oss-sinks")
    sink = float(found.model.module.model.layers[1].self_attn.sinks[2])
    softmax = found.at(1, 2, 0, 0).softmax
    assert softmax.sink == pytest.approx(sink)
    assert softmax.weight == pytest.approx(math.exp(softmax.score) / (math.exp(softmax.score) + math.exp(sink)))
    assert softmax.largest == max(softmax.score, sink)
    assert softmax.largest_at == (0 if softmax.score > sink else None)


def test_a_window_of_an_encoder_reaches_to_both_sides(tmp_path: Path) -> None:
    config = hf.ModernBertConfig(**SIZES, pad_token_id=0, cls_token_id=1, sep_token_id=2, local_attention=8)
    found = look_into(Family("modernbert", partial(hf.ModernBertForMaskedLM, config), "encoder"), tmp_path, TEXT * 3)
    softmax = found.at(1, 0, 8, 13).softmax
    assert (softmax.hidden, softmax.sees, softmax.window) == ("mask", range(4, 13), None)
    assert found.at(1, 0, 8, 12).softmax.hidden is None
    assert found.at(0, 0, 8, 13).softmax.hidden is None, "every third layer sees all"


def test_a_window_hides_what_lies_before_it(seen: Callable[[str], Seen]) -> None:
    found = seen("mistral-sliding")
    before, first, later = (found.at(0, 0, 12, key).softmax for key in (4, 5, 13))
    assert (before.hidden, first.hidden, later.hidden) == ("window", None, "later")
    assert {cell.window for cell in (before, first, later)} == {8} and first.n_seen == 8
    carried = found.at(0, 0, 12, 4).carried
    assert carried.norm == 0 and not carried.strongest
    assert found.at(0, 0, 6, 2).softmax.window is None, "of an early query nothing is hidden by it"


@torch.inference_mode()
@pytest.mark.parametrize("name", EVERY)
def test_what_is_carried_adds_up_to_what_the_layer_puts_out(seen: Callable[[str], Seen], name: str) -> None:
    """Summed over the keys, α·v is the head's output, which the output projection was given."""
    found = seen(name)
    kind = found.record.kinds[0]
    layer, _ = found.record.captured(1, 2, kind)
    linear = [part for part in found.model.module.modules() if type(part).__name__ in ("Linear", "Conv1D")]
    weights = {part: part.weight.T if isinstance(part, torch.nn.Linear) else part.weight for part in linear}
    (projection,) = [part for part, weight in weights.items() if torch.equal(weight, layer.output_weights)]
    given: list[torch.Tensor] = []
    hook = projection.register_forward_pre_hook(lambda _part, args: given.append(args[0]))
    found.model.forward(found.model.inputs(*found.model.encode(TEXT, None, "a mat" if name == "t5" else None)))
    hook.remove()
    cells = [found.at(1, 2, 5, key, kind) for key in range(len(found.record.axis(kind).keys))]
    total = sum(cell.softmax.weight * cell.carried.value for cell in cells)
    own = given[0][0, 5, 32:48]
    assert allowed.difference(total, own) <= allowed.of_logits(own)
    cell = cells[3]
    alone = torch.zeros_like(given[0][:1, :1])
    alone[..., 32:48] = torch.from_numpy(cell.softmax.weight * cell.carried.value)
    vector = (projection(alone) - projection(torch.zeros_like(alone)))[0, 0].double().numpy()
    assert cell.carried.norm == pytest.approx(np.linalg.norm(vector), abs=allowed.of_logits(vector))
    largest = np.argsort(-np.abs(vector))[:5]
    assert [dimension for dimension, _ in cell.carried.strongest] == list(largest)
    strongest = [number for _, number in cell.carried.strongest]
    assert allowed.difference(strongest, vector[largest]) <= allowed.of_logits(vector)


def test_values_are_kept_for_the_screen_while_they_take_little(
    seen: Callable[[str], Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = seen("llama-grouped").model
    assert asked(model.capture(TEXT), 0, 0, 3, 1).working.carried is None, "nobody looks at it"
    monkeypatch.setattr(budget, "_MOST_VALUE_BYTES", 1000)
    assert asked(model.run(TEXT).record, 0, 0, 3, 1).working.carried is None


def test_output_projections_are_copied_once_while_they_stay_as_they_are_and_not_where_memory_is_short(
    seen: Callable[[str], Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = seen("llama-grouped").model
    one, two = (model.run(TEXT).record.captured(0, 0, "decoder")[0].output_weights for _ in range(2))
    assert one is two
    with torch.no_grad():
        model.module.model.layers[0].self_attn.o_proj.weight.add_(0.125)
    changed = model.run(TEXT).record.captured(0, 0, "decoder")[0].output_weights
    assert allowed.difference(changed, one + 0.125) <= allowed.of_sums(2)
    monkeypatch.setattr(owned, "free_memory", lambda _device: 1000)
    with torch.no_grad():
        model.module.model.layers[0].self_attn.o_proj.weight.sub_(0.125)
    carried = asked(model.run(TEXT).record, 0, 0, 3, 1).working.carried
    assert carried is not None and carried.norm is None and not carried.strongest
    assert carried.value.shape == (16,)


def test_a_cell_of_words_shows_its_strongest_pair_of_pieces(tmp_path: Path) -> None:
    family = next(family for family in FAMILIES if family.name == "bert")
    record = look_into(family, tmp_path, "the walked playing playing cat").record
    words = record.in_units(Units(of="words", special="renormalised"))
    query, key = (axis.labels.index(word) for axis, word in zip(words.axis("encoder"), ("walked", "playing"), strict=True))
    answer = asked(words, 1, 2, query, key)
    rows, columns = words.axis("encoder").queries.pieces[query], words.axis("encoder").keys.pieces[key]
    tokens = record.attention_weights(1, 2)
    part = tokens[rows.start : rows.stop, columns.start : columns.stop]
    row, column = np.unravel_index(part.argmax(), part.shape)
    assert (answer.query, answer.key) == (rows[row], columns[column])
    rounding = allowed.of_weights(tokens)  # the same product in another block
    assert answer.token_weight == pytest.approx(part.max(), abs=rounding)
    assert (answer.n_queries, answer.n_keys, answer.renormalised) == (2, 2, True)
    left = tokens[rows.start : rows.stop, 1:-1].sum(axis=1)
    assert answer.weight == pytest.approx((part.sum(axis=1) / left).mean(), abs=float(rounding / left.min()))
    assert answer.working.softmax.weight == pytest.approx(part.max(), abs=rounding)


def test_an_edited_weight_is_shown_beside_what_it_was(seen: Callable[[str], Seen]) -> None:
    found = seen("gpt2")
    cut = Intervention((Cut(layer=1, head=2, queries=(4,), keys=(3,)),))
    answer = asked(found.model.run(TEXT, intervention=cut).record, 1, 2, 4, 3)
    assert answer.edited and answer.weight == 0
    whole = found.record.attention_weights(1, 2)
    assert answer.working.softmax.weight == pytest.approx(whole[4, 3], abs=allowed.of_weights(whole, found.model))
    assert answer.working.is_rounding


def test_where_only_weights_are_known_that_is_all_that_is_answered(tmp_path: Path) -> None:
    bloom = next(family for family in FAMILIES if family.name == "bloom")
    answer = look_into(bloom, tmp_path).all_of(0, 1, 4, 2)
    assert answer.working is None and answer.weight == answer.token_weight > 0
    given = record_of(np.full((1, 1, 2, 2), 0.5, np.float32), ["a", "b"])
    answer = asked(given, 0, 0, 1, 0)
    assert (answer.working, answer.weight) == (None, 0.5)


def test_half_precision_says_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "llama"
    look_into(next(family for family in FAMILIES if family.name == "llama-grouped"), folder)
    model = load_model(str(folder), device="cpu", dtype="bfloat16")
    working = asked(model.run(TEXT).record, 0, 1, 9, 4).working
    assert working.dtype == "bfloat16"
    assert working.is_rounding
    assert isinstance(working.rotated, tuple) and 0 < working.rotated[0].difference < 0.1


@pytest.mark.parametrize("name", ["llama-grouped", "gpt-neox"])
def test_a_record_kept_in_half_precision_is_still_taken_apart(seen: Callable[[str], Seen], name: str) -> None:
    found = seen(name)
    half = asked(found.model.run(TEXT, keep=Keep(half=True)).record, 1, 3, 9, 4).working
    whole = found.at(1, 3, 9, 4)
    assert half.dtype == "float16"
    assert half.softmax.weight == pytest.approx(whole.softmax.weight, abs=softmax_tolerance(16.0, torch.float16, 16))
    assert isinstance(half.rotated, tuple) and isinstance(whole.rotated, tuple)
    before = whole.rotated[0].before
    assert allowed.difference(half.rotated[0].before, before) <= logit_tolerance(torch.float16, 16) * np.abs(before).max()
    np.testing.assert_array_equal(half.rotated[1].angles, whole.rotated[1].angles)


def test_a_cancelled_question_ends(seen: Callable[[str], Seen]) -> None:
    cancel = Cancel()
    cancel.set()
    request = ArithmeticRequest(seen("bert").record, "encoder", 0, 0, 0, 0)
    with pytest.raises(Cancelled):
        Engine().handle_record(request, Job(cancel=cancel), lambda _: None)
    assert replace(request, key=1) != request
