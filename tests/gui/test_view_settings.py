"""Settings of the views: values that survive JSON, are undone, come back with the next start, and are what is drawn."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QWidget

from headscope.core.attention.lens import LENSES, SCORES, WEIGHTS, Lens
from headscope.gui.app.application import create_window
from headscope.gui.paint.color_maps import COLOR_MAPS
from headscope.gui.session.document import Document
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.session import Session
from headscope.gui.session.view_settings import Views, ViewSettings
from headscope.gui.session.views_of_session import default_views, has_default_views, views_from_json, views_to_json
from headscope.gui.views.generation.settings import HOTTEST, LARGEST_SEED, MOST_SWEEPS, GenerationViewSettings
from headscope.gui.views.heatmap.settings import HeatmapSettings
from headscope.gui.views.links.settings import LinksSettings
from headscope.gui.views.text.settings import TextSettings
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.palette.entries import entries_for
from headscope.gui.window.views import VIEWS
from tests.gui.screen import PATIENCE, said, settle
from tests.real_window import close, has_run, wait_until

KINDS = [view.settings for view in VIEWS]
OWN = [kind for kind in KINDS if kind is not ViewSettings]
LEFT, CTRL, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


# ---------------------------------------------------------------- JSON
def some(kind: Any, rng: np.random.Generator) -> Any:
    """Any value of an annotation."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Lens:
        return LENSES[str(rng.choice(list(LENSES)))]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{item.name: some(hints[item.name], rng) for item in fields(kind)})
    if origin in (Literal, Union, UnionType):
        chosen = args[rng.integers(len(args))]
        return chosen if origin is Literal else some(chosen, rng)
    if origin is frozenset or (origin is tuple and args[-1] is Ellipsis):
        return origin(some(args[0], rng) for _ in range(rng.integers(4)))
    if origin is tuple:
        return tuple(some(each, rng) for each in args)
    if kind is str:
        return str(rng.choice([*COLOR_MAPS, "", "weights", "é 一 \"'\n\0"]))
    return {bool: bool(rng.integers(2)), int: int(rng.integers(120)), float: float(rng.random() * 4), NoneType: None}[kind]


def some_settings(kind: type[ViewSettings], rng: np.random.Generator) -> ViewSettings:
    """Any that are sound."""
    values, hints = {}, get_type_hints(kind)
    for item in fields(kind):
        sound = item.metadata.get("sound") or (lambda _value: True)
        values[item.name] = next(value for value in iter(lambda hint=hints[item.name]: some(hint, rng), object) if sound(value))
    return kind(**values)


def test_every_view_has_settings_of_its_own_or_the_empty_ones() -> None:
    assert len({kind.VIEW for kind in OWN}) == len(OWN) >= 9
    assert all(view.settings.VIEW in ("", view.id) for view in VIEWS)
    assert all(get_args(hint) or hint in (bool, int, float, str) for kind in OWN for hint in _hints(kind))
    for kind in OWN:
        for item in fields(kind):
            sound = item.metadata.get("sound")
            assert sound is None or sound(item.default), "the default is sound"


def _hints(kind: type[ViewSettings]) -> list[Any]:
    hints = get_type_hints(kind)
    return [hints[item.name] for item in fields(kind)]


@pytest.mark.parametrize("kind", KINDS, ids=[view.id for view in VIEWS])
def test_settings_survive_json(kind: type[ViewSettings]) -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        settings = some_settings(kind, rng)
        assert kind.from_json(json.loads(json.dumps(settings.to_json()))) == settings


DAMAGED = (None, [], {}, "links", 7, {"version": 2}, {"version": "1"}, {"version": 1, "hidden": "much", "mode": 3, "ends": [1]})


@pytest.mark.parametrize("kind", KINDS, ids=[view.id for view in VIEWS])
@pytest.mark.parametrize("damaged", DAMAGED, ids=str)
def test_what_is_damaged_is_the_default(kind: type[ViewSettings], damaged: object) -> None:
    assert kind.from_json(damaged) == kind()
    assert Views.from_json({view.id: damaged for view in VIEWS}, KINDS) == Views()
    assert Views.from_json(damaged, KINDS) == Views()
    assert {"head_order": HeadOrder(), **views_from_json(damaged, KINDS)} == default_views()


