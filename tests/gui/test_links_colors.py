"""Colours of many heads: none twice, none hard to tell from another or from the ground."""

import numpy as np
import pytest

from headscope.gui.control.goal import MOST_HEADS
from headscope.gui.paint.head_colors import MOST_COLORS, oklab
from headscope.gui.paint.theme import theme_of


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_each_head_has_a_colour_of_its_own_that_can_be_told_from_all_others(dark: bool) -> None:
    theme = theme_of(dark)
    names = [theme.head_color(number).name().upper() for number in range(MOST_HEADS)]
    assert MOST_HEADS == MOST_COLORS == 32
    assert tuple(names[:12]) == theme.heads, "the designed ones come first"
    places = oklab(names)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)[np.triu_indices(MOST_HEADS, 1)]
    designed = np.linalg.norm(places[:12, None] - places[None, :12], axis=2)[np.triu_indices(12, 1)]
    assert apart.min() >= min(0.07, designed.min()), "twenty more, none nearer than the designed ones are"
    assert np.linalg.norm(places - oklab([theme.panel]), axis=1).min() > 0.25


def test_distances_are_those_of_oklab() -> None:
    white, red = oklab(["#FFFFFF", "#FF0000"])
    assert white == pytest.approx([1, 0, 0], abs=1e-3)
    assert red == pytest.approx([0.628, 0.225, 0.126], abs=1e-3)
