"""Figures without a window: what the command line and Python draw, through the same registry as the dialog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headscope.core.arguments import one_of, refuse, text
from headscope.core.text.tokens import AS_TOKENS, Reading
from headscope.core.vocabulary import Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.gui.view_spec import FigureSpec

VIEWS: Final = ("heads", "heatmap", "links", "arcs")
"""Figures that a record is enough for: those in the registry that have `of_record` (a test compares)."""
_UNITS, _SPECIAL = ("tokens", "words", "sentences", "segments"), ("shown", "hidden", "renormalised")


def figure_specs() -> dict[str, FigureSpec]:
    """The figures that a record is enough for, by name."""
    from headscope.gui.window import views

    return {figure.id: figure for view in views.VIEWS for figure in view.figures if figure.of_record is not None}


def save_figure(
    record: AttentionRecord,
    path: str | Path,
    view: str = "heatmap",
    heads: Head | Sequence[Head] = (0, 0),
    *,
    kind: Kind | None = None,
    units: str = "tokens",
    special: str = "shown",
    **options: Any,
) -> Path:
    """Draw some heads of a record, and write them to a PNG, SVG or PDF file.

    >>> save_figure(record, "head.pdf", heads=(1, 2), width_mm=84)  # doctest: +SKIP
    >>> save_figure(record, "heads.svg", "links", [(1, 2), (1, 3)], title="Two heads", ground="transparent")  # doctest: +SKIP

    Parameters
    ----------
    record : AttentionRecord
    path : str or Path
        Its ending says in which form.
    view : str
        One of `VIEWS`.
    heads : (layer, head), or several
        From 0; "heads" shows all whatever these are.
    kind : str, optional
        "encoder", "decoder" or "cross"; the record's first if not given.
    units, special : str
        "tokens", "words", "sentences" or "segments"; special tokens "shown", "hidden" or "renormalised" (hidden, and rows sum to 1
        again).
    options
        See `FigureOptions`.

    Returns
    -------
    Path

    Raises
    ------
    HeadscopeError
        ``bad_option``, ``unknown_kind``, ``no_such_head``, ``no_arcs_between_texts``, ``empty_region``; and as `write_figure`.
    """
    from PySide6.QtGui import QGuiApplication

    from headscope.gui.paint.figure import FigureOptions
    from headscope.gui.paint.fonts import load_fonts
    from headscope.gui.paint.formats import write_figure
    from headscope.gui.view_spec import Subject

    one_of("view", view, VIEWS)
    names = {field.name for field in fields(FigureOptions)}
    for name in options:
        one_of("option", name, names)
    wanted, spec = FigureOptions(**options), figure_specs()[view]
    chosen = _several(heads)
    _check_meant(spec, wanted, len(chosen))
    one_of("units", units, _UNITS)
    one_of("special", special, _SPECIAL)
    reading = Reading(units, special)  # type: ignore[arg-type]  # checked above
    subject = Subject(record if reading == AS_TOKENS else record.read_as(reading), kind or record.kinds[0], chosen)
    # Fonts belong to the application object; without a window it needs no display.
    application = QGuiApplication.instance() or QGuiApplication(["headscope", "-platform", "offscreen"])
    load_fonts()
    if spec.of_record is not None:
        write_figure(spec.of_record(subject), Path(text("path", str(path))), wanted)
    del application
    return Path(path)


def _several(heads: Any) -> tuple[Head, ...]:
    """One head or several, as a tuple of (layer, head)."""
    try:
        found = tuple(heads)
        if found and not isinstance(found[0], Sequence):
            found = (found,)
        pairs = tuple((int(layer), int(head)) for layer, head in found)
    except (TypeError, ValueError):
        refuse("heads", heads, "(layer, head), or several of them")
    return tuple(dict.fromkeys(pairs)) or refuse("heads", heads, "at least one (layer, head)")


def _check_meant(spec: FigureSpec, options: Any, n_heads: int) -> None:
    """``bad_option`` where something is asked for that such a figure does not have, instead of leaving it out silently."""
    from headscope.gui.paint.figure import PLAIN

    for name in ("color_map", "scale", "region", "picked"):
        value = getattr(options, name)
        if value != getattr(PLAIN, name) and name not in spec.obeys:
            refuse(name, value, f"left out for {spec.id}")
    if options.ground == "transparent" and "transparent" not in spec.obeys:
        refuse("ground", options.ground, f"light or dark for {spec.id}")
    if n_heads > 1 and "heads" not in spec.obeys:
        refuse("head", n_heads, f"one head for {spec.id}")
