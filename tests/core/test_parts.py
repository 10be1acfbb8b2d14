"""A model's parts are looked for once in each pass: those that it has then, by the names that torch gives them."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from torch import Tensor, nn

from headscope.core import Model, wrap_model
from headscope.core.attention.hooks import parts_of, turn
from headscope.core.attention.kept.owned import owning
from headscope.core.attention.stacks import is_encoder_decoder, roles
from headscope.core.numerics import same_maps
from tests.golden.families import FAMILIES, Family, built

_CROSS = re.compile(r"cross_?att|encoder_attn|EncDecAttention|encoder_decoder_attn", re.IGNORECASE)
_STACK = re.compile(r"(?:^|[._])(encoder|decoder)(?:\.|$)")
TEXT = "the cat sat on a mat"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_parts_and_what_their_names_say_are_those_of_torchs_own_walk(family: Family) -> None:
    module = built(family)
    named = {part: name for name, part in module.named_modules()}
    assert list(parts_of(module)) == list(named) == list(module.modules())
    found = roles(module, parts_of(module))
    assert found.cross == {
        part for part, name in named.items() if _CROSS.search(name) or getattr(part, "is_cross_attention", False)
    }
    stacks = {part: stack[1] for part, name in named.items() if (stack := _STACK.search(name))}
    assert found.stacks == (stacks if is_encoder_decoder(module) else {})


def test_a_part_that_stands_in_two_places_or_in_none_is_met_as_torch_meets_it() -> None:
    shared = nn.Linear(2, 2)
    module = nn.Sequential(nn.Sequential(shared, nn.ReLU()), shared, nn.Sequential(nn.Sequential(shared)))
    module.add_module("nothing", None)
    module[0].add_module("round", module[2])
    assert list(parts_of(module)) == list(module.modules())


class Holder(nn.Linear):
    """A layer with tensors of its own in every place where one can be."""

    def __init__(self) -> None:
        super().__init__(2, 3)
        self.register_buffer("table", torch.zeros(4), persistent=False)
        self.plain = torch.ones(4)
        self.listed, self.named = [torch.ones(2), 1], {"a": torch.ones(3)}
        self.number, self.nothing = 5, None

    def tensors(self) -> list[Tensor]:
        return [self.weight, self.bias, self.table, self.plain, self.listed[0], self.named["a"]]


@pytest.mark.parametrize("first", [False, True], ids=["torch's names first", "own names first"])
def test_whatever_a_part_holds_is_copied_and_nothing_else(first: bool) -> None:
    part = Holder()
    if first:
        held = dict(vars(part))
        vars(part).clear()
        vars(part).update({"plain": held.pop("plain"), **held})
    own = owning(parts_of(nn.Sequential(part, nn.ReLU())))
    for tensor in part.tensors():
        for view in (tensor, tensor[1:], tensor.detach().flatten()[:1]):
            assert own(view).data_ptr() != view.data_ptr()
            assert torch.equal(own(view), view)
    for other in (torch.ones(4), torch.ones(0), torch.ones(4, device="meta")):
        assert own(other) is other


def shown(look: Model) -> np.ndarray:
    record = look.capture(TEXT)
    return np.stack([record.layer_weights(layer, "encoder") for layer in range(record.n_layers("encoder"))])


def test_a_model_whose_owner_changes_it_between_two_passes_is_shown_as_it_is(originals: Path) -> None:
    module = hf.AutoModelForMaskedLM.from_pretrained(originals / "bert").train()
    tokenizer = hf.AutoTokenizer.from_pretrained(originals / "bert")
    look = wrap_model(module, tokenizer)
    layers = module.bert.encoder.layer

    def eager() -> np.ndarray:
        twin = copy.deepcopy(module).eval()
        twin.set_attn_implementation("eager")
        with torch.inference_mode():
            attentions = twin(**tokenizer(TEXT, return_tensors="pt"), output_attentions=True).attentions
        return np.stack([attention[0].numpy() for attention in attentions])

    def is_shown() -> bool:
        modes = [(part, part.training) for part in module.modules()]
        now, expected = shown(look), eager()
        assert [(part, part.training) for part in module.modules()] == modes
        return now.shape == expected.shape and all(map(same_maps, torch.tensor(now), torch.tensor(expected)))

    first = shown(look)
    assert is_shown()
    torch.manual_seed(1)
    layers[0].attention = type(layers[0])(module.config).attention  # it is new, and in training, with dropout
    assert is_shown()
    assert np.abs(shown(look) - first).max() > 0.01
    module.eval()
    layers[1].train()
    assert is_shown()
    layers[1] = type(layers[1])(module.config)
    assert is_shown()
    layers.append(type(layers[1])(module.config))
    assert is_shown()
    assert len(shown(look)) == len(first) + 1
    layers[2].attention.register_forward_hook(lambda _part, _args, output: output)
    assert is_shown()


def test_parts_are_those_of_the_turn_and_are_let_go_of_after_it() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    with turn(module) as outer:
        assert outer.parts == tuple(module.modules())
        with turn(module) as inner:
            assert inner.parts is outer.parts
    module.append(nn.ReLU())
    with turn(module) as later:
        assert later.parts == tuple(module.modules())
