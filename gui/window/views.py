"""All views, in the order of the View menu."""

from __future__ import annotations

from typing import Final

from headscope.gui.view_spec import ViewSpec
from headscope.gui.views.arithmetic import spec as arithmetic
from headscope.gui.views.film_strip import spec as film_strip
from headscope.gui.views.generation import spec as generation
from headscope.gui.views.heads import spec as heads
from headscope.gui.views.heads_by_token import spec as heads_by_token
from headscope.gui.views.heatmap import spec as heatmap
from headscope.gui.views.links import spec as links
from headscope.gui.views.logit_lens import spec as logit_lens
from headscope.gui.views.predictions import spec as predictions
from headscope.gui.views.text import spec as text

VIEWS: Final[tuple[ViewSpec, ...]] = (
    heads.SPEC,
    heatmap.SPEC,
    links.SPEC,
    text.SPEC,
    heads_by_token.SPEC,
    arithmetic.SPEC,
    predictions.SPEC,
    logit_lens.SPEC,
    generation.SPEC,
    film_strip.SPEC,
)
