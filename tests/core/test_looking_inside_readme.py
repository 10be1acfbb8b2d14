"""The README's example of looking inside a pass runs as it stands, and shows what its comments say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[2] / "README.md"


def test_the_example_runs_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"## Look inside the pass\n+```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    *lens, first, second = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lens] == ["-1", "0", "1"]
    assert "'are'" in lens[-1]
    assert names["model"].encode(names["text"])[0].axis.labels[6] == "[MASK]"
    for line in (first, second):
        _, total, change = map(float, line.split())
        assert total == pytest.approx(change, abs=0.011)
    logit = names["logit"]
    assert max(logit.parts, key=lambda part: part.contribution).name == "layer 1 encoder head 3"
    assert abs(logit.remainder) <= 1e-4
    assert np.isfinite(logit.heads("encoder")).all()
