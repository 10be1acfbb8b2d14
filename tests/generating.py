"""What tests of generation share: tiny models made once, and what a plain pass over a finished text attends to."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import torch
import transformers as hf

from headscope.core.attention.record import AttentionRecord
from headscope.core.model import Model
from headscope.core.models.load import load_model
from tests import allowed
from tests.tiny_models import write_decoder, write_encoder_decoder

PROMPT = "the cat sat"


@cache
def folder_of(family: str) -> Path:
    """A tiny model of a family; not to be changed. "t5" has as many decoder as encoder layers, which transformers' generate needs."""
    write = write_encoder_decoder if family in ("t5", "bart") else write_decoder
    folder = write(Path(mkdtemp(prefix=family)), family)
    if family == "t5":
        config = hf.T5Config.from_pretrained(folder, num_layers=3)
        torch.manual_seed(0)
        hf.T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


@cache
def model_of(family: str) -> Model:
    """Opened by us; a toy's name opens the toy."""
    source = family if family.startswith("toy:") else str(folder_of(family))
    return load_model(source, device="cpu", dtype="float32")


@cache
def independent(family: str) -> hf.PreTrainedModel:
    """The same weights as transformers opens them, with its own eager attention."""
    kind = hf.AutoModelForSeq2SeqLM if family in ("t5", "bart") else hf.AutoModelForCausalLM
    return kind.from_pretrained(folder_of(family), attn_implementation="eager").eval()


def written_by_transformers(family: str, **options: object) -> list[int]:
    """The ids that transformers' own `generate` writes after PROMPT."""
    source, target = model_of(family).encode(PROMPT)
    ids = torch.tensor([source.ids])
    settings = {"do_sample": False, "pad_token_id": 0} | options
    answer = independent(family).generate(ids, attention_mask=torch.ones_like(ids), **settings)
    return answer[0, len((target or source).ids) :].tolist()


def difference_from_one_pass(model: Model, record: AttentionRecord, prompt: str = PROMPT) -> float:
    """How far a record's weights are from those of one eager pass over its tokens, as a share of what rounding explains."""
    ids = torch.tensor([[token.id for token in record.axis("decoder").queries.tokens]])
    inputs = {"input_ids": ids}
    if "cross" in record.kinds:
        inputs = {"input_ids": torch.tensor([model.encode(prompt)[0].ids]), "decoder_input_ids": ids}
    return max(
        allowed.difference(record.layer_weights(layer, kind), expected[0]) / allowed.of_weights(expected[0], model)
        for kind, layers in model.eager_attentions(inputs).items()
        for layer, expected in enumerate(layers)
    )
