"""TallArea: what may be too tall for its place scrolls there; its width is what it needs."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from headscope.gui.widgets.tab_order import move_focus


class TallArea(QScrollArea):
    """`inner`, scrolled up and down: in a low window its parts are not squeezed, and a taller `inner` does not make the window grow."""

    def __init__(self, inner: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inner = inner
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inner)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return move_focus(self.window(), forwards=forwards)  # Qt would scroll a large part's end into sight

    def minimumSizeHint(self) -> QSize:
        width = self._inner.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.updateGeometry()  # type may have become smaller while it was hidden, of which no layout was told

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._inner and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()  # a part that is shown now may be wider
        return super().eventFilter(watched, event)
