"""LinksPanel: the tokens twice, and lines for who looks at whom; or once, and arcs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Slot
from PySide6.QtGui import QActionGroup, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSlider, QToolButton, QVBoxLayout, QWidget

from headscope.core.vocabulary import Head
from headscope.gui.paint.lens_words import lens_name, threshold_text
from headscope.gui.paint.picked import Picked
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.chosen_tokens import mark
from headscope.gui.session.selection import Cell, Marks, Pairing
from headscope.gui.session.session import Session
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.choice import Choice
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.settings import LinksSettings, Slider
from headscope.gui.views.links.widget import LinkView
from headscope.gui.widgets.plain import plain

if TYPE_CHECKING:
    from headscope.gui.control.looking import Looking

_NARROWEST, _ROOMY = 336, 520  # pixels that all controls need, and from which on they have their long names
_SEGMENTS: dict[Pairing, tuple[int, int] | None] = {"all": None, "AA": (0, 0), "AB": (0, 1), "BA": (1, 0), "BB": (1, 1)}
_WHAT = frozenset({"weights", "lens", "heads", "queries", "keys", "kind", "pairing", "views.links"})
_PICKED = frozenset({"hover", "pinned", "marks"})


class LinksPanel(QWidget):
    """The links of the chosen heads; a token that is pointed at, pinned or picked out here is so in all views."""

    def __init__(self, state: Session, explorer: Looking, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._listed: tuple[Head, ...] = state.heads
        self._chosen: tuple[Head, ...] = state.heads  # the heads of the legend that are switched on there
        self._is_stale = False
        self.view = LinkView()
        self.view.hovered.connect(self._hover)
        self.view.clicked.connect(self._pin)
        self.view.marked.connect(self._mark)
        self.view.released.connect(self._unpin)
        self.view.head_clicked.connect(self._switch_head)
        self.view.head_double_clicked.connect(self._solo_head)
        self.by_mass = self._button("by_mass")
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setMaximumWidth(140)
        self.threshold.setMinimumWidth(28)
        self.threshold.valueChanged.connect(self._set_threshold)
        self.pairing = self._pairing_button()
        self.arcs = self._button("arcs")
        self.arcs.setText(self.tr("Arcs"))
        self.arcs.setToolTip(
            self.tr(
                "Arcs over one line of text. The upper half of a word shows what it attends to, the lower half what "
                "attends to it."
            )
        )
        self.whole = self._button("whole")
        self.whole.setToolTip(self.tr("Show all tokens at once instead of scrolling"))
        self._arrange()
        self.setFocusProxy(self.view)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", *_WHAT, *_PICKED}))

    def _button(self, field: str) -> QToolButton:
        """Switches a field of the settings on and off."""
        button = QToolButton()
        button.setObjectName("flat")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.toggled.connect(partial(self._set, field))
        return button

    def _pairing_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("flat")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setAccessibleName(self.tr("Links within and between the two texts"))
        button.setToolTip(
            self.tr("Show only links from one text (A or B) to one text; special tokens belong to the text they follow")
        )
        menu, group = QMenu(button), QActionGroup(button)
        self.pairings = {}
        for pairing in _SEGMENTS:
            action = menu.addAction(self._pairing_words(pairing), partial(self._choose_pairing, pairing))
            action.setCheckable(True)
            group.addAction(action)
            self.pairings[pairing] = action
        button.setMenu(menu)
        return button

    def _pairing_words(self, pairing: Pairing) -> str:
        return self.tr("All pairs") if pairing == "all" else f"{pairing[0]} → {pairing[1]}"

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(2)
        row.addWidget(self.by_mass)
        row.addWidget(self.threshold, 100)
        row.addStretch(1)
        for button in (self.pairing, self.arcs, self.whole):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)  # names become shorter where there is less room
        column.addLayout(row)
        column.addWidget(self.view, 1)

    # ---------------------------------------------------------------- what is shown
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.view.set_theme(theme_of(self._state.dark))
        if "heads" in names and self._state.heads != self._chosen:
            self._listed = self._chosen = self._state.heads  # others were chosen than the legend has
        if names & {"views.links", "lens", "source"}:
            self._show_settings()
        if names & _WHAT or "dark" in names:  # the size of type is told so too
            self._show_links()
        if names & _PICKED:
            state = self._state
            focus, marks = state.focus, state.marks
            self.view.set_picked(Picked(focus.query, focus.key, marks.queries, marks.keys))
        if "find" in names:
            self.view.set_found(self._state.find.queries, self._state.find.keys)
        if "pinned" in names:
            self._reveal(self._state.pinned)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self._show_links()

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROWEST, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._name_buttons()

    def _reveal(self, cell: Cell) -> None:
        """A token that was pinned in another panel comes into sight."""
        row = cell.query if cell.query is not None else cell.key
        if row is not None and row < self.view.picture.n_rows:
            self.view.reveal(row)

    def figure(self) -> LinksPicture | None:
        """The links that are looked at as a new picture of two columns, chosen as here; None while there are none."""
        picture = LinksPicture(*self._what(), titles=self._titles(), **self._how())
        return picture if picture.weights else None

    def arcs_figure(self) -> ArcsPicture | None:
        """The links that are looked at as a new picture of arcs, chosen as here; None while there are none, or between two texts."""
        if self._state.kind == "cross":
            return None
        picture = ArcsPicture(*self._what(), one_sided=self._state.kind == "decoder", **self._how())
        return picture if picture.weights else None

    def _what(self) -> tuple[Any, ...]:
        """Weights, queries and keys."""
        state = self._state
        shape = len(state.queries), len(state.keys)
        weights = {head: state.weights[head] for head in state.heads if head in state.weights}
        return {head: matrix for head, matrix in weights.items() if matrix.shape == shape}, state.queries, state.keys

    def _how(self) -> dict[str, Any]:
        return {"colors": self._state.color_of, "choice": self.choice, "lens": self._state.shown_lens}

    def _titles(self) -> tuple[str, str] | None:
        return (self.tr("target"), self.tr("source")) if self._state.kind == "cross" else None

    @property
    def choice(self) -> Choice:
        """Which links are drawn; of another lens than weights as shares of the largest number."""
        segments = _SEGMENTS[self._state.pairing] if self._has_pair() else None
        field, share = self._threshold
        return Choice(mass=share, segments=segments) if field == "kept" else Choice(share, segments=segments)

    @property
    def _threshold(self) -> tuple[Slider, float]:
        """What the slider moves, and where it stands, from 0 to 1."""
        chosen = self._state.view(LinksSettings)
        field, _, _ = chosen.slider(self._state.shown_lens)
        return field, getattr(chosen, field) / 100

    def _has_pair(self) -> bool:
        return self._state.queries.is_pair and self._state.keys.is_pair

    @Slot()
    def _show_links(self) -> None:
        self._is_stale = not self.isVisible()
        if self._is_stale:
            self._name_buttons()
            return
        what = self._what()
        how = {**self._how(), "listed": self._listed if what[0] else ()}
        arcs = self._state.view(LinksSettings).arcs
        if arcs and self._state.kind != "cross":
            self.view.set_picture(ArcsPicture(*what, one_sided=self._state.kind == "decoder", **how))
            self._name_buttons()
            return
        note = self.tr("two texts: shown in two columns instead of arcs") if arcs else ""
        self.view.set_picture(LinksPicture(*what, titles=self._titles(), note=note, **how))
        self._name_buttons()

    def _show_settings(self) -> None:
        """The controls as the settings are."""
        chosen = self._state.view(LinksSettings)
        for button, on in ((self.by_mass, chosen.by_mass), (self.arcs, chosen.arcs), (self.whole, chosen.whole)):
            with QSignalBlocker(button):
                button.setChecked(on)
        self.by_mass.setEnabled(self._state.shown_lens.is_share)
        with QSignalBlocker(self.threshold):
            field, *ends = chosen.slider(self._state.shown_lens)
            self.threshold.setRange(*ends)
            self.threshold.setValue(getattr(chosen, field))
        self.view.set_whole(chosen.whole)

    def _name_buttons(self) -> None:
        """What is chosen, in as many words as there is room for."""
        roomy, lens, (field, share) = self.width() >= _ROOMY, self._state.shown_lens, self._threshold
        if field == "kept":
            words = self.tr("Keep {share}% of each row") if roomy else self.tr("Keep {share}%")
            hint = self.tr(
                "Shows the fewest links that carry {share}% of each query's attention. Click to hide weak links instead."
            )
            words, hint = words.format(share=round(100 * share)), hint.format(share=round(100 * share))
        else:
            words = self.tr("Hide below {threshold}") if roomy else self.tr("< {threshold}")
            words = words.format(threshold=threshold_text(share * self.view.picture.largest, lens))
            hint = self.tr("Weaker links are hidden. Click to keep the fewest that carry most of each row instead.")
            if not lens.is_share:
                hint = self.tr(
                    "Links nearer to 0 are hidden. Only weights can be kept by their share of a row: {lens} have none."
                )
                hint = hint.format(lens=lens_name(lens))
        self.by_mass.setText(words)
        self.by_mass.setToolTip(plain(hint))
        self.threshold.setAccessibleName(words)
        self.threshold.setToolTip(plain(hint))
        self.whole.setText(self.tr("Fit all"))
        pairing = self._state.pairing
        self.pairing.setVisible(self._has_pair())
        everything = self.tr("All pairs") if roomy else self.tr("All")
        self.pairing.setText((everything if pairing == "all" else self._pairing_words(pairing)) + " ▾")
        self.pairings[pairing].setChecked(True)

    # ---------------------------------------------------------------- what is chosen
    def _set(self, field: str, on: bool) -> None:
        self._state.set_view(LinksSettings, **{field: on})

    @Slot(int)
    def _set_threshold(self, hundredths: int) -> None:
        self._state.set_view(LinksSettings, **{self._threshold[0]: hundredths})

    def _choose_pairing(self, pairing: Pairing) -> None:
        self._state.update(pairing=pairing)

    @Slot(object)
    def _switch_head(self, head: Head) -> None:
        """Off if it is on; the last one stays."""
        on = set(self._state.heads) ^ {head}
        if on:
            self._choose_heads(head, tuple(other for other in self._listed if other in on))

    @Slot(object)
    def _solo_head(self, head: Head) -> None:
        """This head alone; all of the legend if it is."""
        self._choose_heads(head, self._listed if self._state.heads == (head,) else (head,))

    def _choose_heads(self, head: Head, heads: tuple[Head, ...]) -> None:
        self._chosen = heads
        looked = self._state.head
        first = head if head in heads else looked if looked in heads else heads[-1]
        self._explorer.select_heads(first, heads)

    # ---------------------------------------------------------------- what is pointed at
    @Slot(object, object)
    def _hover(self, query: int | None, key: int | None) -> None:
        self._state.update(hover=Cell(query, key))

    @Slot(object, object)
    def _pin(self, query: int | None, key: int | None) -> None:
        self._state.update(marks=Marks())
        self._state.pin(Cell(query, key))

    @Slot(object, object)
    def _mark(self, query: int | None, key: int | None) -> None:
        mark(self._state, Cell(query, key))

    @Slot()
    def _unpin(self) -> None:
        self._state.update(pinned=Cell(), marks=Marks())
