"""Who goes before whom in a lane."""

from __future__ import annotations

from headscope.core.requests.cells import PartRequest
from headscope.core.requests.heads import ThumbnailsRequest, WeightsRequest
from headscope.core.requests.models import CatalogueRequest, LoadRequest
from headscope.core.requests.request import RunRequest


def supersedes_in_model_lane(newer: object, older: object) -> bool:
    """A run replaces runs and questions, which are about the text before; loading replaces everything but what needs no model.

    Questions replace each other by their places.
    """
    if isinstance(newer, LoadRequest):
        return not isinstance(older, CatalogueRequest)
    if isinstance(newer, RunRequest):
        return not isinstance(older, LoadRequest | CatalogueRequest)
    return isinstance(newer, CatalogueRequest) and isinstance(older, CatalogueRequest)


def supersedes_in_view_lane(newer: object, older: object) -> bool:
    """The newest wins; the head that is looked at comes before all else, a part of it before the thumbnails."""
    if isinstance(newer, PartRequest) and isinstance(older, ThumbnailsRequest):
        return True
    return isinstance(newer, WeightsRequest) or type(newer) is type(older)


def no_question_replaces_another(_newer: object, _older: object) -> bool:
    """For lanes whose askers have places of their own."""
    return False
