"""Head metrics against their definitions, written out one query at a time, and against patterns whose numbers are known."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from headscope.core.analyse.records.head_metrics import head_metrics
from headscope.core.analyse.records.head_types import METRICS, OF_REST, REST_SHARE, HeadMetrics, head_type, second_type
from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.kept import layer as layers_module
from headscope.core.attention.kept.layer import Layer, LazyLayer
from headscope.core.attention.kept.visibility import Visibility
from headscope.core.attention.record import AttentionRecord
from headscope.core.engine.engine import Engine
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.keep import Keep
from headscope.core.models.load import load_model
from headscope.core.requests.heads import MetricsRequest
from headscope.core.text.tokens import Token, TokenAxis, Units
from tests import allowed

view = Engine().handle_record


def measured(record: AttentionRecord, kind: str | None = None, **options: object) -> HeadMetrics:
    return list(head_metrics(record, kind, **options))[-1]


# ---------------------------------------------------------------- the long way
def brute_force(
    weights: np.ndarray, tokens: tuple[Token, ...], kind: str, visible: np.ndarray, visible_rest: np.ndarray
) -> dict[str, float]:
    """One head's metrics from (n_queries, n_keys) float64, a query at a time; `visible` counts the keys each sees, in all and of
    the rest.
    """
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    text_from = next((place for place, token in enumerate(tokens) if not token.special), len(tokens))
    special = [place for place, token in enumerate(tokens) if token.special]
    ordinary = [place for place, token in enumerate(tokens) if not token.special]
    separator = [place for place in special if place > text_from]
    rest = [place for place in ordinary if place > 0]
    weighted: dict[str, list[tuple[float, float]]] = {metric: [] for metric in OF_REST.values()}
    for i, row in enumerate(weights):
        if row.sum() <= 0:
            continue
        if sum(kind != "decoder" or place <= i for place in rest) > 1:
            found["rest"].append(row[rest].sum())
            of_rest(row, i, tokens, kind, rest, visible_rest[i], weighted)
        shares = row / row.sum()
        entropy = -sum(share * math.log2(share) for share in shares if share > 0)
        found["entropy"].append(entropy)
        if visible[i] > 1:
            found["relative_entropy"].append(entropy / math.log2(visible[i]))
        if ordinary and row[ordinary].max() > 0:
            found["confidence"].append(row[ordinary].max())
        found["first"].append(row[0])
        if special:
            found["special"].append(row[special].sum())
        if separator:
            found["separator"].append(row[separator].sum())
        if kind == "cross":
            continue
        found["distance"].append(sum(share * abs(i - j) for j, share in enumerate(shares)))
        found["same"].append(row[i])
        if i > 0:
            found["previous"].append(row[i - 1])
        if i + 1 < len(row) and kind == "encoder":
            found["next"].append(row[i + 1])
        earlier = [j for j in range(i) if tokens[j].id == tokens[i].id and not tokens[i].special]
        if earlier:
            found["duplicate"].append(sum(row[j] for j in earlier))
            found["induction"].append(sum(row[j + 1] for j in earlier))
    means = {metric: np.mean(values) if values else math.nan for metric, values in found.items()}
    for metric, pairs in weighted.items():
        counts = sum(count for count, _ in pairs)
        means[metric] = sum(count * value for count, value in pairs) / counts if counts > 0 else math.nan
    return means


def of_rest(
    row: np.ndarray,
    i: int,
    tokens: tuple[Token, ...],
    kind: str,
    rest: list[int],
    visible: int,
    weighted: dict[str, list[tuple[float, float]]],
) -> None:
    """Add one query's metrics of its row renormalised without the first token and special ones, each with what it counts."""
    count = row[rest].sum()
    if count <= 0:
        return
    shares = {j: row[j] / count for j in rest}
    entropy = -sum(share * math.log2(share) for share in shares.values() if share > 0)
    values = {"entropy": entropy}
    if visible > 1:
        values["relative_entropy"] = entropy / math.log2(visible)
    if kind != "cross":
        values |= {name: shares[i + step] for name, step in (("previous", -1), ("same", 0)) if i + step in shares}
        if kind == "encoder" and i + 1 in shares:
            values["next"] = shares[i + 1]
        earlier = [j for j in range(i) if tokens[j].id == tokens[i].id and not tokens[i].special]
        for name, step in (("duplicate", 0), ("induction", 1)):
            related = [shares[j + step] for j in earlier if j + step in shares]
            if related:
                values[name] = sum(related)
    for name, value in values.items():
        weighted[OF_REST[name]].append((count, value))


