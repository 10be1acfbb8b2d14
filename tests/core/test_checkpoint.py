"""Weights that are damaged, missing, of another shape or not weights at all: refused by name, never made up, never executed."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.models.load import load_model
from tests.spoiled import WEIGHTS, edit_config, edit_weights, refused, tensor, with_header, without

pytestmark = pytest.mark.usefixtures("alone")

QUERY = "bert.encoder.layer.1.attention.self.query.weight"
BIN, INDEX = "pytorch_model.bin", "model.safetensors.index.json"


# ---------------------------------------------------------------- safetensors
@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 1000, -200_000, -1])
def test_a_file_that_was_cut_short_is_said_so(engine: Engine, bert: Path, length: int) -> None:
    path = bert / WEIGHTS
    path.write_bytes(path.read_bytes()[:length])
    error = refused(engine, bert)
    assert error.code == "checkpoint_damaged"
    assert WEIGHTS in error.message


@pytest.mark.parametrize(
    "header",
    [
        b"[[[[",
        {},
        {"__metadata__": {"format": "pt"}},
        tensor([7, 7], 0, 4),
        tensor([1], 0, 10**15),
        tensor([-1], 0, 4),
        tensor([1], 0, 4, "Q9"),
    ],
    ids=str,
)
def test_a_header_that_lies_is_said_so(engine: Engine, bert: Path, header: object) -> None:
    assert refused(engine, with_header(bert, header, b"1234")).code == "checkpoint_damaged"


def test_what_git_lfs_leaves_in_place_of_a_file_is_said_so(engine: Engine, bert: Path) -> None:
    (bert / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n")
    assert "Git LFS" in refused(engine, bert).message


@pytest.mark.parametrize(("model", "part"), [("bert", "layer.1."), ("gpt2", "h.1."), ("t5", "block.1.")])
def test_weights_that_are_missing_are_never_made_up(
    engine: Engine, originals: Path, tmp_path: Path, model: str, part: str
) -> None:
    folder = Path(shutil.copytree(originals / model, tmp_path / model))
    error = refused(engine, edit_weights(folder, without(part)))
    assert error.code == "checkpoint_damaged"
    assert part in error.message


def test_a_bare_model_is_looked_at_as_closely(engine: Engine, bert: Path) -> None:
    edit_config(bert, architectures=["BertModel"])
    assert load_model(edit_weights(bert, without("cls.")), device="cpu").info.architecture == "BertModel"
    edit_weights(
        bert, lambda weights: {name.removeprefix("bert."): each for name, each in weights.items() if "layer.1." not in name}
    )
    assert refused(engine, bert).code == "checkpoint_damaged"


def test_a_model_without_its_head_opens_and_cannot_guess(bert: Path) -> None:
    assert load_model(edit_weights(bert, without("cls.")), device="cpu").info.abilities == frozenset()


def test_weights_of_another_shape_are_said_so(engine: Engine, bert: Path) -> None:
    error = refused(engine, edit_weights(bert, lambda weights: {**weights, QUERY: torch.zeros(3, 3)}))
    assert error.code == "config_invalid"
    assert QUERY in error.message
    assert "3 × 3" in error.message


def test_weights_that_are_no_numbers_are_said_so_when_they_run(bert: Path) -> None:
    model = load_model(
        edit_weights(bert, lambda weights: {name: each * float("nan") for name, each in weights.items()}), device="cpu"
    )
    with pytest.raises(HeadscopeError) as captured:
        model.capture("the cat")
    assert captured.value.code == "not_a_number"


# ---------------------------------------------------------------- shards
def in_shards(folder: Path, weight_map: object, **shards: dict[str, torch.Tensor]) -> Path:
    (folder / WEIGHTS).unlink(missing_ok=True)
    (folder / INDEX).write_text(
        weight_map if isinstance(weight_map, str) else json.dumps({"metadata": {}, "weight_map": weight_map})
    )
    for name, weights in shards.items():
        save_file(weights, folder / f"{name}.safetensors", metadata={"format": "pt"})
    return folder


def test_shards_are_read_as_one_and_a_missing_one_is_named(engine: Engine, bert: Path) -> None:
    weights = load_file(bert / WEIGHTS)
    names = sorted(weights)
    first, second = ({name: weights[name] for name in part} for part in (names[:10], names[10:]))
    where = dict.fromkeys(first, "one.safetensors") | dict.fromkeys(second, "two.safetensors")
    folder = in_shards(bert, where, one=first, two=second)
    assert load_model(folder, device="cpu").info.n_parameters == sum(each.numel() for each in weights.values())
    (bert / "two.safetensors").unlink()
    error = refused(engine, bert)
    assert error.code == "folder_without_model"
    assert "two.safetensors" in error.message


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", ""])
def test_an_index_cannot_lead_out_of_the_folder(engine: Engine, bert: Path, name: str) -> None:
    assert refused(engine, in_shards(bert, {"a": name})).code == "checkpoint_damaged"


@pytest.mark.parametrize("index", ["{", "[]", "{}", '{"weight_map": []}', "[" * 100_000], ids=lambda it: it[:20])
def test_an_index_that_lists_nothing_is_said_so(engine: Engine, bert: Path, index: str) -> None:
    assert refused(engine, in_shards(bert, index)).code == "checkpoint_damaged"


@pytest.mark.parametrize("name", [3, None, ["x"], "é" * 300, "[" * 5000, "a\0b", "\ud800"], ids=lambda it: ascii(it)[:12])
def test_an_index_of_odd_names_is_said_so(engine: Engine, bert: Path, name: object) -> None:
    assert refused(engine, in_shards(bert, {"a": name})).code == "folder_without_model"


# ---------------------------------------------------------------- torch's own files
class Plain:
    """Any class: not a tensor."""


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self._command = f"touch {proof}"

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (self._command,)


class Evaluates:
    """Evaluates Python when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self._source = f"open({str(proof)!r}, 'w')"

    def __reduce__(self) -> tuple[object, ...]:
        return eval, (self._source,)


