"""The README's examples of looking inside a pass and of changing it run as they stand, and show what their comments say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import allowed

README = Path(__file__).parents[2] / "README.md"


def run_example(chapter: str) -> dict[str, Any]:
    """The names that the example under a heading leaves behind."""
    (code,) = re.findall(rf"## {chapter}\n+```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def test_the_example_of_changing_a_pass_runs_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("Cut it and see")
    effect, sweep = names["effect"], names["sweep"]
    assert effect.before[0].label == "are"
    assert effect.tokens[0].before > effect.tokens[0].after + 0.2
    assert np.unravel_index(sweep.log_probability_change.argmin(), (2, 4)) == (1, 3)
    assert str(sweep.n_done) in capsys.readouterr().out


def test_the_example_of_looking_inside_runs_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("Look inside the pass")
    *lens, first, second = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lens] == ["-1", "0", "1"]
    assert "'are'" in lens[-1]
    assert names["model"].encode(names["text"])[0].axis.labels[6] == "[MASK]"
    for line in (first, second):
        _, total, change = map(float, line.split())
        assert total == pytest.approx(change, abs=0.011)
    logit = names["logit"]
    assert max(logit.parts, key=lambda part: part.contribution).name == "layer 1 encoder head 3"
    assert abs(logit.remainder) <= allowed.of_logits([part.contribution for part in logit.parts])
    assert np.isfinite(logit.heads("encoder")).all()
