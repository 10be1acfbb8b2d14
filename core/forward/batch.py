"""Several texts in one pass, made equally long with padding behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from headscope.core.arguments import checked
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.intervention import Edits
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.text.tokenizer import Encoded
from headscope.core.text.tokens import Token

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids


@checked
def capture_batch(
    model: BaseModel,
    texts: Sequence[str | Ids],
    pairs: Sequence[str | None] | None = None,
    targets: Sequence[str | None] | None = None,
    *,
    intervention: Edits | None = None,
    job: Job | None = None,
) -> list[AttentionRecord]:
    """The attention of one pass over several texts.

    Parameters
    ----------
    texts, pairs, targets : sequence of str
        One for each text of the batch, as `BaseModel.capture` takes them.
    intervention : Intervention
        Edits may name a text by its place in `texts` (`Edit.batch`).

    Returns
    -------
    list of AttentionRecord
        One for each text. Padding tokens stand at the end of the axes (special, of the model's padding id); a text's own tokens
        attend as they do without the others, and give padding no weight.

    Raises
    ------
    HeadscopeError
        ``empty_text``, ``bad_option``, ``out_of_memory``, and of edits as `BaseModel.observe`.
    Cancelled
    """
    if not texts:
        raise HeadscopeError("empty_text")
    n = len(texts)
    for option, given in (("pairs", pairs), ("targets", targets)):
        if given and len(given) != n:
            raise HeadscopeError("bad_option", option=option, value=f"{len(given)} texts", expected=f"as many as texts: {n}")
    encoded = [model.encode(*each) for each in zip(texts, pairs or [None] * n, targets or [None] * n, strict=True)]
    sources = _padded(model, [source for source, _ in encoded])
    written = [target for _, target in encoded if target is not None]
    padded_targets = _padded(model, written) if written else [None] * n
    axes = [
        model.axes(source.axis, target.axis if target else None) for source, target in zip(sources, padded_targets, strict=True)
    ]
    intervention = None if intervention is None else model.check(intervention, axes[0], n_texts=n)
    recorder = recorder_for(model.module, model.info.backend, intervention=intervention, job=job)
    with recorder.recording():
        model.forward(_inputs(model, encoded, sources, padded_targets), logits_to_keep=1)
    return [recorder.record(each, backend=model.info.backend, batch=batch) for batch, each in enumerate(axes)]


def _padded(model: BaseModel, texts: Sequence[Encoded]) -> list[Encoded]:
    """Behind the text: positions count the same as without padding, in every family."""
    longest = max(len(text.ids) for text in texts)
    pad_id = _pad_id(model)
    padding = Token(model.tokenizer.candidate(pad_id)[1], pad_id, special=True)
    return [
        Encoded(
            text.ids + (pad_id,) * (longest - len(text.ids)),
            text.segments + (0,) * (longest - len(text.ids)),
            replace(text.axis, tokens=text.axis.tokens + (padding,) * (longest - len(text.ids))),
        )
        for text in texts
    ]


def _pad_id(model: BaseModel) -> int:
    """The model's own, which RoBERTa's kin do not count as a position; any will do for a model without one."""
    config: Any = model.module.config
    found = getattr(config, "pad_token_id", None)
    return found if isinstance(found, int) and found >= 0 else 0


def _inputs(
    model: BaseModel,
    encoded: Sequence[tuple[Encoded, Encoded | None]],
    sources: Sequence[Encoded],
    targets: Sequence[Encoded | None],
) -> dict[str, Tensor]:
    rows = [model.inputs(source, target) for source, target in zip(sources, targets, strict=True)]
    inputs = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    inputs["attention_mask"] = _is_text([source for source, _ in encoded], inputs["input_ids"])
    written = [target for _, target in encoded if target is not None]
    if written and model.accepts("decoder_attention_mask"):
        inputs["decoder_attention_mask"] = _is_text(written, inputs["decoder_input_ids"])
    return inputs


def _is_text(texts: Sequence[Encoded], ids: Tensor) -> Tensor:
    lengths = torch.tensor([len(text.ids) for text in texts], device=ids.device)
    return (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).long()
