"""Editing: what a click on a token or a candidate does to the text, and the run that follows."""

from __future__ import annotations

from collections.abc import Callable

from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.results import Candidate, Prediction
from headscope.gui.session.mask_memory import MaskMemory
from headscope.gui.session.session import Session
from headscope.gui.session.source import A
from headscope.gui.session.text_edits import Fields, with_candidate, with_mask
from headscope.gui.words.notices import notice_of


class Editing:
    """Changes the text that the pictures are of, and runs it.

    Parameters
    ----------
    state : Session
    loaded : callable
        The model that would run.
    run : callable
        Runs the text of the state.
    written : callable
        What a generation or a filling left in its field.
    """

    def __init__(
        self, state: Session, loaded: Callable[[], ModelInfo | None], run: Callable[[], None], written: Callable[[], str]
    ) -> None:
        self._state = state
        self._loaded = loaded
        self._run = run
        self._written = written
        self._masks = MaskMemory()

    def mask_token(self, position: int) -> None:
        """Replace a token by the model's mask, or a mask by the word it stands for; then run."""
        state = self._state
        if (model := self._loaded()) is not None:
            self._run_with("mask", lambda: with_mask(state, model, self._masks, position))

    def use_candidate(self, prediction: Prediction, candidate: Candidate) -> None:
        """Put a candidate where it was predicted, and run."""
        state = self._state
        if (model := self._loaded()) is not None:
            self._run_with("candidate", lambda: with_candidate(state, model, prediction, candidate, self._written()))

    def _run_with(self, change: str, edit: Callable[[], Fields | None]) -> None:
        state = self._state
        with state.doing(change):
            if state.source == A and state.reference is not None:  # what is edited is the text of the picture
                prompt = state.reference.prompt
                state.update(text=prompt.text, text_pair=prompt.text_pair, target=prompt.target)
            try:
                fields = edit()
            except HeadscopeError as error:
                state.update(notice=notice_of(error))
                return
            if fields is None:
                return
            state.update(**fields)
        self._run()
