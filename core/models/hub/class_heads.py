"""Which head for classes, tags or answers a transformers model has, seen in what a pass gives.

A class's name says what its head is for, and the pass whether it really gives that: some question answering models search
with beams (XLNet, XLM) or choose cells of a table (TAPAS).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor
from transformers import PreTrainedModel

from headscope.core.attention.hooks import Change, Turn, turn
from headscope.core.models.hub import attention
from headscope.core.predict.classes import problem_of, readable_labels
from headscope.core.target import Link
from headscope.core.text.tokenizer import Encoded
from headscope.core.vocabulary import Ability

_ENDINGS: Final[dict[str, Ability]] = {
    "ForSequenceClassification": "classify",
    "ForTokenClassification": "tag",
    "ForQuestionAnswering": "answer",
    "ForQuestionAnsweringSimple": "answer",
    "ForPreTraining": "tag",
}
_REPLACED: Final = ("original", "replaced")
"""What ELECTRA's discriminator tells apart."""
_NOBODYS_ID: Final = -1


@dataclass(frozen=True, slots=True)
class ClassHead:
    """What a head for classes gives.

    Attributes
    ----------
    ability : Ability
    labels : tuple of str
        Of classes or tags.
    link : Link
    """

    ability: Ability
    labels: tuple[str, ...] = ()
    link: Link = "softmax"


def class_head(model: PreTrainedModel) -> ClassHead | None:
    """The head of a model for classes, tags or answers; None if it has none, or one that gives something else."""
    name = type(model).__name__
    ability = next((ability for ending, ability in _ENDINGS.items() if name.endswith(ending)), None)
    if ability is None or (name.endswith("ForPreTraining") and model.get_output_embeddings() is not None):
        return None
    with torch.inference_mode():
        output = model(**attention.probe(model))
    logits: Tensor | None = getattr(output, "logits", None)
    if ability == "answer":
        plain = getattr(output, "start_logits", None) is not None and getattr(output, "end_logits", None) is not None
        return ClassHead("answer") if plain else None
    if logits is None:
        return None
    if ability == "tag" and name.endswith("ForPreTraining"):
        return ClassHead("tag", _REPLACED) if logits.dim() == 2 else None
    if logits.dim() != (2 if ability == "classify" else 3):
        return None
    n_labels = int(logits.shape[-1])
    link = problem_of(model.config.problem_type, n_labels) if ability == "classify" else "softmax"
    return ClassHead(ability, _labels(model, n_labels, link), link)


def _labels(model: PreTrainedModel, n_labels: int, link: Link) -> tuple[str, ...]:
    known = model.config.id2label
    known = known if isinstance(known, dict) else {}
    labels = readable_labels([known.get(at, known.get(str(at), "")) for at in range(n_labels)])
    return ("score",) if link == "identity" and labels == ("label 0",) else labels


# ---------------------------------------------------------------- what a classifier's decoder reads
def first_of_decoder(model: PreTrainedModel) -> int | None:
    """What a classifier's decoder reads before the text itself: a token's id, or None for the text's own last token (mBART).

    Seen in a pass in which the model makes the decoder's text.
    """
    seen: list[Tensor] = []

    def look(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seen.append(kwargs["input_ids"] if "input_ids" in kwargs else args[0])

    inputs = attention.probe(model)
    with turn(model) as hooks, torch.inference_mode():
        hooks.before(model.get_decoder(), look, with_kwargs=True)
        model(input_ids=inputs["input_ids"])
    first = int(seen[0][0, 0])
    return None if first == int(inputs["input_ids"][0, -1]) else first


def shifted(source: Encoded, first: int | None, label: str) -> Encoded:
    """What a classifier's decoder reads: the text, one token later."""
    tokens = source.axis.tokens
    start = tokens[-1] if first is None else replace(tokens[0], text=label, id=first, start=-1, end=-1, special=True)
    return Encoded.of(replace(source.axis, tokens=(start, *tokens[:-1])))


# ---------------------------------------------------------------- which position a classifier reads
def class_position(model: PreTrainedModel, source: Encoded, target: Encoded | None, cls_id: int | None) -> int | None:
    """The position of the last stack that a classifier's head reads; None for one that takes the mean over all.

    An encoder's is its [CLS], a decoder's (`source` is then what it reads) the last token that is no padding, an
    encoder-decoder's the last end mark of the text.
    """
    config: Any = model.config
    if hasattr(model, "sequence_summary"):  # XLNet's and XLM's
        return {"last": len(source.ids) - 1, "first": 0}.get(config.summary_type)
    if target is not None:
        ends = [at for at, id_ in enumerate(source.ids) if id_ == config.eos_token_id]
        return ends[-1] if ends and hasattr(model, "classification_head") else len(target.ids) - 1
    if getattr(config, "classifier_pooling", None) == "mean":
        return None
    return next((at for at, id_ in enumerate(source.ids) if id_ == cls_id), 0)


def last_position(model: PreTrainedModel, source: Encoded) -> int:
    """The position that a classifier on a decoder reads: the last token that is no padding."""
    pad = model.config.get_text_config().pad_token_id
    return max((at for at, id_ in enumerate(source.ids) if id_ != pad), default=0)


def allow_copies(changes: Turn, model: PreTrainedModel, inputs: Mapping[str, Any]) -> None:
    """Let a classifier on a decoder read several texts of one length, which it refuses where it has no padding token."""
    config: Any = model.config.get_text_config()
    classifies = type(model).__name__.endswith("ForSequenceClassification")
    if classifies and len(inputs["input_ids"]) > 1 and getattr(config, "pad_token_id", 0) is None:
        changes.change(Change(vars(config), "pad_token_id", _NOBODYS_ID))
