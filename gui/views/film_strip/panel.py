"""FilmStripPanel: a generation step by step, like a film: what was chosen, out of what, and what each head looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from headscope.core.predict.results import GenerationStep
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.session.steps import Written, chosen, found_step, found_steps, log_probability, n_shared, row_of
from headscope.gui.views.film_strip.figure import film_strip_figure, frame_of
from headscope.gui.views.film_strip.paint.strip import FilmStripPicture, Frame, Strip
from headscope.gui.views.film_strip.player_bar import PlayerBar
from headscope.gui.views.film_strip.settings import FilmStripSettings
from headscope.gui.views.film_strip.step_panel import StepDetail
from headscope.gui.views.film_strip.widget import FilmStripView
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.plain import Label, plain

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_STRIPS = frozenset({"steps", "branches", "branch"})
_EVERYTHING = _STRIPS | {"dark", "step", "busy", "head", "kind", "model", "find"}
_LEAST_FOR_DIFFERENCE = 200
"""Pixels of height; in less the tool tip of the strips says it."""
_LEAST_FORKED = 10
"""New tokens of a fork, if there were fewer behind it."""


class FilmStripPanel(QWidget):
    """The steps as frames on a strip, a strip for each branch; choosing one shows in all pictures what the model saw then."""

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._at = -1  # the step in focus; its picture may still be on its way
        self._chose = False  # whether it was chosen here, and its row is therefore lit
        self._missed: frozenset[str] = _EVERYTHING
        self._frames: dict[int, tuple[tuple[Written, ...], tuple[Frame, ...]]] = {}
        self.hint = Label()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.hint.setContentsMargins(16, 4, 16, 8)
        self.bar = PlayerBar()
        self.bar.moved.connect(self._move_to)
        self.bar.started.connect(self._begin)
        self.bar.ticked.connect(self._advance)
        self.bar.speed_chosen.connect(self._set_speed)
        self.bar.whole_asked.connect(self._show_whole)
        self.strip = FilmStripView()
        self.strip.chosen.connect(self._choose)
        self.strip.pointed.connect(self._point_at)
        self.strip.played.connect(self.bar.play.toggle)
        self.difference = LineLabel(muted=True)
        self.difference.setMinimumHeight(self.difference.sizeHint().height())
        below = QHBoxLayout()
        below.setContentsMargins(16, 0, 16, 0)
        below.addWidget(self.difference)
        self.detail = StepDetail(state, explorer)
        self.detail.forked.connect(self._fork)
        self.detail.left.connect(self._light)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.hint, 1, Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.bar)
        column.addWidget(self.strip)
        column.addLayout(below)
        column.addWidget(self.detail, 1)
        self.setFocusProxy(self.strip)
        state.changed.connect(self._on_changed)
        self.bar.set_speed(state.view(FilmStripSettings).speed)
        self._show_hint()

    # ---------------------------------------------------------------- following the state
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "views.film_strip" in names:
            self.bar.set_speed(self._state.view(FilmStripSettings).speed)
        if not self.isVisible() or self.visibleRegion().isEmpty():  # what nobody sees costs nothing, nor behind another tab
            self._missed |= names
            return
        names, self._missed = names | self._missed, frozenset()
        if "dark" in names:
            self.strip.set_theme(theme_of(self._state.dark))
            self.detail.set_theme(theme_of(self._state.dark))
        if names & _STRIPS:
            self._chose = False
            self._frames = {branch: kept for branch, kept in self._frames.items() if branch < len(self._branches)}
        if names & (_STRIPS | {"step"}):
            self._at = self._shown
            self._show_strips(anew=bool(names & _STRIPS))
        if names & (_STRIPS | {"step", "busy", "model"}):
            self._show_hint()
        if names & (_STRIPS | {"find", "kind"}):
            self._show_found()
        if names & {"step", "record", "kind"} and self._chose:
            self._light()
        if names & {"head", "kind", "hover", "pinned", "busy", "keys", "lens"}:
            self.detail.follow_state()

    def _show_found(self) -> None:
        self.strip.set_found(found_steps(self._state))
        if (step := found_step(self._state)) is not None:
            self.strip.reveal(step)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._catch_up()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt shows nobody when a tab comes to the front, it only moves and paints."""
        super().paintEvent(event)
        if self._missed:
            QTimer.singleShot(0, self, self._catch_up)

    @Slot()
    def _catch_up(self) -> None:
        if self._missed:
            self._on_changed(frozenset())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.difference.setVisible(bool(self.difference.text()) and self.height() >= _LEAST_FOR_DIFFERENCE)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.bar.stop()

    @property
    def _branches(self) -> tuple[tuple[Written, ...], ...]:
        state = self._state
        return state.branches or ((state.steps,) if state.steps else ())

    @property
    def _shown(self) -> int:
        """The step whose picture is shown."""
        state = self._state
        last = len(state.steps) - 1
        return last if state.step is None else min(state.step, last)

    def _show_hint(self) -> None:
        state, some = self._state, bool(self._state.steps)
        for part in (self.bar, self.strip, self.detail):
            part.setVisible(some)
        self.hint.setVisible(not some)
        if not some:
            self.bar.stop()
        self.bar.whole.setEnabled(state.step is not None)
        abilities = state.model.abilities if state.model is not None else frozenset()
        if "generate" in abilities:
            self.hint.setText(self.tr("Generate text; each token becomes a frame here. Step back, play, or try another token."))
        elif "fill_mask" in abilities:
            self.hint.setText(self.tr("Fill the masks of a text one by one; each step becomes a frame here."))
        else:
            self.hint.setText(self.tr("Generation steps appear here. This model does not generate."))

    def _show_strips(self, *, anew: bool) -> None:
        """The strips and the step in focus; that alone if they are the same as before."""
        if not anew:
            self.strip.set_step(self._at)
            self._show_step()
            return
        state = self._state
        self.strip.set_picture(FilmStripPicture(self._strips()), state.branch if state.branches else 0, self._at)
        words = self._told_difference()
        self.difference.setVisible(bool(words) and self.height() >= _LEAST_FOR_DIFFERENCE)
        self.difference.set_text(words)
        self.difference.setToolTip(plain(words))
        self.strip.setToolTip(plain(words))
        self._show_step()

    def _strip(self, number: int, steps: tuple[Written, ...]) -> Strip:
        frames = self._frames_of(number, steps)
        if len(self._branches) < 2:
            return Strip(frames)
        note = self.tr("log p {number}").format(number=f"{log_probability(steps):.2f}")
        return Strip(frames, n_shared(steps, self._state.steps), self.tr("Branch {number}").format(number=number + 1), note)

    def figure(self) -> PaintedFigure | None:
        """The strips, in as many rows as there is room for; None while there is no step."""
        return film_strip_figure(self._strips(), self._state.branch if self._state.branches else 0)

    def _strips(self) -> tuple[Strip, ...]:
        return tuple(self._strip(number, steps) for number, steps in enumerate(self._branches))

    def _frames_of(self, number: int, steps: tuple[Written, ...]) -> tuple[Frame, ...]:
        """Those that were there before are not made anew."""
        known, frames = self._frames.get(number, ((), ()))
        if known and (len(steps) < len(known) or steps[len(known) - 1] is not known[-1]):
            known, frames = (), ()
        frames = (*frames, *(frame_of(step) for step in steps[len(known) :]))
        self._frames[number] = steps, frames
        return frames

    def _told_difference(self) -> str:
        """Where the branch that is looked at and the one that shares most with it part, and how probable both are."""
        here, branches = self._state.branch, self._branches
        others = [number for number, steps in enumerate(branches) if number != here and steps]
        if not others or not branches[here]:
            return ""
        shared, other = max((n_shared(branches[here], branches[number]), number) for number in others)
        pair = [(number, branches[number]) for number in sorted((here, other))]
        tokens = [chosen(steps[shared]).label if shared < len(steps) else self.tr("the end") for _, steps in pair]
        sums = [f"{log_probability(steps):.2f} ({len(steps)})" for _, steps in pair]
        words = self.tr(
            "Branches {one} and {two} diverge at step {step}: {first} or {second} · log-probability (tokens): {p} and {q}"
        )
        numbers = {"one": pair[0][0] + 1, "two": pair[1][0] + 1, "step": shared}
        return words.format(**numbers, first=tokens[0], second=tokens[1], p=sums[0], q=sums[1])

    def _show_step(self) -> None:
        steps, at = self._state.steps, self._at
        step = steps[at] if 0 <= at < len(steps) else None
        words = ""
        if step is not None:
            token = chosen(step)
            words = self.tr("step {step} / {last} · {token} {probability}").format(
                step=at, last=len(steps) - 1, token=token.label, probability=readable_probability(token.probability)
            )
        self.bar.set_place(at, len(steps), words)
        self.detail.show_step(step)

    # ---------------------------------------------------------------- what the user does
    @Slot(int)
    def _move_to(self, step: int) -> None:
        self._choose(self._state.branch, step)

    @Slot(int, int)
    def _choose(self, branch: int, step: int) -> None:
        """Look at a step; its picture follows."""
        state, branches = self._state, self._branches
        steps = branches[branch] if branch < len(branches) else ()
        if state.busy is not None or not 0 <= step < len(steps):
            self._show_step()  # the slider goes back to where one is
            return
        if branch != (state.branch if state.branches else 0):
            self._explorer.show_branch(branch)
        self._at, self._chose = step, True
        self.strip.set_step(step)
        self._show_step()
        self._explorer.show_step(step)
        if self._shown == step:
            self._light()

    @Slot()
    def _light(self) -> None:
        """Show in the pictures the row that chose the token of the step that is looked at."""
        state = self._state
        step = state.steps[self._shown] if self._chose and state.steps else None
        state.update(hover=Cell() if step is None else Cell(query=row_of(step, state.kind, state.queries)))

    @Slot(object)
    def _point_at(self, frame: tuple[int, int] | None) -> None:
        """The row that chose the token under the mouse, where the picture has it."""
        state = self._state
        if frame is None or frame[0] != state.branch:
            self._light()
        else:
            state.update(hover=Cell(query=row_of(state.steps[frame[1]], state.kind, state.queries)))

    @Slot()
    def _show_whole(self) -> None:
        self._chose = False
        self._explorer.show_step(None)

    @Slot(int)
    def _fork(self, token_id: int) -> None:
        steps, at = self._state.steps, self._at
        if 0 <= at < len(steps) and isinstance(step := steps[at], GenerationStep):
            self._explorer.fork(step, token_id, max(_LEAST_FORKED, len(steps) - at))

    # ---------------------------------------------------------------- playing
    @Slot(float)
    def _set_speed(self, speed: float) -> None:
        self._state.set_view(FilmStripSettings, speed=speed)

    @Slot()
    def _begin(self) -> None:
        """Play, from the beginning if one is at the end."""
        if self._at >= len(self._state.steps) - 1:
            self._choose(self._state.branch, 0)

    @Slot()
    def _advance(self) -> None:
        """The next step, once the picture of this one is there."""
        if self.visibleRegion().isEmpty():
            self.bar.stop()
        elif self._at == self._shown:
            self._choose(self._state.branch, self._at + 1)
        if self._at >= len(self._state.steps) - 1:
            self.bar.stop()
