"""Figures without a window: what the command line and Python draw, through the same registry as the dialog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headscope.core.arguments import one_of, refuse, text, whole_number
from headscope.core.attention.lens import LENSES, WEIGHTS, Lens
from headscope.core.text.tokens import Units
from headscope.core.vocabulary import Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model
    from headscope.core.predict.results import FillStep, GenerationStep
    from headscope.core.run import Run
    from headscope.gui.paint.origin import Origin
    from headscope.gui.view_spec import FigureSpec, Subject

VIEWS: Final = (
    *("heads", "heatmap", "links", "arcs", "text", "heads_by_token", "arithmetic", "predictions", "logit_lens"),
    *("generation", "film_strip"),
)
"""All figures of the registry, for those who ask before Qt is there (a test compares)."""
_UNITS = ("tokens", "words", "sentences", "segments")
SPECIAL: Final = ("shown", "hidden", "renormalised", "first_hidden", "first_renormalised")
"""What can be done with special tokens; "first": with the first token, too."""


def figure_specs() -> dict[str, FigureSpec]:
    """All figures, by name."""
    from headscope.gui.window import views

    return {figure.id: figure for view in views.VIEWS for figure in view.figures}


def save_figure(
    subject: AttentionRecord | Run | Iterable[GenerationStep | FillStep],
    path: str | Path,
    view: str = "heatmap",
    heads: Head | Sequence[Head] | None = None,
    *,
    model: Model | None = None,
    kind: Kind | None = None,
    units: str = "tokens",
    special: str = "shown",
    lens: str = "weights",
    cell: tuple[int, int] | None = None,
    token: int | None = None,
    show: str | None = None,
    **options: Any,
) -> Path:
    """Draw what a model did with a text, and write it to a PNG, SVG or PDF file.

    >>> save_figure(record, "head.pdf", heads=(1, 2), width_mm=84)  # doctest: +SKIP
    >>> save_figure(record, "heads.svg", "links", [(1, 2), (1, 3)], title="Two heads", ground="transparent")  # doctest: +SKIP
    >>> save_figure(model.run(text), "guesses.pdf", "predictions", model=model)  # doctest: +SKIP
    >>> save_figure(model.generate("once upon a time"), "steps.pdf", "film_strip")  # doctest: +SKIP

    Parameters
    ----------
    subject : AttentionRecord, Run, or steps
        What `Model.capture`, `Model.run`, or `Model.generate` returned. "predictions", and "text" where it shows attribution, are
        of a run; "generation" and "film_strip" of steps; all others of any of these. "arithmetic" of a run ends with what the weight
        carries: other passes do not keep values.
    path : str or Path
        Its ending says in which form.
    view : str
        One of `VIEWS`.
    heads : (layer, head), or several
        From 0; the first of all if not given. "links", "arcs" and "text" (their mean) take several.
    model : Model, optional
        The one that it is of: for "logit_lens", "predictions", and "text" where it shows surprisal or attribution.
    kind : str, optional
        "encoder", "decoder" or "cross"; the record's first if not given.
    units, special : str
        "tokens", "words", "sentences" or "segments"; special tokens "shown", "hidden" or "renormalised" (hidden, and rows sum to 1
        again), or "first_hidden" or "first_renormalised": with them the first token.
    lens : str
        What the numbers are: the id of one of `LENSES`. A record that is seen through a lens already stays so if this is "weights".
    cell : (query, key), optional
        Whose "arithmetic".
    token : int, optional
        Of "text" and "heads_by_token": whose attention, a position in `units`.
    show : str, optional
        "attends_to" or "attended_by" ("text", "heads_by_token"); also "surprisal", "attribution", "rollout" ("text");
        "in_order" or "largest_first" ("arithmetic"); "probability", "entropy" or "token", the rank of the last layer's prediction
        ("logit_lens"). The first of them if not given.
    options
        See `FigureOptions`.

    Returns
    -------
    Path

    Raises
    ------
    HeadscopeError
        ``bad_option``, ``unknown_kind``, ``no_such_head``, ``no_such_position``, ``no_arcs_between_texts``, ``empty_region``,
        ``no_scores``, ``no_mask``, ``predicts_nothing``, …: what the model cannot do; and as `write_figure`.
    """
    from PySide6.QtCore import QLocale
    from PySide6.QtGui import QGuiApplication

    from headscope.gui.paint.figure import FigureOptions
    from headscope.gui.paint.fonts import load_fonts
    from headscope.gui.paint.formats import write_figure
    from headscope.gui.paint.origin import SignedFigure
    from headscope.gui.words.language import has_language, set_language

    one_of("view", view, VIEWS)
    names = {field.name for field in fields(FigureOptions)}
    for name in options:
        one_of("option", name, names)
    wanted, spec = FigureOptions(**options), figure_specs()[view]
    one_of("units", units, _UNITS)
    one_of("special", special, SPECIAL)
    one_of("lens", lens, LENSES)
    if show is not None and spec.shows:
        one_of("show", show, spec.shows)
    chosen = ((0, 0),) if heads is None else _several(heads)
    asked = {"kind": kind, "cell": cell, "token": token, "show": show, "lens": None if lens == "weights" else lens}
    asked |= {"units": None if units == "tokens" else units, "special": None if special == "shown" else special}
    _check_meant(spec, wanted, asked, 0 if heads is None else len(chosen))
    in_units = Units(units, special)  # type: ignore[arg-type]  # checked above
    drawn = _subject(subject, kind, chosen, in_units, LENSES[lens])
    drawn = replace(drawn, model=model, cell=_pair(cell), token=token, show=show or next(iter(spec.shows), ""))
    # Fonts belong to the application object; without a window it needs no display.
    application = QGuiApplication.instance() or QGuiApplication(["headscope", "-platform", "offscreen"])
    load_fonts()
    if not has_language(application):
        set_language(application, QLocale.system())
    figure = SignedFigure(spec.of_subject(drawn), _origin(drawn, spec, units, special))
    write_figure(figure, Path(text("path", str(path))), wanted)
    del application
    return Path(path)


def _subject(given: Any, kind: Kind | None, heads: tuple[Head, ...], units: Units, lens: Lens) -> Subject:
    """What is drawn, of whatever a model returned."""
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.predict.results import FillStep, GenerationStep
    from headscope.core.run import Run
    from headscope.gui.view_spec import Subject

    run, steps = None, ()
    if isinstance(given, Run):
        run, record = given, given.record
    elif isinstance(given, AttentionRecord):
        record = given
    else:
        steps = tuple(given) if isinstance(given, Iterable) else ()
        if not steps or not all(isinstance(step, GenerationStep | FillStep) for step in steps):
            refuse("subject", given, "a record, a run, or the steps of a generation")
        record = steps[-1].record
    shown = record.in_units(units)
    shown = shown if lens == WEIGHTS else shown.through(lens)
    return Subject(shown, kind or record.kinds[0], heads, record, run, steps)


def _origin(subject: Subject, spec: FigureSpec, units: str, special: str) -> Origin:
    """What the file says that it is of."""
    from headscope.gui.paint.origin import Origin
    from headscope.gui.session.origin import lens_words, text_of

    of_heads = bool(spec.obeys & {"head", "heads"})
    shown = text_of(subject.own.axis(subject.kind).keys)
    if spec.of == "steps" and subject.steps:
        shown = subject.steps[-1].text
    lens = subject.record.lens if "lens" in spec.obeys else WEIGHTS if of_heads else None
    return Origin(
        model="" if subject.model is None else subject.model.info.name,
        text=shown,
        kind=subject.kind if of_heads else "",
        heads=subject.heads if of_heads else (),
        units=units if "units" in spec.obeys else "",
        special=special,
        lens="" if lens is None else lens_words(lens),
    )


def _pair(cell: Any) -> tuple[int, int] | None:
    """A query and a key."""
    if cell is None:
        return None
    expected = "(query, key), both from 0"
    try:
        query, key = cell
    except (TypeError, ValueError):
        refuse("cell", cell, expected)
    return whole_number("cell", query, expected), whole_number("cell", key, expected)


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


def _check_meant(spec: FigureSpec, options: Any, asked: Mapping[str, Any], n_heads: int) -> None:
    """``bad_option`` where something is asked for that such a figure does not have, instead of leaving it out silently."""
    from headscope.gui.paint.figure import PLAIN

    for name in ("color_map", "scale", "region", "picked"):
        value = getattr(options, name)
        if value != getattr(PLAIN, name) and name not in spec.obeys:
            refuse(name, value, f"left out for {spec.id}")
    for name, value in asked.items():
        if value is not None and name.replace("special", "units") not in spec.obeys:
            refuse(name, value, f"left out for {spec.id}")
    if options.ground == "transparent" and "transparent" not in spec.obeys:
        refuse("ground", options.ground, f"light or dark for {spec.id}")
    if n_heads and not spec.obeys & {"head", "heads"}:
        refuse("head", n_heads, f"left out for {spec.id}")
    if n_heads > 1 and "heads" not in spec.obeys:
        refuse("head", n_heads, f"one head for {spec.id}")
