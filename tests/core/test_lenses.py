"""A record seen through a lens answers everything with that lens's numbers; a lens of one's own is an entry and a function."""

import gc
import pickle
import weakref

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from headscope.core import LENSES, SCORES, WEIGHTS, Cut, Intervention, Lens, load_model, record_of
from headscope.core.analyse import head_metrics
from headscope.core.analyse.records.rows_and_columns import looks
from headscope.core.attention.kept.lenses import FUNCTIONS
from headscope.core.attention.maps import overview
from headscope.core.errors import HeadscopeError
from headscope.core.text.tokens import Units
from tests import allowed
from tests.tiny_models import write_masked

TALE = "once upon a time a brave mouse named Mia lived in a castle . " * 3
CENTRED = Lens("centred", "centred", "Centred", "w − ½", "", "", "signed", hides=True, pixel="furthest")


@pytest.fixture(scope="module")
def tale():
    return load_model("toy:tales", device="cpu").capture(TALE)


@pytest.fixture
def centred(monkeypatch) -> Lens:
    """A toy lens: weights less one half where a query may see a key."""

    def compute(layer, rows, *, batch, head):
        seen = layer.scores(rows, batch=batch, head=head) > -torch.inf
        weights = layer.weights(rows, batch=batch, head=head)
        return (weights - 0.5).masked_fill(~seen[..., : weights.shape[-1]], -torch.inf)

    monkeypatch.setitem(LENSES, CENTRED.id, CENTRED)
    monkeypatch.setitem(FUNCTIONS, CENTRED.id, compute)
    return CENTRED


