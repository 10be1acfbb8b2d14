"""The command line as people and scripts use it, on the toys."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers.normalizers import Precompiled

from headscope.core import load_model
from headscope.core.analyse.causal.sweeps import Question, cut_edges
from headscope.core.cli.terminal import bar, columns, plain_output, print_json
from headscope.gui.app.command_line import main
from tests import allowed

SENTENCE = "the keys near the cabinet [MASK] rusty ."
GRAMMAR = ["--model", "toy:grammar", "--text", SENTENCE]
TALES = ["--model", "toy:tales", "--text", "once upon a time"]


def run_json(capsys, *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def error_of(capsys, *arguments: str) -> str:
    """What a command that fails says: two sentences on stderr, nothing on stdout, exit code 2."""
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("headscope: ")
    assert len(err.splitlines()) == 2
    return err


# ---------------------------------------------------------------- what a library raises
def panics(*_: object, **__: object) -> None:
    Precompiled(b"no such map")


def exhausted(*_: object, **__: object) -> None:
    exhausted()


def raising(error: BaseException) -> Callable[..., None]:
    def do(*_: object, **__: object) -> None:
        raise error

    return do


@pytest.mark.parametrize(
    "does",
    [panics, exhausted, raising(SystemExit(0)), raising(GeneratorExit()), raising(StopIteration()), raising(MemoryError())],
    ids=["panic", "recursion", "exit", "generator exit", "stop iteration", "memory"],
)
def test_the_terminal_shows_no_traceback_whatever_is_raised(capsys, monkeypatch, does: Callable[..., None]) -> None:
    monkeypatch.setattr("headscope.core.models.load.load_model", does)
    err = error_of(capsys, "predict", *GRAMMAR)
    assert "Traceback" not in err


def test_ctrl_c_ends_a_command_quietly(capsys, monkeypatch) -> None:
    monkeypatch.setattr("headscope.core.models.load.load_model", raising(KeyboardInterrupt()))
    assert main(["predict", *GRAMMAR]) == 130
    assert capsys.readouterr() == ("", "")


ESCAPES = "\x1b[31m\x9b2J\x07\u202e"


def test_a_name_cannot_command_the_terminal(capsys) -> None:
    err = error_of(capsys, "predict", "--model", f"./{ESCAPES}\n{'x' * 200_000}", "--text", "a")
    assert all(line.isprintable() for line in err.splitlines())
    assert len(err.splitlines()[0]) <= 300 + len("headscope: ")


def test_what_is_printed_cannot_command_the_terminal_and_data_stay_exact(capsys) -> None:
    with plain_output():
        print(f"a{ESCAPES}\tb\nשלום\u200f")
        print_json({"token": f"{ESCAPES}\x7f"})
    line, words, data = capsys.readouterr().out.splitlines()
    assert line == "a␛�␇�\tb".replace("␛", "␛[31m").replace("�␇", "�2J␇")
    assert words == "שלום\u200f"
    assert data.isascii()
    assert json.loads(data) == {"token": f"{ESCAPES}\x7f"}


# ---------------------------------------------------------------- predict
def test_predict_as_data(capsys) -> None:
    answer = run_json(capsys, "predict", *GRAMMAR, "--top-k", "3")
    assert set(answer) == {"model", "predictions"}
    assert answer["model"] == "toy:grammar"
    (prediction,) = answer["predictions"]
    assert prediction["position"] == 6
    assert [set(candidate) for candidate in prediction["candidates"]] == [{"token", "probability"}] * 3
    assert prediction["candidates"][0]["token"] == "are"
    assert prediction["candidates"][0]["probability"] > 0.9


def test_predict_for_people(capsys) -> None:
    assert main(["predict", *GRAMMAR]) == 0
    title, best, *others = capsys.readouterr().out.splitlines()
    assert title == "token 6"
    assert best.split()[0] == "are"
    assert "█" in best
    assert float(best.split()[-1]) > 0.9
    assert len(others) == 4


def test_predict_tells_whether_a_pair_follows(capsys) -> None:
    pair = ["--model", "toy:grammar", "--text", "Tom lost the red kite .", "--pair", "he looked for the kite ."]
    answer = run_json(capsys, "predict", *pair)
    assert answer["predictions"] == []
    assert answer["next_sentence"] > 0.9
    assert main(["predict", *pair]) == 0
    assert "follows" in capsys.readouterr().out


# ---------------------------------------------------------------- generate
def test_generate_as_data(capsys) -> None:
    answer = run_json(capsys, "generate", *TALES, "--max-new-tokens", "8")
    assert set(answer) == {"model", "text", "steps"}
    assert len(answer["steps"]) == 8
    assert answer["text"] == "once upon a time" + "".join(step["token"] for step in answer["steps"])
    assert all(0 < step["probability"] <= 1 for step in answer["steps"])


def test_generate_prints_the_text(capsys) -> None:
    expected = run_json(capsys, "generate", *TALES, "--max-new-tokens", "8")["text"]
    assert main(["generate", *TALES, "--max-new-tokens", "8"]) == 0
    assert capsys.readouterr().out == expected + "\n"


def test_generate_draws_the_same_with_the_same_seed(capsys) -> None:
    drawn = ["generate", *TALES, "--max-new-tokens", "12", "--temperature", "2", "--top-k", "20", "--top-p", "0.95", "--seed"]
    assert run_json(capsys, *drawn, "5") == run_json(capsys, *drawn, "5")
    assert run_json(capsys, *drawn, "5") != run_json(capsys, *drawn, "6")


def test_generate_ends_at_a_stop_text(capsys) -> None:
    free = run_json(capsys, "generate", *TALES, "--max-new-tokens", "20")["text"]
    word = free.removeprefix("once upon a time").split()[3]
    answer = run_json(capsys, "generate", *TALES, "--max-new-tokens", "20", "--stop", "never said", "--stop", word)
    assert answer["text"].endswith(word)
    assert free.startswith(answer["text"])


def test_generate_follows_beams_and_prints_the_winner(capsys) -> None:
    beams = ["generate", *TALES, "--max-new-tokens", "8", "--beams", "3"]
    answer = run_json(capsys, *beams)
    *_, last = load_model("toy:tales", device="cpu").beam_search("once upon a time", n_beams=3, max_new_tokens=8)
    assert answer["text"] == last.best.text
    assert [step["probability"] for step in answer["steps"]] == [step.probability for step in last.best.steps]
    assert main(beams) == 0
    assert capsys.readouterr().out == answer["text"] + "\n"


def test_generate_with_all_filters_draws_what_the_model_draws(capsys) -> None:
    options = {"temperature": 2.0, "top_k": 9, "top_p": 0.9, "min_p": 0.1, "repetition_penalty": 1.3, "seed": 4}
    said = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    answer = run_json(capsys, "generate", *TALES, "--max-new-tokens", "9", *said)
    *_, last = load_model("toy:tales", device="cpu").generate("once upon a time", max_new_tokens=9, **options)
    assert answer["text"] == last.text


# ---------------------------------------------------------------- sweep
def test_sweep_prints_the_most_harmful_head_first(capsys) -> None:
    assert main(["sweep", *GRAMMAR, "--top", "3"]) == 0
    title, head, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("are: probability 0.9")
    assert head.split()[:2] == ["layer", "head"]
    assert rows[0].split()[:2] == ["1", "3"]
    changes = [float(row.split()[2]) for row in rows]
    assert changes == sorted(changes)
    assert len(changes) == 3
    change, before, after = map(float, rows[0].split()[2:5])
    assert np.log(after / before) == pytest.approx(change, abs=2e-3)


def test_sweep_as_data_is_what_the_sweep_finds(capsys) -> None:
    answer = run_json(capsys, "sweep", *GRAMMAR, "--what", "edges", "--layer", "1", "--head", "3", "--token", "is")
    model = load_model("toy:grammar", device="cpu")
    *_, found = cut_edges(model, Question(SENTENCE, token=model.tokenizer.id_of("is")), 1, 3)
    assert answer["axes"] == ["query", "key"]
    assert answer["key_tokens"] == ["[CLS]", *SENTENCE.split(), "[SEP]"]
    assert (answer["token"], answer["position"], answer["kind"]) == ("is", 6, "encoder")
    for name in ("log_probability_change", "probabilities", "divergence"):
        expected = getattr(found, name)
        np.testing.assert_allclose(np.array(answer[name]), expected, atol=allowed.of_logits(expected, model))


@pytest.mark.parametrize("token", ["blorg", "purrs the", "[PAD] [PAD]"])
def test_a_sweep_refuses_what_is_not_one_token(token: str, capsys) -> None:
    assert main(["sweep", "--model", "toy:grammar", "--text", "the cat [MASK] .", "--token", token]) == 2
    assert f"“{token}” is not one token of toy:grammar" in capsys.readouterr().err


def test_small_probabilities_are_printed_with_three_digits(capsys) -> None:
    answer = run_json(capsys, "sweep", "--model", "toy:grammar", "--text", "the cat [MASK] .", "--token", "cabinet")
    assert answer["probability"] < 5e-4
    assert main(["sweep", "--model", "toy:grammar", "--text", "the cat [MASK] .", "--token", "cabinet"]) == 0
    assert f"probability {answer['probability']:.2e} at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "axes"),
    [
        (["--what", "keys"], {"key": 10}),
        (["--mean-of", "the cat purrs ."], {"layer": 2, "head": 4}),
        (["--what", "patches", "--other", SENTENCE.replace("keys", "key"), "--by", "layer"], {"layer": 2}),
        (["--what", "patches", "--other", SENTENCE.replace("keys", "key"), "--by", "position"], {"layer": 2, "query": 10}),
    ],
)
def test_sweep_changes_other_things(capsys, options: list[str], axes: dict[str, int]) -> None:
    answer = run_json(capsys, "sweep", *GRAMMAR, *options)
    assert answer["axes"] == list(axes)
    assert np.shape(answer["divergence"]) == tuple(axes.values())
    assert np.min(answer["log_probability_change"]) < -0.1


# ---------------------------------------------------------------- capture, export
def test_what_is_kept_of_a_capture_is_said_in_the_file_and_on_the_screen(capsys, tmp_path: Path) -> None:
    out = tmp_path / "part.npz"
    assert main(["capture", *GRAMMAR, "--keep", "half+layers=1+host", "--out", str(out)]) == 0
    assert "accurate to about 3 digits" in capsys.readouterr().out
    exact = load_model("toy:grammar", device="cpu").capture(SENTENCE).layer_weights(1, "encoder")
    with np.load(out, allow_pickle=False) as data:
        assert data["encoder_layers"].tolist() == [1]
        assert data["encoder_attention"].shape == (1, 4, 10, 10)
        difference = np.abs(data["encoder_attention"][0] - exact).max()
    assert 0 < difference < 3e-3
    assert main(["export", *GRAMMAR, "--keep", "host", "--layer", "1", "--head", "0", "--out", str(tmp_path / "head.csv")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'head.csv'}\n"


def test_capture_writes_every_head(capsys, tmp_path: Path) -> None:
    out = tmp_path / "all.npz"
    assert main(["capture", *GRAMMAR, "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    record = load_model("toy:grammar", device="cpu").capture(SENTENCE)
    with np.load(out, allow_pickle=False) as data:
        assert set(data.files) == {"encoder_attention", "encoder_query_tokens", "encoder_key_tokens", "lens"}
        assert data["encoder_attention"].shape == (2, 4, 10, 10)
        weights = record.attention_weights(1, 2)
        np.testing.assert_allclose(data["encoder_attention"][1, 2], weights, atol=allowed.of_weights(weights))
        assert data["encoder_query_tokens"].tolist() == ["[CLS]", *SENTENCE.split(), "[SEP]"]


def test_export_of_numbers(capsys, tmp_path: Path) -> None:
    weights = load_model("toy:grammar", device="cpu").capture(SENTENCE).attention_weights(1, 2)
    for name in ("head.csv", "head.npz"):
        assert main(["export", *GRAMMAR, "--layer", "1", "--head", "2", "--out", str(tmp_path / name)]) == 0
    with (tmp_path / "head.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["", "[CLS]", *SENTENCE.split(), "[SEP]"]
    np.testing.assert_allclose(np.array([row[1:] for row in rows[1:]], np.float64), weights, atol=allowed.of_weights(weights))
    with np.load(tmp_path / "head.npz", allow_pickle=False) as data:
        np.testing.assert_allclose(data["attention"], weights, atol=allowed.of_weights(weights))
        assert str(data["model"]) == "toy:grammar"


@pytest.mark.parametrize("view", ["heatmap", "links", "arcs"])
@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_export_of_pictures(qapp, tmp_path: Path, view: str, suffix: str, magic: bytes) -> None:
    out = tmp_path / f"head{suffix}"
    arguments = ["export", *GRAMMAR, "--view", view, "--layer", "1", "--head", "2", "--dpi", "72", "--out", str(out)]
    assert main(arguments) == 0
    assert out.read_bytes().startswith(magic)


# ---------------------------------------------------------------- models, verify, train
def test_models_lists_the_toys(capsys) -> None:
    sources = {entry["source"] for entry in run_json(capsys, "models")["models"]}
    assert {"toy:grammar", "toy:tales"} <= sources
    assert main(["models"]) == 0
    assert "toy:tales" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [GRAMMAR, TALES])
def test_verify_finds_the_toys_exact(capsys, arguments: list[str]) -> None:
    answer = run_json(capsys, "verify", *arguments)
    assert answer["passed"] is True
    assert answer["model"] == arguments[1]
    assert main(["verify", *arguments]) == 0
    assert "largest difference" in capsys.readouterr().out


def test_train_writes_a_toy(capsys, tmp_path: Path) -> None:
    answer = run_json(capsys, "train", "grammar", "--steps", "2", "--seed", "1", "--out", str(tmp_path / "toy"))
    assert answer["steps"] == 2
    assert (tmp_path / "toy" / "model.safetensors").exists()


# ---------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["predict", "--model", "toy:grammar", "--text", "no mask here"], "no [MASK]"),
        (["predict", "--model", "toy:grammar", "--text", "  "], "no text"),
        (["predict", "--model", "toy:tales", "--text", "a [MASK]"], "does not predict masked words"),
        (["generate", *GRAMMAR], "cannot generate"),
        (["generate", *TALES, "--top-p", "0"], "top_p"),
        (["generate", *TALES, "--min-p", "2"], "min_p"),
        (["generate", *TALES, "--repetition-penalty", "0"], "repetition_penalty"),
        (["generate", *TALES, "--beams", "2", "--temperature", "1"], "--beams"),
        (["generate", *TALES, "--chat"], "no chat template"),
        (["generate", "--model", "toy:nothing", "--text", "a"], "no toy called nothing"),
        (["capture", *TALES, "--out", "file.txt"], "file.txt"),
        (["export", *TALES, "--layer", "99", "--head", "0", "--out", "x.csv"], "no head 0 in layer 99"),
        (["export", *TALES, "--layer", "0", "--head", "0", "--kind", "cross", "--out", "x.csv"], "no cross attention"),
        (["export", *TALES, "--layer", "0", "--head", "0", "--out", "x.bmp"], ".png, .svg, .pdf, .csv, .npz"),
        (["capture", *GRAMMAR, "--keep", "layers=9", "--out", "x.npz"], "layers must be some of 0 to 1"),
        (
            ["export", *GRAMMAR, "--keep", "layers=1", "--layer", "0", "--head", "0", "--out", "x.csv"],
            "The attention of layer 0 was not kept",
        ),
        (["sweep", *GRAMMAR, "--what", "edges", "--layer", "0"], "--head must be given for --what edges"),
        (["sweep", *GRAMMAR, "--what", "patches"], "--other must be given for --what patches"),
        (["sweep", *GRAMMAR, "--mean-of", "a", "--what", "keys"], "--mean-of must be left out"),
        (["sweep", *GRAMMAR, "--kind", "cross"], "no cross attention"),
        (["sweep", "--model", "toy:grammar", "--text", "the cat purrs ."], "no [MASK]"),
        (["generate", *TALES, "--seed", "99999999999999999999999"], "seed must be a number of 64 bits"),
        (["train", "nothing"], "no toy called nothing"),
    ],
)
def test_an_error_is_one_sentence_and_a_remedy(capsys, tmp_path: Path, monkeypatch, arguments: list[str], says: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in error_of(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_window_needs_a_display(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert "no display" in error_of(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["predict", *GRAMMAR, "--top-k", "0"],
        ["generate", *TALES, "--seed", "x"],
        ["export", *GRAMMAR, "--view", "a"],
        ["capture", *GRAMMAR, "--out", "x.npz", "--keep", "layers=1,"],
        ["capture", *GRAMMAR, "--out", "x.npz", "--keep", "all"],
    ],
)
def test_arguments_that_make_no_command_are_explained(capsys, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as captured:
        main(arguments)
    assert captured.value.code == 2
    assert "usage: headscope" in capsys.readouterr().err


def test_every_command_has_help_with_an_example(capsys) -> None:
    for command in ("predict", "generate", "capture", "export", "sweep", "models", "verify", "train"):
        with pytest.raises(SystemExit) as captured:
            main([command, "--help"])
        assert captured.value.code == 0
        assert f"Example: headscope {command}" in capsys.readouterr().out


def in_a_process(*arguments: str, **options) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **options.pop("env", {})}
    command = [
        sys.executable,
        "-c",
        "import sys; from headscope.gui.app.command_line import main; sys.exit(main())",
        *arguments,
    ]
    return subprocess.run(command, env=environment, check=False, **options)


def test_help_and_errors_need_no_torch_and_no_qt() -> None:
    code = (
        "import sys; from headscope.gui.app.command_line import main\n"
        "try: main(['predict', '--help'])\n"
        "except SystemExit: print(sorted({'torch', 'transformers', 'PySide6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_process_ends_with_2_and_without_a_traceback() -> None:
    done = in_a_process("predict", "--model", "toy:grammar", "--text", b"no mask \xff here", capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("headscope: The text has no [MASK].")
    assert "Traceback" not in done.stderr


def test_a_terminal_that_cannot_show_bars_gets_something_else() -> None:
    done = in_a_process("predict", *GRAMMAR, capture_output=True, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    best = done.stdout.decode("ascii").splitlines()[1]
    assert best.split()[:2] == ["are", "#" * 24]


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_who_has_seen_enough_causes_no_noise() -> None:
    units, writing = os.pipe()
    os.close(units)
    done = in_a_process("models", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.stderr == b""


# ---------------------------------------------------------------- what is printed
@pytest.mark.parametrize(("probability", "drawn"), [(0.0, ""), (0.5, "█" * 12), (1.0, "█" * 24), (1 / 48, "▌")])
def test_bars_are_as_long_as_the_probability(probability: float, drawn: str) -> None:
    assert bar(probability) == drawn.ljust(24)


def test_chinese_takes_two_columns_and_accents_none() -> None:
    assert columns("人工") == 4
    assert columns("e\u0301") == 1
