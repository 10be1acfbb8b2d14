"""Everything that is changed in a model while it is looked into, and the way back.

A model is changed for the length of a *turn* and at no other time: what was set is set back, bit for bit, also when something raises in
between. So between two passes it is its owner's, who may train, copy or save it. A turn belongs to one thread; others that want one
wait, and what is hooked in acts in that thread alone, so that somebody's own pass in another thread runs as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from threading import Lock, get_ident
from typing import Any, Final
from weakref import WeakKeyDictionary

from torch import nn

from headscope.core.counted import OneAtATime
from headscope.core.job import Cancel
from headscope.core.vocabulary import Backend

_ABSENT: Final = object()
_COMPILED: Final = "_compiled_call_impl"
"""Where a module that was compiled in place keeps what runs instead of it: what looks into a pass would be compiled with it."""
Names = MutableMapping[str, Any]
"""What an object or a module keeps by name: its `vars`, its parts."""
Hook = Callable[..., Any]
Parts = tuple[nn.Module, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for a name; `_ABSENT`: none."""

    names: Names
    name: str
    value: Any

    def make(self) -> Change:
        """Make it; answers the change that takes it back."""
        before = Change(self.names, self.name, self.names.get(self.name, _ABSENT))
        if self.value is _ABSENT:
            self.names.pop(self.name, None)
        else:
            self.names[self.name] = self.value
        return before


@dataclass(frozen=True, slots=True)
class Way:
    """How a model attends in a turn: what is changed in it, and what else has to be there meanwhile."""

    changes: tuple[Change, ...] = ()
    around: Callable[[Parts], AbstractContextManager[object]] = nullcontext

    @property
    def replaces_parts(self) -> bool:
        """Whether the model has other parts in such a turn."""
        return any(isinstance(change.value, nn.Module) for change in self.changes)


class Turn(ExitStack):
    """What is hooked into a model and changed in it until the end of the block. See `turn`.

    Attributes
    ----------
    parts : tuple of Module
        All of the model's, itself first. Nobody changes them in a turn, so that they are looked for once; between two, its owner may.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parts: Parts = ()

    def before(self, part: nn.Module, hook: Hook, *, with_kwargs: bool = False) -> None:
        """Call `hook` before each pass of a part in this thread; as torch's `register_forward_pre_hook`."""
        self.callback(part.register_forward_pre_hook(_in_this_thread(hook), with_kwargs=with_kwargs).remove)

    def after(
        self, part: nn.Module, hook: Hook, *, with_kwargs: bool = False, first: bool = False, always: bool = False
    ) -> None:
        """Call `hook` after each pass of a part in this thread; as torch's `register_forward_hook`."""
        handle = part.register_forward_hook(_in_this_thread(hook), prepend=first, with_kwargs=with_kwargs, always_call=always)
        self.callback(handle.remove)

    def instead(self, part: nn.Module, forward: Hook) -> None:
        """Let `forward` run in the place of a part's own, in this thread. (On the object, where accelerate puts one too.)"""
        self.change(Change(vars(part), "forward", _in_this_thread(forward, otherwise=part.forward)))

    def change(self, change: Change) -> None:
        """Make it, until the end of the block."""
        self.callback(change.make().make)


def _in_this_thread(hook: Hook, otherwise: Hook | None = None) -> Hook:
    thread = get_ident()

    def checked(*args: Any, **kwargs: Any) -> Any:
        if get_ident() == thread:
            return hook(*args, **kwargs)
        return otherwise(*args, **kwargs) if otherwise else None

    return checked


@dataclass(slots=True, eq=False)
class _Lock:
    """Of models that have no part in common with others; taken in the order in which they were made."""

    number: int = field(default_factory=count().__next__)
    lock: OneAtATime = field(default_factory=OneAtATime)


class Owner:
    """Who may change a model, and how it is to be changed.

    Attributes
    ----------
    ways : dict of name to Way
        How it can attend; found out once.
    way : Backend or None
        The one that it attends in when it is looked into.
    parts : tuple of Module
        In a turn, all of the model's.
    """

    def __init__(self, locks: tuple[_Lock, ...]) -> None:
        self.ways: dict[str, Way] = {}
        self.way: Backend | None = None
        self.locks = locks
        self.current: str | None = None
        self.depth = 0
        self.parts: Parts = ()

    @contextmanager
    def held(self, cancel: Cancel | None) -> Iterator[None]:
        """In one thread at a time, which may hold it several times over; whoever waits can be cancelled."""
        with ExitStack() as locks:
            for each in self.locks:
                locks.enter_context(each.lock.held(cancel))
            yield


