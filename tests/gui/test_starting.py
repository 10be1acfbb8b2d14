"""What is made before the window is painted first, and what only when it is seen."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from headscope.gui.app.application import create_window
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS
from tests.real_window import close, has_run, wait_until

LAPTOP, PROJECTOR = (1280, 800), (1920, 1080)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The views whose panels are made, in that order."""
    from headscope.gui.window import desk

    def told(context, view, create):
        names.append(view)
        return create(context)

    names: list[str] = []
    views = [replace(view, create=lambda context, view=view: told(context, view.id, view.create)) for view in VIEWS]
    monkeypatch.setattr(desk, "VIEWS", views)
    return names


@pytest.fixture
def window(made: list[str], settings: QSettings):
    windows = []

    def open_(size: tuple[int, int]) -> MainWindow:
        window = create_window("toy:grammar", None, settings)
        windows.append(window)
        window.resize(*size)
        window.reset_layout()
        return window

    yield open_
    for each in windows:
        close(each)


def test_one_view_is_made_before_the_first_paint(window, made: list[str]) -> None:
    opened = window(PROJECTOR)
    assert made == []
    before: list[list[str]] = []
    opened.first_painted.connect(lambda: before.append(list(made)))
    opened.show()
    wait_until(lambda: bool(before))
    assert before == [["heatmap"]]


@pytest.mark.parametrize("size", [LAPTOP, PROJECTOR], ids=["laptop", "projector"])
def test_what_is_seen_follows_and_what_is_behind_a_tab_does_not(window, made: list[str], size: tuple[int, int]) -> None:
    opened = window(size)
    opened.show()
    wait_until(lambda: has_run(opened))
    seen = {view.id for view in VIEWS if opened.is_view_seen(view.id)}
    assert set(made) == seen
    assert len(made) == len(seen) < len(VIEWS)  # each once
    assert all(opened.panel(name).isVisible() for name in seen)


def test_a_view_is_made_when_its_tab_comes_to_the_front(window, made: list[str]) -> None:
    opened = window(LAPTOP)
    opened.show()
    wait_until(lambda: has_run(opened))
    assert "text" not in made
    opened.desk.docks["text"].raise_()
    wait_until(lambda: "text" in made)
    assert opened.panel("text").isVisible()
    wait_until(lambda: opened.panel("text").view.passage.text != "")  # it shows what was run before it was there
    assert made.count("text") == 1


def test_a_view_that_is_asked_for_is_made_but_not_shown(window, made: list[str]) -> None:
    opened = window(LAPTOP)
    opened.show()
    wait_until(lambda: has_run(opened))
    panel = opened.panel("film_strip")
    assert made[-1] == "film_strip"
    QApplication.processEvents()
    assert not panel.isVisible()
    assert opened.desk.docks["film_strip"].isAncestorOf(panel)


def test_the_model_is_opened_when_all_that_is_seen_is_made(window, made: list[str]) -> None:
    opened = window(PROJECTOR)
    at_start: list[bool] = []
    opened.state.changed.connect(
        lambda names: at_start.append(all(n in made for n in seen())) if opened.state.busy and not at_start else None
    )

    def seen() -> list[str]:
        return [view.id for view in VIEWS if opened.is_view_seen(view.id)]

    opened.show()
    wait_until(lambda: bool(at_start))
    assert at_start == [True]
