"""ArithmeticView: the steps of a cell's arithmetic, to be read from top to bottom; bars tell their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from headscope.gui.paint.focus import paint_focus_frame
from headscope.gui.paint.theme import Theme, theme_of
from headscope.gui.views.arithmetic.paint.sheet import Pointed, Sheet, paint_sheet
from headscope.gui.views.arithmetic.paint.spoken import spoken
from headscope.gui.views.arithmetic.steps import Bars, Equation, Heading, Row, Sentence, Step, number_text
from headscope.gui.widgets.turns import paint_in_turn

_LEAST_WIDTH = 244
_FIRST_HEIGHT = 200


class ArithmeticView(QWidget):
    """Formulas, numbers and bars.

    Pointing at a bar, or ← → Home End, tells the numbers of its dimension; Tab goes from one group of bars to the next.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme = theme_of(False)
        self._sheet = Sheet((), _LEAST_WIDTH)
        self._pointed: Pointed | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Arithmetic of a cell"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        self._lay_out(Sheet(self._sheet.steps, self.width(), self._sheet.is_sorted))  # type may have become other type

    def set_steps(self, steps: Sequence[Step]) -> None:
        """Show these; the dimension that is pointed at stays where it is still there."""
        self._lay_out(Sheet(tuple(steps), self.width(), self._sheet.is_sorted))
        self.setAccessibleDescription("\n".join(_spoken(step) for step in steps if _spoken(step)))

    def set_sorted(self, is_sorted: bool) -> None:
        """Dimensions from the largest product to the smallest, or as they are numbered."""
        self._lay_out(Sheet(self._sheet.steps, self.width(), is_sorted))

    @property
    def sheet(self) -> Sheet:
        """What is shown, and where."""
        return self._sheet

    @property
    def pointed(self) -> Pointed | None:
        """The dimension whose numbers are shown."""
        return self._pointed

    def sizeHint(self) -> QSize:
        return QSize(_LEAST_WIDTH, round(self._sheet.height) or _FIRST_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _lay_out(self, sheet: Sheet) -> None:
        taller = sheet.height != self._sheet.height
        self._sheet = sheet
        if self._pointed is not None and self._pointed.dimension not in sheet.order(self._pointed.group):
            self._pointed = None
        if taller:
            self.updateGeometry()
        paint_in_turn(self)

    # ---------------------------------------------------------------- events
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_sheet(painter, self._sheet, self._theme, QRectF(event.rect()), self._pointed, focused=self.hasFocus())
        if self.hasFocus():
            paint_focus_frame(painter, self.rect(), self._theme)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._lay_out(Sheet(self._sheet.steps, self.width(), self._sheet.is_sorted))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._sheet.at(event.position())
        if found is not None or not self.hasFocus():
            self._point(found)

    def leaveEvent(self, _event: QEvent) -> None:
        if not self.hasFocus():
            self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        groups = self._sheet.groups()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Home: -(10**6), Qt.Key.Key_End: 10**6}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not groups:
            super().keyPressEvent(event)
            return
        group = self._pointed.group if self._pointed is not None else groups[0]
        order = list(self._sheet.order(group))
        column = order.index(self._pointed.dimension) + step if self._pointed is not None else 0
        self._point(Pointed(group, order[min(max(column, 0), len(order) - 1)]))

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes through the groups of bars before it leaves."""
        groups = self._sheet.groups()
        place = groups.index(self._pointed.group) + (1 if forward else -1) if self._pointed is not None else -1
        if self._pointed is not None and 0 <= place < len(groups):
            self._point(Pointed(groups[place], self._sheet.order(groups[place])[0]))
            return True
        return super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._pointed is None and event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            groups = self._sheet.groups()
            if groups:
                group = groups[0 if event.reason() == Qt.FocusReason.TabFocusReason else -1]
                self._point(Pointed(group, self._sheet.order(group)[0]))
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point(None)
        paint_in_turn(self)

    def _point(self, pointed: Pointed | None) -> None:
        if pointed == self._pointed:
            return
        for each in (self._pointed, pointed):
            if each is not None:
                self.update(self._sheet.area_of(each.group).adjusted(-8, -4, 8, 4).toAlignedRect())
        self._pointed = pointed


def _spoken(step: Step) -> str:
    """A step in words, for who cannot see it."""
    match step:
        case Heading(text) | Sentence(text):
            return text
        case Equation(formula, value, remark):
            return f"{spoken(formula)} = {value}. {remark}".rstrip()
        case Bars(_, name, numbers):
            return f"{name}: {len(numbers)}"
        case Row(keys):
            return "; ".join(f"{key.label} {number_text(key.score, 3)}, {number_text(key.weight, 3)}" for key in keys)
        case _:
            return ""
