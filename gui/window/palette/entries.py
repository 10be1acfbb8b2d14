"""What the palette finds: every command, every head, layout, example, recent text and model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence

from headscope.core.models.examples import examples_for
from headscope.gui.commands.menus import MENUS
from headscope.gui.context import Context
from headscope.gui.window.actions import COMMANDS, Actions
from headscope.gui.window.palette.fuzzy import score

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


def entries_for(context: Context, actions: Actions, query: str) -> list[Entry]:
    """What fits `query`, best first; the commands in their order if it is empty."""
    found = [(_fit(query, entry), entry) for entry in _commands(context, actions)]
    if query.strip():
        found += [
            (None if value is None else value - _WORTH_LESS, entry)
            for entry in (*_examples(context), *_recent(context), *_models(context))
            if (value := score(query, entry.words)) is not None
        ]
    fitting = [(value, entry) for value, entry in found if value is not None]
    fitting.sort(key=lambda pair: -pair[0])
    return [*_heads(context, query), *(entry for _, entry in fitting)][:_MOST]


def _fit(query: str, entry: Entry) -> float | None:
    """How well a command fits: "entropy", "entropy sort", or, as menus are read, "sort entropy"."""
    fit = score(query, f"{entry.words} {entry.group}")
    return fit if fit is not None else score(query, f"{entry.group} {entry.words}")


def menu_path(id_: str) -> str:
    """A menu's title after those that it stands in, without marks for the keyboard."""
    menu = MENUS[id_]
    own = menu.words.replace("&", "")
    return f"{menu_path(menu.parent)} › {own}" if menu.parent else own


def keys_of(actions: Actions, id_: str) -> str:
    """A command's shortcuts as this computer writes them."""
    form = QKeySequence.SequenceFormat.NativeText
    return "  ".join(keys.toString(form) for keys in actions.action(id_).shortcuts())


def _commands(context: Context, actions: Actions) -> Iterator[Entry]:
    for command in COMMANDS:
        action = actions.action(command.id)
        words, keys = command.words.replace("&", ""), keys_of(actions, command.id)
        do: Callable[[], object] = action.trigger
        if command.menu == "views":  # who looks for a view wants to see it: the menu's check mark closes one as well
            do = partial(context.window.bring_view, command.id.removeprefix("view_"))
        yield Entry(words, menu_path(command.menu), keys, command.hint, do, action.isEnabled())


def _heads(context: Context, query: str) -> Iterator[Entry]:
    """ "5.1", "5 1", "L5H1", "layer 5 head 1": a head, if there is one of these numbers."""
    numbers = _TWO_NUMBERS.fullmatch(query)
    record = context.session.record
    if numbers is None or record is None or _HEAD_WORDS.fullmatch(query) is None:
        return
    layer, head = int(numbers[1]), int(numbers[2])
    kind = context.session.kind
    exists = layer in record.kept_layers(kind) and head < record.n_heads(kind)
    translate = QCoreApplication.translate
    words = translate("palette", "layer {layer} · head {head}").format(layer=layer, head=head)
    hint = translate("palette", "Select this head.") if exists else translate("palette", "This model has no such head.")
    yield Entry(words, translate("palette", "Head"), "", hint, partial(context.explorer.select_head, (layer, head)), exists)


def _examples(context: Context) -> Iterator[Entry]:
    translate = QCoreApplication.translate
    group = translate("palette", "Example")
    for example in examples_for(context.session.model) if context.session.model is not None else ():
        words = example.text if example.pair is None else f"{example.text} | {example.pair}"
        yield Entry(words, group, "", translate("examples", example.note), partial(context.explorer.use_example, example))


def _recent(context: Context) -> Iterator[Entry]:
    group = QCoreApplication.translate("palette", "Recent text")
    for text in context.recent.texts:
        yield Entry(text.words, group, "", "", partial(context.window.use_text, text))


def _models(context: Context) -> Iterator[Entry]:
    group = QCoreApplication.translate("palette", "Model")
    catalogue = context.session.catalogue
    listed = {entry.source: entry for entry in catalogue.entries} if catalogue is not None else {}
    for source, entry in listed.items():
        yield Entry(entry.name, group, "", entry.description, partial(context.window.open_model, source))
    for source in context.window.recent_models:
        if source not in listed:
            yield Entry(source, group, "", "", partial(context.window.open_model, source))