def assert_as_defined(record: AttentionRecord, kind: str) -> None:
    found = measured(record, kind)
    tokens = record.axis(kind).keys.tokens
    for layer in range(record.n_layers(kind)):
        weights = record.layer_weights(layer, kind).astype(float)
        visible = (weights > 0).sum(-1).max(0)
        rest = [place for place, token in enumerate(tokens) if place > 0 and not token.special]
        visible_rest = (weights[..., rest] > 0).sum(-1).max(0)
        for head, matrix in enumerate(weights):
            expected = brute_force(matrix, tokens, kind, visible, visible_rest)
            of_head = found.of((layer, head))
            for metric, value in expected.items():
                within = 4 * allowed.of_sums()
                if metric in OF_REST.values():  # errors of weights are divided by what is left of them
                    within /= min(expected["rest"], 1)
                assert of_head[metric] == pytest.approx(value, abs=within, nan_ok=True), (kind, layer, head, metric)


@pytest.mark.parametrize("units", [Units(), Units("words"), Units("tokens", "hidden"), Units("words", "renormalised")])
def test_an_encoders_heads_are_as_the_definitions_say(units: Units) -> None:
    model = load_model("toy:grammar", device="cpu")
    record = model.capture("the keys near the cabinet [MASK] rusty .", "the cabinet near the keys is old .")
    assert_as_defined(record.in_units(units), "encoder")


def test_a_decoders_heads_are_as_the_definitions_say() -> None:
    text = "once upon a time a brave mouse named Mia lived in a castle . once upon a time a brave mouse"
    assert_as_defined(load_model("toy:tales", device="cpu").capture(text), "decoder")


def test_all_three_kinds_of_an_encoder_decoder_are_as_the_definitions_say(originals: Path) -> None:
    record = load_model(str(originals / "t5"), device="cpu").capture("abcab", target="bacba")
    assert set(record.kinds) == {"encoder", "decoder", "cross"}
    for kind in record.kinds:
        assert_as_defined(record, kind)
    cross = measured(record, "cross")
    nowhere = {metric for metric in METRICS if np.isnan(cross.values[metric]).all()}
    assert nowhere >= {"distance", "previous", "next", "same", "induction", "duplicate"}
    assert not nowhere & {"entropy", "relative_entropy", "confidence", "first"}


# ---------------------------------------------------------------- patterns
REPEATED = ["a", "b", "c", "d", "a", "b", "c", "d"]


def of_pattern(pattern: np.ndarray, tokens: list[str] = REPEATED) -> dict[str, float]:
    return measured(record_of(pattern.astype(np.float32), tokens)).of((0, 0))


def shifted(by: int, n: int = 8) -> np.ndarray:
    """Each query looks at the key so many places before it, those that have none at the first."""
    pattern = np.zeros((n, n))
    pattern[np.arange(n), np.maximum(np.arange(n) - by, 0)] = 1
    return pattern


def test_a_previous_token_head_is_one() -> None:
    found = of_pattern(shifted(1))
    assert (found["previous"], found["entropy"], found["confidence"]) == (1, 0, 1)
    assert found["same"] == pytest.approx(1 / 8)  # the first has no other
    assert found["distance"] == pytest.approx(7 / 8)
    assert math.isnan(found["next"])  # nothing here looks ahead
    assert math.isnan(found["special"])
    assert head_type(found) == "previous"


