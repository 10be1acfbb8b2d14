"""SourceSwitch: whose pictures are shown, as three buttons beside each other."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from headscope.gui.control.explorer import Explorer
from headscope.gui.session.session import Session
from headscope.gui.session.source import DIFFERENCE, SOURCES, A, B, Source
from headscope.gui.widgets.plain import plain


class SourceSwitch(QWidget):
    """The reference A, this run B, and their difference; there is nothing to choose before a text was run twice."""

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._sources = explorer.sources
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.buttons: dict[Source, QToolButton] = {}
        for source in SOURCES:
            button = QToolButton()
            button.setObjectName("flat")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setText(source.name)
            button.clicked.connect(partial(self._choose, source))
            row.addWidget(button)
            self.buttons[source] = button
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"reference", "source"}))

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        if names & {"reference", "run", "source", "busy"}:
            for source, button in self.buttons.items():
                button.setChecked(source == state.source)
                button.setEnabled(state.can_show(source))
            self.setVisible(state.reference is not None)
        if names & {"reference", "run"}:
            for source, button in self.buttons.items():
                words = self._words(source)
                button.setToolTip(plain(words))
                button.setAccessibleName(words)

    def _words(self, source: Source) -> str:
        run, reference = self._state.run, self._state.reference
        if source == DIFFERENCE:
            return self.tr("Show this run minus the reference")
        if source == A:
            return self.tr("Show the reference: “{text}”").format(text="" if reference is None else reference.prompt.words)
        assert source == B
        return self.tr("Show this run: “{text}”").format(text="" if run is None else run.prompt.words)

    def _choose(self, source: Source, _checked: bool = False) -> None:
        self._sources.show(source)
        self._on_changed(frozenset({"source"}))  # a click has switched the button, whatever came of it