def test_one_damaged_value_spares_the_others() -> None:
    kept = {"version": 1, "hidden": 51, "kept": 9, "by_mass": 1, "arcs": True, "whole": None, "gone by now": 3}
    assert LinksSettings.from_json(kept) == LinksSettings(arcs=True)
    kept = {"version": 1, "scale": "log", "ends": [0.8, 0.2], "color_map": "jet", "stretched": True}
    assert HeatmapSettings.from_json(kept) == HeatmapSettings("log", stretched=True)
    for ends in ([float("nan"), 1], [0, float("inf")], [-0.1, 1], [0.5, 0.5], [0, 1, 1], ["0", "1"]):
        assert HeatmapSettings.from_json({"version": 1, "ends": ends}) == HeatmapSettings()


def test_random_json_is_never_an_error() -> None:
    rng = np.random.default_rng(11)
    plain = (None, True, -1, 1e300, "", "x", [], [[0]], {}, {"a": []}, float("nan"), [0.1, 0.9], "log", 3)
    for _ in range(2000):
        kind = OWN[rng.integers(len(OWN))]
        kept = {item.name: plain[rng.integers(len(plain))] for item in fields(kind)}
        settings = kind.from_json({"version": 1, **kept})
        assert kind.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_the_document_survives_json(shared_window: MainWindow) -> None:
    now, rng, hints = Document.of(shared_window.state), np.random.default_rng(2), get_type_hints(Document)
    names = [item.name for item in fields(Document) if item.name not in ("model", "views")]
    for _ in range(200):
        views = Views()
        for kind in OWN:
            views = views.having(some_settings(kind, rng)) if rng.integers(2) else views
        document = replace(now, views=views, **{name: some(hints[name], rng) for name in names})
        kept = json.loads(json.dumps(document.to_json()))
        assert kept["model"] == "toy:grammar"
        assert Document.from_json(kept, KINDS, now.model) == document
    for damaged in (
        None,
        [],
        {},
        {**kept, "version": 0},
        {**kept, "head": [1]},
        {**kept, "kind": "both"},
        {**kept, "text": 3},
        {**kept, "lens": 3},
    ):
        assert Document.from_json(damaged, KINDS) is None
    assert Document.from_json({**kept, "views": 3}, KINDS, now.model) == replace(document, views=Views())


# ---------------------------------------------------------------- the session
def test_only_what_differs_is_told_and_kept() -> None:
    state = Session()
    told = said(state.changed)
    state.set_view(LinksSettings, arcs=False)
    assert told == []
    state.set_view(LinksSettings, arcs=True)
    state.set_view(LinksSettings, arcs=True)
    state.update(views=Views().having(LinksSettings(arcs=True)))
    assert told == [(frozenset({"views", "views.links"}),)]
    state.set_view(TextSettings, mode="to")
    assert told[1:] == [(frozenset({"views", "views.text"}),)]
    assert (state.view(LinksSettings), state.view(TextSettings)) == (LinksSettings(arcs=True), TextSettings("to"))
    state.update(views=Views())
    assert told[2:] == [(frozenset({"views", "views.links", "views.text"}),)]
    state.set_view(LinksSettings, arcs=True)
    state.set_view(LinksSettings, arcs=False)
    assert state.views == Views(), "what is as it was made is nothing that was changed"
    with pytest.raises(TypeError):
        state.set_view(LinksSettings, arc=True)


def test_a_new_session_has_the_defaults() -> None:
    assert has_default_views(Session())
    assert views_to_json(Session())["views"] == {}


# ---------------------------------------------------------------- the window
def click(qtbot, button: QWidget) -> None:
    qtbot.mouseClick(button, LEFT)


def keys(qtbot, widget: QWidget, key: Qt.Key, times: int) -> None:
    widget.setFocus()
    for _ in range(times):
        qtbot.keyClick(widget, key)


def _speed(panel) -> QWidget:
    return panel.bar.speed


