"""Whose: each view says which run its picture is of, where that is not the newest; and that of an earlier one, while another is under way."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, QTimer, Slot

from headscope.gui.paint.theme import theme_of
from headscope.gui.session.session import Session
from headscope.gui.session.source import B
from headscope.gui.view_spec import ViewSpec
from headscope.gui.window.card import CardDock

_PATIENCE_MILLISECONDS = 300
"""A run that is faster changes the picture at once."""


class Whose(QObject):
    """Puts the run's letter into the docks' titles, and dims what is about to be replaced.

    Parameters
    ----------
    state : Session
    docks : mapping of ViewSpec to CardDock
        Of the views whose pictures are of a run.
    """

    def __init__(self, state: Session, docks: Mapping[ViewSpec, CardDock], parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._docks = docks
        self._timer = QTimer(self, singleShot=True, interval=_PATIENCE_MILLISECONDS)
        self._timer.timeout.connect(self._dim)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "source"}))

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        if "dark" in names:
            for dock in self._docks.values():
                dock.veil.set_theme(theme_of(state.dark))
        if names & {"source", "beside"}:
            self._name()
        if "pending" in names:
            if state.pending is None:
                self._timer.stop()
                for dock in self._docks.values():
                    dock.veil.hide()
            elif state.shown is not None and not state.kept:  # which is of the same text, and says in the status bar what it is
                self._timer.start()

    def _name(self) -> None:
        for view, dock in self._docks.items():
            title = view.words
            source = self._state.source
            if source != B or self._state.beside:
                source = B if source.minus is not None and not view.shows_differences else source
                title = self.tr("{view} · {run}").format(view=title, run=source.name)
            dock.set_title(title)

    @Slot()
    def _dim(self) -> None:
        """The run takes longer than a blink."""
        run = self._state.looked_at
        words = self.tr("Earlier picture")
        if run is not None:
            words = self.tr("Earlier run: “{text}”").format(text=run.prompt.words)
        for dock in self._docks.values():
            dock.veil.show_words(words)