def pooled_by_hand(whole: np.ndarray, height: int, width: int, pixel) -> np.ndarray:
    """Each pixel of the numbers that its cells have; NaN where none has one."""
    rows, columns = ([i * n // p for i in range(p + 1)] for n, p in zip(whole.shape, (height, width), strict=True))
    found = np.full((height, width), np.nan, np.float32)
    for i in range(height):
        for j in range(width):
            cells = whole[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
            known = cells[~np.isnan(cells)]
            if known.size:
                found[i, j] = pixel(known)
    return found


def furthest(values: np.ndarray) -> float:
    return values[np.abs(values).argmax()]


def test_the_table_of_lenses_says_what_each_is() -> None:
    assert list(LENSES) == ["weights", "scores"] == list(FUNCTIONS)
    for lens in LENSES.values():
        assert all((lens.name, lens.title, lens.meaning, lens.misleads, lens.paper))
    assert (WEIGHTS.is_share, WEIGHTS.is_signed, SCORES.is_share, SCORES.is_signed) == (True, False, False, True)


def test_scores_are_those_of_plain_transformers_own_projections(tmp_path) -> None:
    """Q and K as its linear layers give them to hooks, multiplied by hand."""
    folder, text = write_masked(tmp_path / "bert"), "the cat walked on a mat"
    record = load_model(str(folder), device="cpu").capture(text).through(SCORES)
    model, captured = AutoModelForMaskedLM.from_pretrained(folder).eval(), {}
    projections = model.bert.encoder.layer[1].attention.self
    for name in ("query", "key"):
        getattr(projections, name).register_forward_hook(lambda _m, _i, out, name=name: captured.update({name: out}))
    with torch.inference_mode():
        model(**AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt"))
    n_heads = model.config.num_attention_heads
    query, key = (captured[name][0].unflatten(-1, (n_heads, -1)).transpose(0, 1) for name in ("query", "key"))
    theirs = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).numpy()
    np.testing.assert_allclose(record.layer_weights(1, "encoder"), theirs, atol=allowed.of_logits(theirs))


def test_everything_that_is_asked_of_it_is_of_its_lens(tale, monkeypatch) -> None:
    scored = tale.through(SCORES)
    assert (scored.lens, scored.inner, scored.of_weights, scored.kinds) == (SCORES, tale, tale, tale.kinds)
    assert (tale.lens, tale.inner, tale.of_weights) == (WEIGHTS, None, tale)
    assert scored.through(WEIGHTS) is tale
    assert scored.through(SCORES) is scored is tale.through(SCORES)
    assert scored.axis("decoder") == tale.axis("decoder")
    whole = tale.attention_scores(1, 2)
    n, close = len(whole), allowed.of_logits(whole)
    assert np.isnan(whole[np.triu_indices(n, 1)]).all()
    np.testing.assert_allclose(scored.layer_weights(1, "decoder")[2], whole, atol=close)
    np.testing.assert_allclose(scored.attention_weights(1, 2, rows=slice(4, 6)), whole[4:6], atol=close)
    assert scored.cell(1, 2, 5, 3) == pytest.approx(whole[5, 3], abs=close)
    assert np.isnan(scored.cell(1, 2, 3, 5))
    for how, pixel in (("max", np.max), ("mean", np.mean)):
        small = dict(scored.thumbnails("decoder", 7, how=how))[1][2]
        np.testing.assert_allclose(small, pooled_by_hand(whole, 7, 7, pixel), atol=close)
    *_, large = scored.overview(1, 2, "decoder", size=9)
    np.testing.assert_allclose(large.picture, pooled_by_hand(whole, 9, 9, np.max), atol=close)
    queries, keys, values = large.strong
    assert len(values) == np.count_nonzero(np.nan_to_num(whole))
    np.testing.assert_allclose(values, whole[queries, keys], atol=close)
    monkeypatch.setattr(overview, "_MOST_STRONG", 50)
    *_, cut = scored.overview(1, 2, "decoder", size=9)
    distances = np.sort(np.abs(whole[~np.isnan(whole)]))[-50:]
    np.testing.assert_allclose(np.sort(np.abs(cut.strong[2])), distances, atol=close)
    assert cut.faintest == pytest.approx(distances[0], abs=close)
    assert (np.diff(cut.strong[0].astype(int) * n + cut.strong[1]) > 0).all(), "row by row"


def test_rows_and_columns_are_sums_of_what_there_is(tale) -> None:
    whole, scored = tale.attention_scores(1, 2), tale.through(SCORES)
    close = 3 * allowed.of_logits(whole)
    np.testing.assert_allclose(looks(scored, "decoder", [(1, 2)], (6,), "query")[0], whole[6], atol=close)
    np.testing.assert_allclose(looks(scored, "decoder", [(1, 2)], (6,), "key")[0], whole[:, 6], atol=close)
    both = looks(scored, "decoder", [(1, 2)], (6, 9), "query")[0]
    known = ~np.isnan(whole[[6, 9]])
    assert (np.isnan(both) == ~known.any(axis=0)).all()
    np.testing.assert_allclose(both[known.any(axis=0)], np.nansum(whole[[6, 9]], axis=0)[known.any(axis=0)], atol=close)


def test_a_lens_of_units_is_a_lens_and_words_have_no_scores(tale) -> None:
    bare = tale.in_units(Units(special="hidden"))
    np.testing.assert_array_equal(
        tale.through(SCORES).in_units(Units(special="hidden")).attention_weights(1, 2), bare.attention_scores(1, 2)
    )
    words = tale.through(SCORES).in_units(Units("sentences"))
    assert words.lens == SCORES
    with pytest.raises(HeadscopeError) as told:
        words.attention_weights(1, 2)
    assert told.value.code == "no_scores"
    with pytest.raises(HeadscopeError, match="Only the weights are known"):
        record_of(np.eye(3, dtype=np.float32)[None], ["a", "b", "c"]).through(SCORES).attention_weights(0, 0)


def test_what_is_cut_has_no_score_and_metrics_are_of_weights_whatever_the_lens() -> None:
    edits = Intervention((Cut(layer=1, head=2, queries=(6,), keys=(2, 3)),))
    record = load_model("toy:grammar", device="cpu").capture("the keys near the cabinet [MASK] rusty .", intervention=edits)
    hidden = np.isnan(record.through(SCORES).attention_weights(1, 2))
    assert np.argwhere(hidden).tolist() == [[6, 2], [6, 3]]
    *_, plain = head_metrics(record)
    *_, seen = head_metrics(record.through(SCORES))
    for name, values in plain.values.items():
        np.testing.assert_array_equal(seen.values[name], values)


def test_a_lens_of_ones_own_is_an_entry_and_a_function(tale, centred) -> None:
    record, weights = tale.through(centred), tale.attention_weights(1, 2)
    wanted = np.where(np.isnan(tale.attention_scores(1, 2)), np.nan, weights - 0.5)
    close = allowed.of_blocks(weights)
    np.testing.assert_allclose(record.attention_weights(1, 2), wanted, atol=close)
    small = dict(record.thumbnails("decoder", 7))[1][2]
    np.testing.assert_allclose(small, pooled_by_hand(wanted, 7, 7, furthest), atol=close)
    *_, large = record.overview(1, 2, "decoder", size=9)
    np.testing.assert_allclose(large.picture, pooled_by_hand(wanted, 9, 9, furthest), atol=close)


def test_a_view_keeps_nothing_alive_and_is_not_written_with_its_record(tale) -> None:
    record = load_model("toy:grammar", device="cpu").capture("cats sleep .")
    view = weakref.ref(record.through(SCORES))
    gc.collect()
    assert view() is None
    scored = record.through(SCORES)
    again = pickle.loads(pickle.dumps(scored))
    assert again.lens == SCORES
    np.testing.assert_array_equal(again.attention_weights(0, 1), scored.attention_weights(0, 1))
    assert again.nbytes == record.nbytes
