"""The order in which Tab goes through a window: as one reads, whatever order its parts were made in."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QDockWidget, QScrollArea, QTabBar, QWidget

_MARGIN: Final = 8
"""Pixels around what comes into sight."""


def reading_order(window: QWidget) -> list[QWidget]:
    """All that Tab stops at in a window: part by part from the top, in each part row by row from the left.

    A dock is a part of its own, with the bar of tabs above it; so all of one view comes before the next.
    """
    stops = [widget for widget in window.findChildren(QWidget) if _is_stop(widget, window)]
    parts: dict[QWidget, list[QWidget]] = {}
    for widget in stops:
        parts.setdefault(_part_of(widget, window), []).append(widget)
    heads = in_rows([(part, _place(part, window)) for part in parts])
    return [widget for head in heads for widget in in_rows([(stop, _place(stop, window)) for stop in parts[head]])]


def in_rows(places: list[tuple[QWidget, QRect]]) -> list[QWidget]:
    """From the top to the bottom, and from the left to the right those whose middle is beside the first of a row."""
    left, found = sorted(places, key=lambda place: (place[1].top(), place[1].left())), list[QWidget]()
    while left:
        first = left[0][1]
        row = [place for place in left if place[1].top() <= max(first.top(), first.center().y())]  # one may have no height
        row.sort(key=lambda place: place[1].left())
        found += [widget for widget, _ in row]
        left = [place for place in left if place not in row]
    return found


def move_focus(window: QWidget, *, forwards: bool) -> bool:
    """Put the keyboard into what comes next, and that into sight; whether there is any."""
    order = reading_order(window)
    if not order:
        return False
    now, step = window.focusWidget(), 1 if forwards else -1
    at = next((at for at, widget in enumerate(order) if widget is now), None)
    target = order[(at + step) % len(order)] if at is not None else order[0 if forwards else -1]
    bring_into_sight(target)
    target.setFocus(Qt.FocusReason.TabFocusReason if forwards else Qt.FocusReason.BacktabFocusReason)
    return True


def bring_into_sight(widget: QWidget) -> None:
    """Scroll what it lies in as little as needed; of what is larger than its place the top left is seen."""
    area = widget.parentWidget()
    while area is not None:
        inner = area.widget() if isinstance(area, QScrollArea) else None
        if isinstance(area, QScrollArea) and inner is not None:
            place = QRect(widget.mapTo(inner, QPoint(0, 0)), widget.size())
            for bar, low, high, room in (
                (area.horizontalScrollBar(), place.left(), place.right(), area.viewport().width()),
                (area.verticalScrollBar(), place.top(), place.bottom(), area.viewport().height()),
            ):
                if high - low + 2 * _MARGIN > room or low - _MARGIN < bar.value():
                    bar.setValue(low - _MARGIN)
                elif high + _MARGIN > bar.value() + room:
                    bar.setValue(high + _MARGIN - room)
        area = area.parentWidget()


def _is_stop(widget: QWidget, window: QWidget) -> bool:
    if not (widget.focusPolicy() & Qt.FocusPolicy.TabFocus) or widget.focusProxy() is not None:
        return False
    if widget.window() is not window or not widget.isVisibleTo(window) or not widget.isEnabled():
        return False
    parent = widget.parentWidget()
    # Qt keeps bars of tabs that it does not need now beside the window
    return not isinstance(widget, QTabBar) or parent is None or parent.rect().intersects(widget.geometry())


def _part_of(widget: QWidget, window: QWidget) -> QWidget:
    """The dock that it is in, or under which it has tabs; else the uppermost widget that is not the window's whole middle."""
    part, above = widget, widget.parentWidget()
    while above is not None and above is not window:
        if isinstance(part, QDockWidget):
            return part
        if isinstance(part, QTabBar):
            docks = [dock for dock in above.findChildren(QDockWidget) if dock.isVisible() and not dock.isFloating()]
            below = [dock for dock in docks if dock.geometry().adjusted(0, -2 * part.height(), 0, 0).contains(part.geometry())]
            seen = [dock for dock in below if not dock.visibleRegion().isEmpty()]
            return seen[0] if seen else part
        if above.layout() is not None and above.parentWidget() is window:
            return part
        part, above = above, above.parentWidget()
    return part


def _place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
