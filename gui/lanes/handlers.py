"""What lanes carry out requests with. Called in a lane: torch is imported there, after the window is painted."""

from __future__ import annotations

from headscope.gui.lanes.lane import Handle


def model_handler() -> Handle:
    """For what needs the model."""
    from headscope.core.engine.engine import Engine

    return Engine().handle


def view_handler() -> Handle:
    """For what is computed of records alone."""
    from headscope.core.engine.engine import Engine

    return Engine().handle_record