def test_a_next_token_head_is_one() -> None:
    found = of_pattern(np.eye(8, k=1) + np.diag([0.0] * 7 + [1.0]))
    assert found["next"] == 1
    assert head_type(found) == "next"


def test_a_head_that_looks_at_the_token_itself_is_one() -> None:
    assert head_type(of_pattern(np.eye(8))) == "same"


def test_an_induction_head_looks_behind_the_earlier_occurrence() -> None:
    found = of_pattern(shifted(3))
    assert (found["induction"], found["duplicate"]) == (1, 0)
    assert head_type(found) == "induction"


def test_a_duplicate_token_head_looks_at_the_earlier_occurrence() -> None:
    found = of_pattern(shifted(4))
    assert (found["induction"], found["duplicate"]) == (0, 1)
    assert head_type(found) == "duplicate"


def test_where_no_token_occurs_twice_there_is_neither_induction_nor_a_duplicate() -> None:
    found = of_pattern(shifted(3), [f"t{number}" for number in range(8)])
    assert math.isnan(found["induction"])
    assert math.isnan(found["duplicate"])
    assert head_type(found) == "first"  # four of eight look at it


def test_a_sink_is_told_from_special_tokens_and_those_from_a_sink() -> None:
    axis = TokenAxis(
        (Token("[CLS]", 1, special=True), *(Token("a", 7 + place) for place in range(6)), Token("[SEP]", 2, special=True))
    )
    matrices = {}
    for name, key in (("first", 0), ("special", 7)):
        matrix = np.zeros((8, 8), np.float32)
        matrix[:, key] = 0.8
        matrix[:, 3] += 0.2
        matrices[name] = matrix
    given = record_of(np.stack(list(matrices.values())), ["x"] * 8)
    record = AttentionRecord({"encoder": given._layers["encoder"]}, {"encoder": (axis, axis)}, backend="given")
    found = measured(record)
    assert [found.types[0, head] for head in range(2)] == ["first", "special"]
    assert found.values["special"][0] == pytest.approx([0.8, 0.8])
    assert found.values["separator"][0] == pytest.approx([0, 0.8])
    assert found.values["confidence"][0] == pytest.approx([0.2, 0.2])


def test_an_even_spread_is_broad_even_over_a_few_tokens() -> None:
    for n_tokens in (4, 9, 64):
        even = np.tril(np.ones((n_tokens, n_tokens)))
        found = of_pattern(even / even.sum(-1, keepdims=True), [f"t{number}" for number in range(n_tokens)])
        assert found["relative_entropy"] == pytest.approx(1)
        assert found["entropy"] == pytest.approx(np.mean(np.log2(np.arange(1, n_tokens + 1))), abs=4 * allowed.of_sums())
        assert head_type(found) == "broad"


def test_thresholds_are_the_published_ones() -> None:
    spread = {"relative_entropy": 0.5, "entropy": 2.0}
    assert head_type({**spread, "previous": 0.51}) == "previous"
    assert head_type({**spread, "previous": 0.49}) == "mixed"
    assert head_type({**spread, "previous": 0.55, "induction": 0.7}) == "induction"
    assert head_type({**spread, "special": 0.61, "first": 0.1}) == "special"
    assert head_type({**spread, "special": 0.59, "first": 0.1}) == "mixed"
    assert head_type({**spread, "special": 0.7, "first": 0.65}) == "first"
    assert head_type({**spread, "first": 0.31}) == "first"
    assert head_type({**spread, "entropy": 3.81 / math.log(2)}) == "broad"
    assert head_type({**spread, "entropy": 3.79 / math.log(2)}) == "mixed"
    assert head_type({"previous": math.nan}) == "mixed"


