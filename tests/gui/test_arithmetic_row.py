"""The whole row of the softmax, key by key, against torch's own softmax over the same scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headscope.core import load_model
from headscope.core.analyse.records.arithmetic import arithmetic
from headscope.gui.views.arithmetic.paint.sheet import Sheet
from headscope.gui.views.arithmetic.steps import Equation, Row, Sentence, steps_of
from tests import allowed

TEXTS = {
    "toy:grammar": "the keys of the cabinet [MASK] rusty .",
    "toy:tales": "once upon a time there was a king named Tom . " * 4,
}


@pytest.fixture(scope="module", params=TEXTS)
def record(request):
    return load_model(request.param, device="cpu").capture(TEXTS[request.param])


def row_of(record, query: int, key: int) -> tuple[Row, list[str]]:
    kind = record.kinds[0]
    answer = arithmetic(record, kind, 1, 2, query, key)
    axis = record.axis(kind)
    steps = steps_of(answer, axis.queries, axis.keys, record.backend)
    (row,) = (step for step in steps if isinstance(step, Row))
    return row, [step.text for step in steps if isinstance(step, Sentence)]


def test_every_key_of_a_short_row_has_its_score_and_its_weight(record) -> None:
    kind = record.kinds[0]
    whole = record.attention_weights(1, 2)
    for query in (3, 6):
        row, _ = row_of(record, query, 2)
        seen = [key.position for key in row.keys]
        assert seen == (list(range(query + 1)) if kind == "decoder" else list(range(len(record.axis(kind).keys))))
        np.testing.assert_allclose([key.weight for key in row.keys], whole[query, seen], atol=allowed.of_sums())
        softmax = torch.tensor([key.score for key in row.keys], dtype=torch.float64).softmax(0)
        np.testing.assert_allclose([key.weight for key in row.keys], softmax.numpy(), atol=allowed.of_sums())
        assert max(key.exponential for key in row.keys) == 1
        assert [key.label for key in row.keys] == [record.axis(kind).keys.labels[at] for at in seen]


def test_of_a_long_row_the_largest_are_listed_with_the_cells_own_and_the_rest_is_summed() -> None:
    record = load_model("toy:tales", device="cpu").capture(TEXTS["toy:tales"])
    whole = record.attention_weights(1, 2)
    query = len(whole) - 1
    key = int(whole[query].argmin())
    row, sentences = row_of(record, query, key)
    assert len(row.keys) == 12 and key in [each.position for each in row.keys]
    (rest,) = (text for text in sentences if "have smaller scores" in text)
    assert f"The other {query + 1 - 12} key" in rest
    assert min(each.weight for each in row.keys if each.position != key) >= np.sort(whole[query])[-12] - allowed.of_sums()


def test_values_stand_near_their_formulas_on_a_wide_sheet(qapp, record) -> None:
    kind = record.kinds[0]
    axis = record.axis(kind)
    steps = steps_of(arithmetic(record, kind, 1, 2, 6, 2), axis.queries, axis.keys, record.backend)
    wide, narrow = (Sheet(steps, width) for width in (2000, 320))
    assert all(placed.area.width() <= 620 for placed in wide.placed)
    assert any(isinstance(placed.step, Equation) for placed in wide.placed)
    assert all(placed.area.right() <= 320 for placed in narrow.placed)
