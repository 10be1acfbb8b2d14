"""Origin: where the numbers of a figure come from, so that a file can be traced to a model and a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from PySide6.QtCore import QCoreApplication, QRectF, QSizeF
from PySide6.QtGui import QPainter

from headscope.core.vocabulary import Head
from headscope.gui.paint.figure import Figure, FigureOptions
from headscope.gui.paint.theme import Theme

_MOST_OF_TEXT: Final = 80
"""Characters of a text that a file says it is of."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What was looked at; what is empty is not known, or has no meaning for the figure.

    Attributes
    ----------
    model : str
        Its name.
    text : str
        As it was given; a file has its beginning.
    kind : str
        "encoder", "decoder" or "cross".
    heads : tuple of (layer, head)
    units, special : str
        As a `Units` has them.
    lens : str
        What of a head is shown, in the user's language.
    edited : bool
        Whether heads were changed inside the pass.
    step : int, optional
        Of a generation, from 0: the one that is looked at.
    """

    model: str = ""
    text: str = ""
    kind: str = ""
    heads: tuple[Head, ...] = ()
    units: str = ""
    special: str = "shown"
    lens: str = ""
    edited: bool = False
    step: int | None = None

    @property
    def words(self) -> str:
        """All of it in one line, and the program with its version; the same for the same figure, whenever it is written."""
        say = QCoreApplication.translate
        parts = [
            self.model and say("origin", "model {model}").format(model=self.model),
            self.text and say("origin", "text “{text}”").format(text=_shortened(self.text)),
            self.kind and say("origin", "{kind} attention").format(kind=self.kind),
            self.heads
            and say("origin", "heads {heads}").format(heads=", ".join(f"{layer}.{head}" for layer, head in self.heads)),
            self.lens,
            self.units and say("origin", "in {units}").format(units=self.units),
            {
                "hidden": say("origin", "special tokens hidden"),
                "renormalised": say("origin", "special tokens hidden, renormalised"),
                "first_hidden": say("origin", "special tokens and the first token hidden"),
                "first_renormalised": say("origin", "special tokens and the first token hidden, renormalised"),
            }.get(self.special, ""),
            self.edited and say("origin", "with edits to heads"),
            "" if self.step is None else say("origin", "step {step}").format(step=self.step),
            program(),
        ]
        return " · ".join(part for part in parts if part)


@cache
def program() -> str:
    """What wrote a file."""
    from importlib.metadata import version

    return f"Headscope {version('headscope')}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_OF_TEXT else f"{line[:_MOST_OF_TEXT].rstrip()}…"


@dataclass(frozen=True, slots=True, eq=False)
class SignedFigure:
    """A figure that knows where its numbers come from."""

    figure: Figure
    origin: Origin

    @property
    def about(self) -> str:
        """What it shows, and of what; the description of the file."""
        return f"{self.figure.about}. {self.origin.words}"

    @property
    def title(self) -> str:
        """What a file of it is called if nobody says otherwise."""
        return f"{self.figure.about} · {self.origin.model}" if self.origin.model else self.figure.about

    def size(self, options: FigureOptions) -> QSizeF:
        """As a `Figure`."""
        return self.figure.size(options)

    def paint_figure(self, painter: QPainter, area: QRectF, theme: Theme, options: FigureOptions, *, vector: bool) -> None:
        """As a `Figure`."""
        self.figure.paint_figure(painter, area, theme, options, vector=vector)
