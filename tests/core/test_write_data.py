"""Files of numbers: what was written is what was computed, and reads without pickles."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from headscope.core.attention.capture.recorder import Recorder
from headscope.core.attention.record import AttentionRecord
from headscope.core.files.numbers import write_capture_npz, write_head_csv, write_head_npz
from headscope.core.job import Cancel, Cancelled, Job, Progress
from headscope.core.text.tokens import Token, TokenAxis, visible
from headscope.core.toy.model import ToyConfig, ToyTransformer
from tests import allowed

WORDS = ("the", 'a "quoted, word"', "人工", "🙂", "·ing", "␣")


def axis_of(words: tuple[str, ...]) -> TokenAxis:
    return TokenAxis(tuple(Token(word, index) for index, word in enumerate(words)), " ".join(words))


@pytest.fixture(scope="module")
def record() -> AttentionRecord:
    """An encoder-decoder's, with all three kinds and different numbers of tokens on the two sides."""
    torch.manual_seed(0)
    model = ToyTransformer(ToyConfig("encoder-decoder", n_tokens=12, d_model=16, n_heads=4, n_layers=2)).eval()
    recorder = Recorder(model)
    with torch.inference_mode(), recorder.recording():
        model(torch.arange(6)[None], decoder_input_ids=torch.arange(3)[None])
    source, target = axis_of(WORDS), axis_of(WORDS[:3])
    return recorder.record(
        {"encoder": (source, source), "decoder": (target, target), "cross": (target, source)}, backend="fast"
    )


def test_csv_has_key_tokens_above_query_tokens_before_and_every_bit_of_the_weights(
    record: AttentionRecord, tmp_path: Path
) -> None:
    weights, axis = record.attention_weights(1, 3, "cross"), record.axis("cross")
    write_head_csv(tmp_path / "head.csv", weights, axis.queries, axis.keys)
    with (tmp_path / "head.csv").open(encoding="utf-8", newline="") as file:
        first, *rows = csv.reader(file)
    assert first == ["", *WORDS]
    assert [row[0] for row in rows] == list(WORDS[:3])
    read = np.array([row[1:] for row in rows], dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(read, weights)


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "'quoted",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "a;=1+1",
    '"=1',
    "a,b",
    "=cmd|' /C calc'!A0",
    "1",
    "",
]


def test_no_spreadsheet_takes_a_token_for_a_formula_and_numbers_are_numbers(tmp_path: Path) -> None:
    axis = axis_of(tuple(FORMULAS))
    weights = np.full((len(FORMULAS), len(FORMULAS)), 1e-9, np.float32)
    write_head_csv(tmp_path / "head.csv", weights, axis, axis)
    with (tmp_path / "head.csv").open(encoding="utf-8", newline="") as file:
        first, *rows = csv.reader(file)
    cells = [*first[1:], *(row[0] for row in rows)]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))]
    assert [re.sub("(^|(?<=;))'", "", cell) for cell in cells] == [visible(text) for text in FORMULAS] * 2  # it can be undone
    assert {row[1] for row in rows} == {"9.99999972e-10"}
    with (tmp_path / "head.csv").open(encoding="utf-8", newline="") as file:  # a spreadsheet whose cells part at semicolons
        assert not [cell for row in csv.reader(file, delimiter=";") for cell in row if cell.startswith("=")]


def test_csv_of_the_same_numbers_is_the_same_file(record: AttentionRecord, tmp_path: Path) -> None:
    axis = record.axis("decoder")
    for name in ("one.csv", "two.csv"):
        write_head_csv(tmp_path / name, record.attention_weights(0, 0, "decoder"), axis.queries, axis.keys)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_npz_of_a_head_says_which_head_it_is(record: AttentionRecord, tmp_path: Path) -> None:
    weights, axis = record.attention_weights(1, 2, "cross"), record.axis("cross")
    write_head_npz(tmp_path / "head.npz", weights, axis.queries, axis.keys, kind="cross", head=(1, 2), model="toy")
    with np.load(tmp_path / "head.npz", allow_pickle=False) as data:
        np.testing.assert_array_equal(data["attention"], weights)
        assert data["query_tokens"].tolist() == list(WORDS[:3])
        assert data["key_tokens"].tolist() == list(WORDS)
        assert (int(data["layer"]), int(data["head"])) == (1, 2)
        assert (str(data["kind"]), str(data["model"])) == ("cross", "toy")


def test_npz_of_a_capture_holds_every_head_of_every_kind(record: AttentionRecord, tmp_path: Path) -> None:
    stages: list[Progress] = []
    write_capture_npz(record, tmp_path / "all.npz", job=Job(report=stages.append))
    lengths = {"encoder": (6, 6), "decoder": (3, 3), "cross": (3, 6)}
    with np.load(tmp_path / "all.npz", allow_pickle=False) as data:
        assert len(data.files) == 10
        for kind, (n_queries, n_keys) in lengths.items():
            attention = data[f"{kind}_attention"]
            assert attention.shape == (2, 4, n_queries, n_keys)
            assert attention.dtype == np.float32
            for layer in range(2):
                for head in range(4):
                    alone = record.attention_weights(layer, head, kind)  # not in one block with its layer
                    assert allowed.difference(attention[layer, head], alone) <= allowed.of_blocks(alone)
            assert data[f"{kind}_query_tokens"].tolist() == list(WORDS[:n_queries])
            assert data[f"{kind}_key_tokens"].tolist() == list(WORDS[:n_keys])
    assert {progress.stage for progress in stages} == {"writing"}
    assert [progress.fraction for progress in stages] == [layer / 6 for layer in range(6)]


def test_a_cancelled_capture_leaves_no_file(record: AttentionRecord, tmp_path: Path) -> None:
    cancel = Cancel()
    with pytest.raises(Cancelled):
        write_capture_npz(record, tmp_path / "all.npz", job=Job(report=lambda _: cancel.set(), cancel=cancel))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits of POSIX")
def test_a_write_that_fails_half_way_leaves_no_file_and_one_clear_error(tmp_path: Path) -> None:
    """The system refuses files of more than 4 kB: the failure comes while rows are being written, as on a full disk."""
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from headscope.core.errors import HeadscopeError
from headscope.core.text.tokens import Token, TokenAxis, visible
from headscope.core.files.numbers import write_head_csv
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
axis = TokenAxis(tuple(Token(str(i), i) for i in range(100)))
try:
    write_head_csv(Path(sys.argv[1]), np.full((100, 100), 1 / 3, np.float32), axis, axis)
except HeadscopeError as error:
    print(error.code)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "head.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.stdout.strip() == "cannot_write"
    assert list(tmp_path.iterdir()) == []
