"""The screen: panels, painting, the background lanes and the command line. Never imports torch or transformers."""

from collections.abc import Sequence
from typing import Any

if __name__ != "headscope.gui":
    raise ImportError("import headscope.gui: the folder 'gui' of a checkout is installed under that name")

__all__ = ["view"]


def view(attentions: Any, tokens: Sequence[str], key_tokens: Sequence[str] | None = None) -> Any:
    """Open a window on attention weights that you have: arrays, or what a transformers model returned.

    >>> output = model(**inputs, output_attentions=True)  # doctest: +SKIP
    >>> view(output.attentions, tokenizer.convert_ids_to_tokens(inputs.input_ids[0]))  # doctest: +SKIP

    Parameters
    ----------
    attentions, tokens, key_tokens
        See `headscope.core.attention.arrays.record_of`.

    Returns
    -------
    MainWindow
        After it was closed, if this function started Qt; at once, if a Qt program is running already.

    Raises
    ------
    HeadscopeError
        ``not_attention``, ``no_display``.
    """
    from headscope.gui.display import require_display

    require_display()
    from headscope.core.attention.arrays import record_of
    from headscope.gui.app import view_record

    return view_record(record_of(attentions, tokens, key_tokens))
