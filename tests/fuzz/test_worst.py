"""The worst that is known: issue by issue what hung, filled the memory or ended the process, and the hardest of a run of `make fuzz`.

All go through the workers of the fuzzer, which end what passes the limits: a case that does fails its test, and the others go on.
"""

import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import transformers as hf

from tests.fuzz.corpus import KINDS, write_corpus
from tests.fuzz.run import SECONDS, Case, Worker
from tests.spoiled import edit_config

WORST = [Case(*each) for each in json.loads((Path(__file__).parent / "worst.json").read_text())]
"""The slowest, the largest and one of each code of 10,000 files."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "corpus")


@pytest.fixture(scope="module")
def workers(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Worker]]:
    """A worker that lives."""
    living: list[Worker] = []

    def one() -> Worker:
        if not living or not living[-1].lives:
            living.append(Worker(corpus, tmp_path_factory.mktemp("worker") / "place", "guarded"))
        return living[-1]

    yield one
    for worker in living:
        worker.end()


@pytest.mark.parametrize("case", WORST, ids=lambda case: f"{case.kind}-{case.number}")
def test_the_hardest_files_are_opened_or_refused(workers, case: Case) -> None:
    verdict = workers().open(case, SECONDS)
    assert verdict["verdict"] in {"opened", "refused"}, verdict


# ---------------------------------------------------------------- one by one
TINY = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 40, "embedding_size": 16,
}  # fmt: skip
MODELS: dict[str, Callable[[], Any]] = {
    "albert": lambda: hf.AlbertForMaskedLM(hf.AlbertConfig(**TINY)),
    "mobilebert": lambda: hf.MobileBertForMaskedLM(
        hf.MobileBertConfig(**TINY, intra_bottleneck_size=16, num_feedforward_networks=1)
    ),
    "canine": lambda: hf.CanineModel(hf.CanineConfig(**TINY, num_hash_buckets=64)),
    "funnel": lambda: hf.FunnelForMaskedLM(
        hf.FunnelConfig(vocab_size=40, block_sizes=[1], num_decoder_layers=1, d_model=16, n_head=2, d_head=8, d_inner=16)
    ),
    "bert": lambda: hf.BertForSequenceClassification(hf.BertConfig(**TINY)),
    "qwen3": lambda: hf.Qwen3ForCausalLM(hf.Qwen3Config(**TINY, head_dim=8, num_key_value_heads=1)),
}
HUGE = 10**9
CONFIGS = [
    ("albert", {"inner_group_num": HUGE}),
    ("albert", {"num_hidden_groups": HUGE}),
    ("mobilebert", {"num_feedforward_networks": HUGE}),
    ("canine", {"num_hash_functions": HUGE}),
    ("canine", {"num_hash_buckets": HUGE}),
    ("funnel", {"block_sizes": [HUGE]}),
    ("funnel", {"block_repeats": [HUGE]}),
    ("bert", {"num_labels": 2**31}),
    ("bert", {"text_config": {"num_hidden_layers": HUGE}}),
    ("bert", {"vocab_size": 2**40}),
    ("bert", {"num_hidden_layers": HUGE}),
    ("bert", {"num_attention_heads": 0}),
    ("bert", {"max_position_embeddings": 2**40}),
    ("bert", {"hidden_act": "x" * 200_000}),
    ("bert", {"model_type": "\x1b[31m\n"}),
    ("qwen3", {"head_dim": {}}),
    ("qwen3", {"head_dim": 2**31}),
    ("qwen3", {"num_hidden_layers": HUGE}),
    ("qwen3", {"layer_types": ["full_attention"] * 100_000}),
]


@pytest.fixture(scope="module")
def written(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("models")

    def write(name: str) -> Path:
        if not (folder / name).exists():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nothing in these models has to be sensible
                MODELS[name]().save_pretrained(folder / name)
            for path in (corpus / "bert").glob("token*"):
                shutil.copy(path, folder / name)
        return folder / name

    return write


@pytest.mark.parametrize(("name", "change"), CONFIGS, ids=[f"{name}-{next(iter(change))}" for name, change in CONFIGS])
def test_a_count_that_no_machine_can_build_is_refused(
    workers, written, tmp_path: Path, name: str, change: dict[str, Any]
) -> None:
    folder = Path(shutil.copytree(written(name), tmp_path / name))
    edit_config(folder, **change)
    verdict = workers().open_path(folder, SECONDS)
    assert verdict["verdict"] in {"opened", "refused"}, verdict


def test_a_gguf_of_51_bytes_is_refused(workers, tmp_path: Path) -> None:
    count = (2**63 - 1).to_bytes(8, "little")
    key = (1).to_bytes(8, "little") + b"a" + (9).to_bytes(4, "little") + (4).to_bytes(4, "little") + count
    raw = b"GGUF" + (3).to_bytes(4, "little") + (0).to_bytes(8, "little") + (1).to_bytes(8, "little") + key
    (tmp_path / "a.gguf").write_bytes(raw + b"\0" * (51 - len(raw)))
    verdict = workers().open_path(tmp_path / "a.gguf", SECONDS)
    assert verdict["verdict"] == "refused", verdict


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
@pytest.mark.parametrize(
    "name", [kind.file for kind in KINDS.values() if kind.base in {"bert", "gpt2", "chat", "pieces", "shards"}]
)
def test_a_pipe_in_the_place_of_any_file_holds_nothing_up(workers, corpus: Path, tmp_path: Path, name: str) -> None:
    kind = next(kind for kind in KINDS.values() if kind.file == name)
    folder = Path(shutil.copytree(corpus / kind.base, tmp_path / "model"))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    verdict = workers().open_path(folder, SECONDS)
    assert verdict["verdict"] in {"opened", "refused"}, verdict
    assert verdict["seconds"] < SECONDS