# ---------------------------------------------------------------- any length, layers, order
def random_layer(n_tokens: int, *, n_heads: int = 3, causal: bool = True, seed: int = 0) -> LazyLayer:
    generator = torch.Generator().manual_seed(seed)
    query, key = (torch.randn(1, n_heads, n_tokens, 8, generator=generator) * 2 for _ in range(2))
    return LazyLayer(query, key, 0.35, (Visibility(range(n_tokens), range(n_tokens), causal=causal),))


def record_with(*layers: Layer, kept: Keep | None = None) -> AttentionRecord:
    n_tokens = layers[0].shape[1]
    axis = TokenAxis(tuple(Token("a", place % 41) for place in range(n_tokens)))
    options = {} if kept is None else {"kept": kept}
    return AttentionRecord({"decoder": layers}, {"decoder": (axis, axis)}, backend="fast", **options)


def test_blocks_of_rows_and_heads_one_by_one_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_with(random_layer(300))
    monkeypatch.setattr(layers_module, "BLOCK_BYTES", 1 << 30)
    whole = measured(record)
    assert_as_defined(record, "decoder")
    monkeypatch.setattr(layers_module, "BLOCK_BYTES", 4 * 300 * 16)
    blocks = list(record.blocks_of_heads(0, "decoder"))
    assert [len(rows) for rows, _ in blocks[:2]] == [16, 16]
    parts = measured(record)
    for metric in METRICS:
        np.testing.assert_allclose(
            parts.values[metric], whole.values[metric], rtol=4 * allowed.of_sums(), atol=4 * allowed.of_sums()
        )
    for how in ("max", "mean"):
        np.testing.assert_allclose(parts.averages[how], whole.averages[how], atol=allowed.of_sums())


def test_the_average_of_a_layer_is_the_exact_one_and_not_that_of_its_pictures() -> None:
    record = record_with(random_layer(100), random_layer(100, seed=1))
    found = measured(record, size=20)
    for layer in range(2):
        average = record.layer_weights(layer, "decoder").astype(float).mean(0)
        cells = average.reshape(20, 5, 20, 5)
        np.testing.assert_allclose(found.averages["max"][layer], cells.max(axis=(1, 3)), atol=allowed.of_sums())
        np.testing.assert_allclose(found.averages["mean"][layer], cells.mean(axis=(1, 3)), atol=allowed.of_sums())


def test_a_query_that_sees_nothing_does_not_count() -> None:
    weights = np.zeros((1, 3, 3), np.float32)
    weights[0, 1:] = [[0, 1, 0], [0, 0.5, 0.5]]
    found = measured(record_of(weights, ["a", "b", "c"])).of((0, 0))
    assert found["entropy"] == pytest.approx(0.5)
    assert found["same"] == pytest.approx(0.75)
    assert found["first"] == 0


def test_metrics_come_layer_by_layer_in_the_order_that_is_asked_for() -> None:
    record = record_with(*(random_layer(20, seed=seed) for seed in range(3)))
    streamed: list[HeadMetrics] = []
    answer = Engine().handle_record(MetricsRequest(record, "decoder", (2, 0)), Job(), streamed.append)
    assert [part.measured for part in streamed] == [{2}, {0, 2}]
    assert streamed[-1] is answer
    assert np.isnan(streamed[0].values["entropy"][0]).all()  # what was streamed stays as it was
    assert np.isnan(answer.values["entropy"][1]).all()
    assert set(answer.types) == {(layer, head) for layer in (0, 2) for head in range(3)}
    assert all(answer.types[head] == head_type(answer.of(head)) for head in answer.types)
    assert Engine().handle_record(MetricsRequest(record, "decoder", ()), Job(), streamed.append).measured == frozenset()


def test_layers_that_were_not_kept_are_left_out() -> None:
    record = record_with(*(random_layer(20, seed=seed) for seed in range(3)), kept=Keep(layers=(1,)))
    assert measured(record).measured == {1}