Seen = Callable[[Any], Any]
CHOICES: dict[str, tuple[str, Callable[[Any, Any], None], Seen]] = {
    "scale": (
        "heatmap",
        lambda qtbot, panel: panel.controls.scale_actions["log"].trigger(),
        lambda panel: (panel.controls.scale.text(), panel.view.picture.cells.look.scale),
    ),
    "maximum": (
        "heatmap",
        lambda qtbot, panel: panel.to_maximum.trigger(),
        lambda panel: (panel.to_maximum.isChecked(), panel.view.picture.cells.look.stretched),
    ),
    "colours": (
        "heatmap",
        lambda qtbot, panel: panel.controls.color_actions["cividis"].trigger(),
        lambda panel: (panel.controls.color.text(), panel.view.picture.cells.look.color_map),
    ),
    "ends": (
        "heatmap",
        lambda qtbot, panel: keys(qtbot, panel.view, Qt.Key.Key_PageDown, 6),
        lambda panel: panel.view.picture.cells.look.ends,
    ),
    "threshold": (
        "links",
        lambda qtbot, panel: keys(qtbot, panel.threshold, Qt.Key.Key_Right, 9),
        lambda panel: (panel.threshold.value(), panel.by_mass.text(), panel.view.picture.choice),
    ),
    "mass": (
        "links",
        lambda qtbot, panel: click(qtbot, panel.by_mass),
        lambda panel: (panel.by_mass.isChecked(), panel.threshold.value(), panel.view.picture.choice),
    ),
    "arcs": (
        "links",
        lambda qtbot, panel: click(qtbot, panel.arcs),
        lambda panel: (panel.arcs.isChecked(), type(panel.view.picture)),
    ),
    "all links": ("links", lambda qtbot, panel: click(qtbot, panel.whole), lambda panel: panel.whole.isChecked()),
    "text": (
        "text",
        lambda qtbot, panel: click(qtbot, panel.modes["attribution"]),
        lambda panel: (panel.modes["attribution"].isChecked(), panel.rollout.isVisible(), panel.title.text()),
    ),
    "side": (
        "heads_by_token",
        lambda qtbot, panel: click(qtbot, panel.sides["key"]),
        lambda panel: [button.isChecked() for button in panel.sides.values()],
    ),
    "all tokens": ("heads_by_token", lambda qtbot, panel: click(qtbot, panel.whole), lambda panel: panel.whole.isChecked()),
    "own maximum": (
        "heads",
        lambda qtbot, panel: panel.own_maximum.trigger(),
        lambda panel: (panel.own_maximum.isChecked(), panel._picture.each_to_its_maximum),
    ),
    "mean": ("heads", lambda qtbot, panel: panel.mean.trigger(), lambda panel: panel.mean.isChecked()),
    "scatter": ("heads", lambda qtbot, panel: panel.as_points.trigger(), lambda panel: panel.scatter.isVisible()),
    "dimensions": (
        "arithmetic",
        lambda qtbot, panel: click(qtbot, panel.sorted),
        lambda panel: (panel.sorted.isChecked(), panel.view.sheet.is_sorted),
    ),
    "filters": (
        "predictions",
        lambda qtbot, panel: click(qtbot, panel.filters.asked),
        lambda panel: (panel.filters.asked.isChecked(), panel.filters.fields.isVisible()),
    ),
    "lens shows": (
        "logit_lens",
        lambda qtbot, panel: panel.modes["entropy"].trigger(),
        lambda panel: (panel.mode.text(), panel.view.shows),
    ),
    "more": (
        "generation",
        lambda qtbot, panel: click(qtbot, panel.fields.show_more),
        lambda panel: (panel.fields.show_more.text(), panel.fields.more.isVisible()),
    ),
    "speed": (
        "film_strip",
        lambda qtbot, panel: keys(qtbot, _speed(panel), Qt.Key.Key_Up, 4),
        lambda panel: _speed(panel).value(),
    ),
}