@pytest.fixture
def state(bert: Path) -> dict[str, torch.Tensor]:
    """The weights of `bert`, whose safetensors file is gone."""
    weights = load_file(bert / WEIGHTS)
    (bert / WEIGHTS).unlink()
    return weights


zipped = pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "older"])


@zipped
def test_a_bin_of_tensors_opens(bert: Path, state: dict[str, torch.Tensor], as_zip: bool) -> None:
    torch.save({**state, "epoch": 3}, bert / BIN, _use_new_zipfile_serialization=as_zip)
    model = load_model(bert, device="cpu")
    assert model.info.checkpoint == "torch weights"
    assert torch.equal(model.module.state_dict()[QUERY], state[QUERY])


@zipped
@pytest.mark.parametrize("kind", ["system", "eval", "class", "object", "function", "module", "array"])
def test_a_bin_of_anything_else_is_refused_and_not_executed(
    engine: Engine, bert: Path, state: dict[str, torch.Tensor], tmp_path: Path, kind: str, as_zip: bool
) -> None:
    proof = tmp_path / "executed"
    held, name = {
        "system": (Runs(proof), "system"),
        "eval": (Evaluates(proof), "eval"),
        "class": (Plain, "Plain"),
        "object": (Plain(), "Plain"),
        "function": (os.getcwd, "getcwd"),
        "module": (torch.nn.Linear(2, 2), "Linear"),
        "array": (state[QUERY].numpy(), "reconstruct"),
    }[kind]
    torch.save({**state, "more": held}, bert / BIN, _use_new_zipfile_serialization=as_zip)
    error = refused(engine, bert)
    assert error.code == "checkpoint_unsafe"
    assert name in error.message
    assert not proof.exists()


@pytest.mark.parametrize("protocol", range(1, pickle.HIGHEST_PROTOCOL + 1))
def test_a_bare_pickle_is_refused_and_not_executed(
    engine: Engine, bert: Path, state: object, tmp_path: Path, protocol: int
) -> None:
    proof = tmp_path / "executed"
    (bert / BIN).write_bytes(pickle.dumps({"a": Runs(proof)}, protocol=protocol))
    assert refused(engine, bert).code == "checkpoint_unsafe"
    assert not proof.exists()


@zipped
@pytest.mark.parametrize("length", [0, 1, 7, 100, -200_000, -1])
def test_a_bin_that_was_cut_short_is_said_so(
    engine: Engine, bert: Path, state: dict[str, torch.Tensor], length: int, as_zip: bool
) -> None:
    torch.save(state, bert / BIN, _use_new_zipfile_serialization=as_zip)
    (bert / BIN).write_bytes((bert / BIN).read_bytes()[:length])
    assert refused(engine, bert).code == "checkpoint_damaged"


@pytest.mark.parametrize("held", [3, [1, 2], {"epoch": 3}, {"state_dict": {}}], ids=str)
def test_a_bin_without_weights_is_said_so(engine: Engine, bert: Path, state: object, held: object) -> None:
    torch.save(held, bert / BIN)
    assert refused(engine, bert).code == "checkpoint_damaged"


@pytest.mark.parametrize("content", [b"hello world", bytes(range(256)) * 8], ids=["text", "bytes"])
def test_a_bin_of_something_else_is_said_so(engine: Engine, bert: Path, state: object, content: bytes) -> None:
    (bert / BIN).write_bytes(content)
    assert refused(engine, bert).code == "checkpoint_damaged"
