"""Which links are left: sentence pairs, the fewest that carry most of each row, and how much is hidden."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF

from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.head_map import FAINTEST, HeadOverview
from headscope.core.attention.maps.overview import LARGE_CELLS
from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.views.links.paint.choice import Choice
from headscope.gui.views.links.paint.links import LinksPicture
from tests import allowed
from tests.gui.screen import random_weights, words

pytestmark = pytest.mark.usefixtures("qapp")
AREA = QRectF(0, 0, 600, 400)


def pair(first: int, second: int) -> TokenAxis:
    """Tokens of two texts, the last of each special."""
    tokens = [Token(f"a{at}", at, special=at == first - 1) for at in range(first)]
    tokens += [Token(f"b{at}", at, segment=1, special=at == second - 1) for at in range(second)]
    return TokenAxis(tuple(tokens))


def kept(matrix: np.ndarray, share: float) -> np.ndarray:
    """Brute force: of each row the fewest cells that carry `share` of it, of equal ones the first."""
    mask = np.zeros(matrix.shape, bool)
    for row, weights in enumerate(matrix.astype(np.float64)):
        so_far = 0.0
        for key in sorted(range(len(weights)), key=lambda key: (-weights[key], key)):
            if so_far >= share * weights.sum() - 1e-6:
                break
            mask[row, key] = True
            so_far += weights[key]
    return mask


def drawn(picture: LinksPicture, number: int = 0, scroll: float | None = None) -> np.ndarray:
    """Which cells of a head have a link."""
    links = picture.links(picture.layout(AREA, scroll))
    mask = np.zeros((len(picture.queries), len(picture.keys)), int)
    of_head = links.head == number
    np.add.at(mask, (links.query[of_head], links.key[of_head]), 1)
    assert mask.max() <= 1, "none twice"
    return mask.astype(bool)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.7, 0.95, 1.0])
def test_the_fewest_links_that_carry_a_share_of_each_row_are_kept(share: float) -> None:
    weights = {(0, head): random_weights(40, 60, head) for head in range(2)}
    picture = LinksPicture(weights, words(40), words(60), choice=Choice(mass=share))
    for number, matrix in enumerate(weights.values()):
        expected = kept(matrix, share) & (matrix >= FAINTEST)
        assert np.array_equal(drawn(picture, number), expected)
        carried = (matrix * expected).sum(axis=1)
        assert np.all(carried >= share * matrix.sum(axis=1) - FAINTEST * 60)


def test_of_equal_weights_no_more_are_kept_than_are_needed() -> None:
    matrix = np.array([[0.25] * 4, [0.4, 0.3, 0.3, 0], [0.7, 0.1, 0.1, 0.1], [0, 0, 0, 1]], np.float32)
    picture = LinksPicture({(0, 0): matrix}, words(4), words(4), choice=Choice(mass=0.7))
    assert drawn(picture).astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]


def test_a_scrolled_picture_keeps_the_same_links_as_the_whole_one() -> None:
    matrix = random_weights(300, 300)
    picture = LinksPicture({(0, 0): matrix}, words(300), words(300), choice=Choice(mass=0.7))
    seen = picture.layout(AREA, 2000.0).visible(300)
    in_sight = np.zeros(matrix.shape, bool)
    in_sight[seen.start : seen.stop], in_sight[:, seen.start : seen.stop] = True, True
    assert np.array_equal(drawn(picture, scroll=2000.0), drawn(picture) & in_sight)


@pytest.mark.parametrize("segments", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("mass", [None, 0.6])
def test_only_the_links_from_one_text_to_one_text_are_left(segments: tuple[int, int], mass: float | None) -> None:
    axis, matrix = pair(7, 5), random_weights(12, 12)
    picture = LinksPicture({(0, 0): matrix}, axis, axis, choice=Choice(mass=mass, segments=segments))
    rows, keys = (slice(0, 7) if segment == 0 else slice(7, 12) for segment in segments)
    expected = np.zeros(matrix.shape, bool)
    part = matrix[rows, keys]
    expected[rows, keys] = part >= FAINTEST if mass is None else kept(part, mass) & (part >= FAINTEST)
    assert np.array_equal(drawn(picture), expected)
    layout = picture.layout(AREA)
    links = picture.links(layout)
    hidden = 1 - (matrix * expected).sum() / matrix[rows].sum()
    assert picture.not_drawn(layout, links) == (pytest.approx(hidden, abs=allowed.of_sums()), True)
    assert f"{'AB'[segments[0]]} → {'AB'[segments[1]]} only" in picture.footer(layout, links)
    assert f"{hidden:.1%} of attention hidden" in picture.footer(layout, links)


@pytest.mark.parametrize("choice", [Choice(0.1), Choice(mass=0.7)], ids=["weak", "mass"])
def test_the_share_that_is_hidden_is_the_mean_over_queries_and_heads_of_what_is_not_drawn(choice: Choice) -> None:
    weights = {(0, head): random_weights(30, 30, head) for head in range(3)}
    picture = LinksPicture(weights, words(30), words(30), choice=choice)
    layout = picture.layout(AREA)
    links = picture.links(layout)
    missing = [
        np.mean([1 - matrix[row, drawn(picture, number)[row]].sum() for row in range(30)])
        for number, matrix in enumerate(weights.values())
    ]
    share, exact = picture.not_drawn(layout, links)
    assert exact
    assert share == pytest.approx(np.mean(missing), abs=allowed.of_sums())
    assert f"{share:.1%} of attention hidden" in picture.footer(layout, links)


def test_what_the_limit_of_lines_hides_counts_as_hidden() -> None:
    matrix = random_weights(40, 40)
    picture = LinksPicture({(0, 0): matrix}, words(40), words(40), most=30)
    layout = picture.layout(AREA)
    links = picture.links(layout)
    expected = 1 - np.sort(matrix.ravel())[-30:].sum(dtype=np.float64) / 40
    assert picture.not_drawn(layout, links)[0] == pytest.approx(expected, abs=allowed.of_sums())


def overview_of(matrix: np.ndarray) -> HeadOverview:
    """As core sends a head that is too large."""
    assert matrix.size <= LARGE_CELLS
    *_, last = record_of(matrix, words(len(matrix)).labels).overview(0, 0, "encoder")
    return last


def test_an_overview_keeps_the_links_that_its_matrix_would() -> None:
    matrix = random_weights(90, 90)
    whole, large = (
        LinksPicture({(0, 0): head}, words(90), words(90), choice=Choice(mass=0.8)) for head in (matrix, overview_of(matrix))
    )
    assert np.array_equal(drawn(large), drawn(whole))
    layout = large.layout(AREA)
    share, exact = large.not_drawn(layout, large.links(layout))
    assert exact, "rows of weights sum to 1: what is too faint to be sent is known"
    assert share == pytest.approx(whole.not_drawn(layout, whole.links(layout))[0], abs=allowed.of_sums())


def test_of_an_overview_whose_rows_do_not_sum_to_1_the_share_is_exact_too() -> None:
    matrix = random_weights(90, 90) * np.linspace(0.2, 1, 90, dtype=np.float32)[:, None]
    picture = LinksPicture({(0, 0): overview_of(matrix)}, words(90), words(90), choice=Choice(mass=0.7))
    layout = picture.layout(AREA)
    links = picture.links(layout)
    share, exact = picture.not_drawn(layout, links)
    assert exact
    assert share == pytest.approx(1 - links.weight.sum(dtype=np.float64) / matrix.sum(dtype=np.float64), abs=allowed.of_sums())
    assert "at least" not in picture.footer(layout, links)


def test_looking_half_way_and_again_finds_the_same() -> None:
    matrix = random_weights(600, 600)
    picture = LinksPicture({(0, 0): matrix}, words(600), words(600), choice=Choice(mass=0.5))
    half = picture.prepare()
    next(half)
    half.close()  # the window was made larger
    assert not picture.is_ready
    expected = kept(matrix, 0.5) & (matrix >= FAINTEST)
    assert np.array_equal(drawn(picture), expected)