_OWNERS: WeakKeyDictionary[nn.Module, Owner] = WeakKeyDictionary()
_guard = Lock()


def owner_of(module: nn.Module) -> Owner:
    """The one owner of a model's changes. Models that share parts take turns with each other."""
    with _guard:
        if (owner := _OWNERS.get(module)) is None:
            parts = set(parts_of(module))
            relatives = [other for one, other in _OWNERS.items() if not parts.isdisjoint(parts_of(one))]
            locks = {lock for relative in relatives for lock in relative.locks} or {_Lock()}
            owner = _OWNERS[module] = Owner(tuple(sorted(locks, key=lambda lock: lock.number)))
        return owner


def parts_of(module: nn.Module) -> Parts:
    """What `module.modules()` gives, in the same order, in less time."""
    found: dict[int, nn.Module] = {}
    waiting: list[nn.Module | None] = [module]
    while waiting:
        part = waiting.pop()
        if part is not None and id(part) not in found:
            found[id(part)] = part
            if inner := vars(part)["_modules"]:
                waiting += list(inner.values())[::-1]
    return tuple(found.values())


@contextmanager
def turn(module: nn.Module, *, way: str | None = None, cancel: Cancel | None = None) -> Iterator[Turn]:
    """Look into a model: inside this block it is in evaluation mode, attends in a way of ours, and can be hooked into.

    Parameters
    ----------
    module : Module
        The whole model.
    way : str, optional
        One of its owner's ways; the outer turn's, or the one it was installed with, if not given.
    cancel : Cancel, optional
        Looked at while another thread has its turn.

    Raises
    ------
    Cancelled
        While it waits.
    """
    owner = owner_of(module)
    with owner.held(cancel), Turn() as made:
        made.callback(setattr, owner, "depth", owner.depth)
        owner.depth += 1
        if owner.depth == 1:
            made.callback(setattr, owner, "parts", ())
            owner.parts = parts_of(module)
        wanted = way or (owner.way if owner.depth == 1 else owner.current)
        is_new = wanted is not None and (owner.depth == 1 or wanted != owner.current)
        if is_new and wanted is not None:
            made.callback(setattr, owner, "current", owner.current)
            owner.current = wanted
            made.enter_context(owner.ways[wanted].around(owner.parts))
            for change in owner.ways[wanted].changes:
                made.change(change)
            if owner.ways[wanted].replaces_parts:
                made.callback(setattr, owner, "parts", owner.parts)
                owner.parts = parts_of(module)
        if is_new or owner.depth == 1:
            for part in owner.parts:
                if part.training:
                    made.change(Change(vars(part), "training", False))
                if _COMPILED in vars(part):
                    made.change(Change(vars(part), _COMPILED, None))
        made.parts = owner.parts
        yield made


def changes_of(module: nn.Module, action: Callable[[], object]) -> tuple[Change, ...]:
    """What an action changes in a model's parts and configurations; all of it is taken back again."""
    before = [(names, dict(names)) for names in _names(module)]
    undo: list[Change] = []
    try:
        action()
    finally:
        made: list[Change] = []
        for names, old in before:
            for name in dict.fromkeys((*old, *names)):
                was, now = old.get(name, _ABSENT), names.get(name, _ABSENT)
                if was is not now:
                    made.append(Change(names, name, now))
                    undo.append(Change(names, name, was))
        for change in undo:
            change.make()
    return tuple(change for change in made if change.name != "training")


def _names(module: nn.Module) -> Iterator[Names]:
    passed: set[int] = set()
    for part in module.modules():
        yield vars(part)
        yield part._modules
        waiting = [getattr(part, "config", None)]
        while waiting:
            config = waiting.pop()
            if hasattr(config, "model_type") and id(config) not in passed:
                passed.add(id(config))
                yield vars(config)
                waiting += vars(config).values()
