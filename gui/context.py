"""Context: what panels and commands act on. Nobody but the window itself knows the window's class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from headscope.core.text.prompt import Prompt
from headscope.gui.control.appearance import Appearance
from headscope.gui.control.explorer import Explorer
from headscope.gui.session.recent_prompts import RecentPrompts
from headscope.gui.session.session import Session


class Window(Protocol):
    """What may be asked of the window."""

    # views and layouts, by their ids
    def panel(self, view: str) -> Any:
        """The panel of a view."""
        ...

    def toggle_view(self, view: str) -> None:
        """Close a view that is seen, else open it in front."""
        ...

    def bring_view(self, view: str) -> None:
        """Open a view in front, with the keyboard in it."""
        ...

    def is_view_open(self, view: str) -> bool:
        """Whether it is open, if only behind another."""
        ...

    def is_view_seen(self, view: str) -> bool:
        """Whether it is open and not behind another."""
        ...

    def focus_next_view(self, by: int) -> None:
        """Put the keyboard into the next (1) or the previous (-1) view that is seen."""
        ...

    @property
    def layout_id(self) -> str:
        """The layout that was chosen last."""
        ...

    def choose_layout(self, id_: str) -> None:
        """Arrange all views so; remembered."""
        ...

    def reset_layout(self) -> None:
        """The layout that was chosen last, as it was made."""
        ...

    def present(self, on: bool) -> None:
        """Full screen with large type, or back to the window as it was."""
        ...

    # models and texts
    def ask_model(self, how: str) -> None:
        """Let the user choose a model by its ``"name"``, ``"folder"`` or ``"gguf"`` file."""
        ...

    def open_model(self, source: str) -> None:
        """Open a model, on the device and in the number format that were chosen."""
        ...

    @property
    def recent_models(self) -> Sequence[str]:
        """The models that were opened last, latest first."""
        ...

    def ask_text_file(self) -> None:
        """Let the user choose a text file."""
        ...

    def edit_text(self) -> None:
        """Put the cursor into the text."""
        ...

    def use_text(self, text: Prompt) -> None:
        """Put a text that was run before in the place of the text, and run it."""
        ...

    def find_in_text(self) -> None:
        """Look for words in the tokens of the text."""
        ...

    def undo(self) -> None:
        """Take back the last change to the text or the selection."""
        ...

    def redo(self) -> None:
        """Do again what was taken back last."""
        ...

    # sheets
    def export(self) -> None:
        """Ask what to write, and where."""
        ...

    def show_palette(self) -> None:
        """Find a command, a head, an example, a model by a part of its name."""
        ...

    def show_settings(self) -> None:
        """What the user likes."""
        ...

    def show_shortcuts(self) -> None:
        """All keys and gestures."""
        ...

    def show_about(self) -> None:
        """What this program is."""
        ...

    def close_soon(self) -> None:
        """Close after the event that asks for it."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What is explored, what acts on it, and the window around it."""

    session: Session
    explorer: Explorer
    appearance: Appearance
    recent: RecentPrompts
    window: Window
