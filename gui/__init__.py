"""The screen: panels, painting, the background lanes and the command line. Never imports torch or transformers."""

from typing import Any

if __name__ != "headscope.gui":
    raise ImportError("import headscope.gui: the folder 'gui' of a checkout is installed under that name")

__all__ = ["open_model", "save_figure", "view"]


def view(attentions: Any, tokens: Any = None, key_tokens: Any = None, *, tokenizer: Any = None) -> Any:
    """Open a window on attention weights that you have: arrays, a record, or what a transformers model returned.

    >>> output = model(**inputs, output_attentions=True)  # doctest: +SKIP
    >>> view(output, inputs, tokenizer=tokenizer)  # doctest: +SKIP

    Parameters
    ----------
    attentions, tokens, key_tokens, tokenizer
        See `headscope.core.attention.from_arrays.record_of`.

    Returns
    -------
    MainWindow or None
        In a Qt program: the window, at once. Else None, after the window was closed.

    Raises
    ------
    HeadscopeError
        ``attentions_missing``, ``dropout_active``, ``not_attention``, ``not_tokens``, ``no_display``.
    KeyboardInterrupt
        Ctrl+C, or a notebook's "interrupt", closed the window.
    """
    from headscope.gui.app.display import require_display

    require_display()
    from headscope.core.attention.from_arrays import record_of
    from headscope.gui.app.application import view_record

    return view_record(record_of(attentions, tokens, key_tokens, tokenizer=tokenizer))


def open_model(model: Any, tokenizer: Any = None, *, text: str | None = None) -> Any:
    """Open a window on a transformers model that is in memory: a fine-tuned or half-trained one.

    >>> open_model(model, tokenizer, text="the keys of the cabinet")  # doctest: +SKIP

    Parameters
    ----------
    model : PreTrainedModel or Model
        As it is, on its device; see `wrap_model` for what is changed in it during each pass. A `Model` needs no
        tokenizer.
    tokenizer : PreTrainedTokenizerFast
    text : str, optional
        What to run first.

    Returns
    -------
    MainWindow or None
        In a Qt program: the window, at once. Else None, after the window was closed.

    Raises
    ------
    HeadscopeError
        ``architecture_unsupported``, ``no_tokenizer``, ``no_attention``, ``no_display``.
    KeyboardInterrupt
        Ctrl+C, or a notebook's "interrupt", closed the window.
    """
    from headscope.gui.app.display import require_display

    require_display()
    from headscope.core.model import Model
    from headscope.core.models.load import wrap_model
    from headscope.gui.app.application import view_model

    return view_model(model if isinstance(model, Model) else wrap_model(model, tokenizer), text)


def save_figure(subject: Any, path: Any, view: str = "heatmap", heads: Any = None, **options: Any) -> Any:
    """Draw what a model did with a text, and write it to a PNG, SVG or PDF file; no window and no display are needed.

    >>> save_figure(record, "head.pdf", heads=(1, 2), width_mm=84, title="A head")  # doctest: +SKIP

    Parameters, results and errors are those of `headscope.gui.app.figures.save_figure`; options those of
    `headscope.gui.paint.figure.FigureOptions`.
    """
    from headscope.gui.app.figures import save_figure as save

    return save(subject, path, view, heads, **options)