def test_each_setting_is_one_change_that_is_undone_and_made_again(qtbot, open_window: Callable) -> None:
    window = open_window("toy:tales", "once upon a time")
    state = window.state
    window.panel("generation").fields.max_new_tokens.setValue(3)
    window.commands.action("generate").trigger()
    settle(qtbot, state)
    for name, (view, choose, see) in CHOICES.items():
        window.bring_view(view)
        panel = window.panel(view)
        qtbot.waitUntil(panel.isVisible)
        settle(qtbot, state)
        before, seen, count = Document.of(state), see(panel), state.undoable
        choose(qtbot, panel)
        after, seen_after = Document.of(state), see(panel)
        assert set(after.differs_in(before)) - {"pooling"} == {"views"}, name
        assert seen_after != seen, name
        assert state.undoable == count + 1, name
        assert window.commands.action("undo").text() == f"Undo {view.replace('_', ' ')} settings"
        for document, looks in ((before, seen), (after, seen_after), (before, seen)):
            undoes = document is before
            qtbot.keyClick(panel, Qt.Key.Key_Z, CTRL if undoes else CTRL | SHIFT)
            settle(qtbot, state)
            assert Document.of(state) == document, name
            assert see(panel) == looks, name
    assert has_default_views(state)


def test_how_masks_are_filled_is_undone_and_within_the_fields(qtbot, open_window: Callable) -> None:
    window = open_window()
    state, panel = window.state, window.panel("generation")
    window.bring_view("generation")
    count = state.undoable
    click(qtbot, panel.by_chance)
    keys(qtbot, panel.gibbs.sweeps, Qt.Key.Key_Up, 3)
    keys(qtbot, panel.gibbs.temperature, Qt.Key.Key_Down, 2)
    assert state.view(GenerationViewSettings) == GenerationViewSettings("gibbs", 8, 0.8)
    assert (panel.gibbs.isVisible(), state.undoable) == (True, count + 2)
    window.history.undo()
    assert (panel.gibbs.sweeps.value(), panel.gibbs.temperature.value(), panel.by_chance.isChecked()) == (5, 1.0, True)
    window.history.undo()
    assert (panel.confident.isChecked(), panel.gibbs.isVisible(), has_default_views(state)) == (True, False, True)
    window.history.redo()
    assert panel.by_chance.isChecked()
    gibbs = panel.gibbs
    assert (gibbs.sweeps.maximum(), gibbs.temperature.maximum(), gibbs.seed.maximum()) == (MOST_SWEEPS, HOTTEST, LARGEST_SEED)


def test_a_slider_that_comes_back_to_where_it_was_is_no_change(qtbot, open_window: Callable) -> None:
    window = open_window()
    state, slider = window.state, window.panel("links").threshold
    window.bring_view("links")
    count = state.undoable
    keys(qtbot, slider, Qt.Key.Key_Right, 5)
    assert (state.undoable, state.view(LinksSettings).hidden) == (count + 1, 5)
    keys(qtbot, slider, Qt.Key.Key_Left, 5)
    assert (state.undoable, has_default_views(state)) == (count, True)
    keys(qtbot, slider, Qt.Key.Key_Right, 5)
    click(qtbot, window.panel("links").arcs)
    keys(qtbot, slider, Qt.Key.Key_Right, 5)
    assert state.undoable == count + 3, "something else was done in between"
    window.history.undo()
    assert slider.value() == 5
    assert window.panel("links").arcs.isChecked()


def test_scores_keep_the_scale_that_they_have_no_place_for(qtbot, open_window: Callable) -> None:
    window = open_window()
    state, panel = window.state, window.panel("heatmap")
    panel.controls.scale_actions["log"].trigger()
    panel.view.ends_moved.emit(0.2, 0.7)
    panel.controls.lens_actions["scores"].trigger()
    qtbot.waitUntil(lambda: state.lens == SCORES, timeout=PATIENCE)
    assert panel.controls.scale_actions["linear"].isChecked()
    assert not panel.controls.scale_actions["log"].isEnabled()
    panel.controls.lens_actions["weights"].trigger()
    qtbot.waitUntil(lambda: state.lens == WEIGHTS, timeout=PATIENCE)
    assert panel.controls.scale_actions["log"].isChecked()
    assert (panel.view.picture.cells.look.scale, panel.view.picture.cells.look.ends) == ("log", (0.2, 0.7))


