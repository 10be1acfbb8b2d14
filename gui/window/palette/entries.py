"""What the palette finds: every command, every head, layout, example, recent text and model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence

from headscope.core.models.examples import examples_for
from headscope.gui.commands import COMMANDS, MENUS
from headscope.gui.window.palette.fuzzy import score

if TYPE_CHECKING:
    from headscope.gui.window.main_window import MainWindow

_MOST = 60
"""Lines in the list."""
_TWO_NUMBERS = re.compile(r"\D*(\d+)\D+(\d+)\D*")
_HEAD_WORDS = re.compile(r"(layer|head|l|h|\d|[\s.,:/·-])*", re.IGNORECASE)
_WORTH_LESS = 0.5
"""Texts and models come after commands that fit as well."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the palette: its words, where it belongs, its keys, and what it does."""

    words: str
    group: str
    keys: str
    hint: str
    do: Callable[[], object]
    enabled: bool = True


def entries_for(window: MainWindow, query: str) -> list[Entry]:
    """What fits `query`, best first; the commands in their order if it is empty."""
    found = [(_fit(query, entry), entry) for entry in _commands(window)]
    if query.strip():
        found += [
            (None if value is None else value - _WORTH_LESS, entry)
            for entry in (*_examples(window), *_recent(window), *_models(window))
            if (value := score(query, entry.words)) is not None
        ]
    fitting = [(value, entry) for value, entry in found if value is not None]
    fitting.sort(key=lambda pair: -pair[0])
    return [*_heads(window, query), *(entry for _, entry in fitting)][:_MOST]


def _fit(query: str, entry: Entry) -> float | None:
    """How well a command fits: "entropy", "entropy sort", or, as menus are read, "sort entropy"."""
    fit = score(query, f"{entry.words} {entry.group}")
    return fit if fit is not None else score(query, f"{entry.group} {entry.words}")


def menu_path(id_: str) -> str:
    """A menu's title after those that it stands in, without marks for the keyboard."""
    menu = MENUS[id_]
    own = menu.words.replace("&", "")
    return f"{menu_path(menu.parent)} › {own}" if menu.parent else own


def keys_of(window: MainWindow, id_: str) -> str:
    """A command's shortcuts as this computer writes them."""
    form = QKeySequence.SequenceFormat.NativeText
    return "  ".join(keys.toString(form) for keys in window.commands.action(id_).shortcuts())


def _commands(window: MainWindow) -> Iterator[Entry]:
    for command in COMMANDS:
        action = window.commands.action(command.id)
        words, keys = command.words.replace("&", ""), keys_of(window, command.id)
        do: Callable[[], object] = action.trigger
        if command.menu == "views":  # who looks for a view wants to see it: the menu's check mark closes one as well
            do = partial(window.desk.bring, command.id.removeprefix("view_"))
        yield Entry(words, menu_path(command.menu), keys, command.hint, do, action.isEnabled())


def _heads(window: MainWindow, query: str) -> Iterator[Entry]:
    """ "5.1", "5 1", "L5H1", "layer 5 head 1": a head, if there is one of these numbers."""
    numbers = _TWO_NUMBERS.fullmatch(query)
    record = window.state.record
    if numbers is None or record is None or _HEAD_WORDS.fullmatch(query) is None:
        return
    layer, head = int(numbers[1]), int(numbers[2])
    kind = window.state.kind
    exists = layer in record.kept_layers(kind) and head < record.n_heads(kind)
    translate = QCoreApplication.translate
    words = translate("palette", "layer {layer} · head {head}").format(layer=layer, head=head)
    hint = translate("palette", "Select this head.") if exists else translate("palette", "This model has no such head.")
    yield Entry(words, translate("palette", "Head"), "", hint, partial(window.explorer.select_head, (layer, head)), exists)


def _examples(window: MainWindow) -> Iterator[Entry]:
    group = QCoreApplication.translate("palette", "Example")
    for example in examples_for(window.state.model) if window.state.model is not None else ():
        words = example.text if example.pair is None else f"{example.text} | {example.pair}"
        yield Entry(words, group, "", example.note, partial(window.explorer.use_example, example))


def _recent(window: MainWindow) -> Iterator[Entry]:
    group = QCoreApplication.translate("palette", "Recent text")
    for text in window.recent_texts.texts:
        yield Entry(text.words, group, "", "", partial(window.use_text, text))


def _models(window: MainWindow) -> Iterator[Entry]:
    group = QCoreApplication.translate("palette", "Model")
    catalogue = window.state.catalogue
    listed = {entry.source: entry for entry in catalogue.entries} if catalogue is not None else {}
    for source, entry in listed.items():
        yield Entry(entry.name, group, "", entry.description, partial(window.picker.load, source))
    for source in window.picker.recent:
        if source not in listed:
            yield Entry(source, group, "", "", partial(window.picker.load, source))