def test_heads_are_ranked_with_those_that_have_no_value_last() -> None:
    record = record_with(*(random_layer(20, seed=seed) for seed in range(2)))
    found = next(head_metrics(record, layers=(1,)))
    for smallest_first in (False, True):
        ranked = found.ranked("entropy", smallest_first=smallest_first)
        values = [float(found.values["entropy"][head]) for head in ranked[:3]]
        assert values == sorted(values, reverse=not smallest_first)
        assert ranked[3:] == [(0, 0), (0, 1), (0, 2)]


def test_measuring_can_be_cancelled() -> None:
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        measured(record_with(random_layer(20)), job=Job(cancel=cancel))


# ---------------------------------------------------------------- beside an attention sink
def with_sink(by: int, to_sink: float, n: int = 8) -> np.ndarray:
    """Each query looks at the key so many places before it, and the first with the rest of its attention or with all of it."""
    pattern = shifted(by, n) * (1 - to_sink)
    pattern[:, 0] += to_sink
    return pattern


def test_beside_an_attention_sink_a_head_is_told_by_the_rest_of_its_attention() -> None:
    # in a text of eight that repeats four: six queries see two keys of the rest; of the repeated ones, four look behind an earlier
    # occurrence, and three at one that is no sink
    for by, type_, on_rest in ((1, "previous", 6), (3, "induction", 4), (4, "duplicate", 3)):
        found = of_pattern(with_sink(by, 0.8))
        assert (head_type(found), second_type(found)) == ("first", type_)
        assert found[f"rest_{type_}"] == pytest.approx(1)
        assert found["rest"] == pytest.approx(0.2 * on_rest / 6)
        assert found[type_] == pytest.approx(
            {"previous": (0.2 * 6 + 1) / 7, "induction": 0.2, "duplicate": (0.2 * 3 + 1) / 4}[type_]
        )


def test_of_a_rest_that_is_too_small_nothing_is_told() -> None:
    for to_sink, type_ in ((0.93, "previous"), (0.97, None)):
        found = of_pattern(with_sink(1, to_sink))
        assert (found["rest"] >= REST_SHARE) == (type_ is not None)
        assert (head_type(found), second_type(found)) == ("first", type_)


def test_heads_of_other_types_have_no_second_one() -> None:
    assert second_type(of_pattern(shifted(1))) is None
    assert second_type(of_pattern(with_sink(1, 0.2))) is None
    found = measured(record_of(np.stack([shifted(1), with_sink(1, 0.9)]).astype(np.float32), REPEATED))
    assert found.second_types == {(0, 1): "previous"}
    assert [found.types_of((0, head)) for head in range(2)] == [("previous",), ("first", "previous")]


def test_a_query_with_one_key_of_the_rest_says_nothing_of_it() -> None:
    n = 3
    pattern = np.tril(np.ones((n, n)))
    found = of_pattern(pattern / pattern.sum(-1, keepdims=True), ["a", "b", "c"])
    assert found["rest"] == pytest.approx(2 / 3)  # only the last has a choice
    assert (found["rest_previous"], found["rest_same"]) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (found["rest_entropy"], found["rest_relative_entropy"]) == (pytest.approx(1), pytest.approx(1))


def test_a_separator_head_is_told_by_the_rest_as_well() -> None:
    axis = TokenAxis(
        (Token("[CLS]", 1, special=True), *(Token("a", 7 + place) for place in range(6)), Token("[SEP]", 2, special=True))
    )
    matrix = 0.2 * np.eye(8, k=1) + 0.8 * np.eye(8)[[7] * 8]
    given = record_of(matrix.astype(np.float32)[None], ["x"] * 8)
    record = AttentionRecord({"encoder": given._layers["encoder"]}, {"encoder": (axis, axis)}, backend="given")
    found = measured(record)
    assert found.types_of((0, 0)) == ("special", "next")
    assert found.values["rest_next"][0, 0] == pytest.approx(1)
    assert found.values["rest"][0, 0] == pytest.approx(0.2 * 6 / 8)  # of [CLS], too, which has no part in the rest