COMMANDED = [
    *("heatmap_scale_log", "heatmap_scale_row", "heatmap_scale_rank", "heatmap_stretched", "heatmap_color_map_viridis"),
    *("links_arcs", "links_by_mass", "links_whole", "text_mode_to", "text_mode_surprisal", "text_mode_attribution"),
    *("text_rollout", "heads_own_maximum", "heads_scatter"),
]


def test_commands_set_what_controls_do_and_show_the_view(qtbot, open_window: Callable) -> None:
    window = open_window()
    state = window.state
    for id_ in COMMANDED:
        action = window.commands.action(id_)
        view = next(view.id for view in VIEWS if any(command.id == id_ for command in view.commands))
        window.desk.docks[view].close()
        before, count = state.views, state.undoable
        assert not action.isChecked(), id_
        action.trigger()
        qtbot.waitUntil(lambda view=view: window.is_view_seen(view))
        assert action.isChecked(), id_
        assert (state.views != before, state.undoable) == (True, count + 1), id_
        settle(qtbot, state)
        window.history.undo()
        assert state.views == before
        assert not action.isChecked(), id_
    palette = [entry.words for entry in entries_for(window.context, window.commands, "arcs")]
    assert palette[0] == "Arcs"


# ---------------------------------------------------------------- the next start
@pytest.fixture
def start(qapp, settings: QSettings):
    """Starts the program as a user does, who names no model."""
    windows = []

    def start_() -> MainWindow:
        window = create_window(None, None, settings)
        windows.append(window)
        window.show()
        wait_until(lambda: has_run(window))
        return window

    yield start_
    for window in windows:
        close(window)


def test_settings_come_back_with_the_next_start_and_can_be_reset(qtbot, start: Callable) -> None:
    first = start()
    assert not first.commands.action("reset_views").isEnabled()
    first.panel("heatmap").controls.scale_actions["rank"].trigger()
    click(qtbot, first.panel("links").arcs)
    first.panel("links").threshold.setValue(12)
    first.panel("text").set_mode("surprisal")
    first.panel("heads").mean.trigger()
    first.explorer.set_lens(SCORES)
    qtbot.waitUntil(lambda: first.state.lens == SCORES, timeout=PATIENCE)
    assert first.panel("links").threshold.value() == 0, "other numbers have a threshold of their own"
    first.panel("links").threshold.setValue(30)
    first.commands.action("sort_entropy").trigger()
    views, order = first.state.views, first.state.head_order
    close(first)
    second = start()
    state = second.state
    assert (state.views, state.lens, state.head_order, state.pooling) == (views, SCORES, order, "mean")
    assert state.undoable == 0, "what comes back is no change"
    links = second.panel("links")
    assert (links.arcs.isChecked(), links.threshold.value()) == (True, 30)
    assert second.panel("text").modes["surprisal"].isChecked()
    assert second.panel("heads").mean.isChecked()
    heatmap = second.panel("heatmap").view
    qtbot.waitUntil(lambda: heatmap.picture is not None and heatmap.picture.cells.look.scale == "rank", timeout=PATIENCE)
    second.commands.action("reset_views").trigger()
    assert has_default_views(state)
    assert (state.undoable, second.commands.action("undo").text()) == (1, "Undo reset view settings")
    assert not links.arcs.isChecked()
    second.history.undo()
    assert (state.views, state.head_order, state.pooling) == (views, order, "mean")


def test_settings_come_back_without_the_text_that_was_forgotten(start: Callable, settings: QSettings) -> None:
    first = start()
    first.panel("links").whole.click()
    first.commands.action("sort_entropy").trigger()
    close(first)
    settings.remove("session/last")
    second = start()
    assert second.panel("links").whole.isChecked()
    assert second.state.head_order == HeadOrder(), "which was about that text"


def test_another_language_leaves_the_settings(qtbot, open_window: Callable) -> None:
    window = open_window()
    window.panel("links").arcs.click()
    window.panel("text").set_mode("to")
    window._reword()
    assert window.panel("links").arcs.isChecked()
    assert window.panel("text").modes["to"].isChecked()
