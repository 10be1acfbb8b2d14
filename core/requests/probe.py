"""What is asked of a model's heads on a probe; it changes no picture. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.requests.request import Question

if TYPE_CHECKING:
    from headscope.core.analyse.records.head_types import HeadProbe  # noqa: F401 - an answer


@dataclass(frozen=True, slots=True)
class ProbeRequest(Question["HeadProbe"]):
    """Measure all heads on repeated random tokens; answers `HeadProbe`. See `core.analyse.head_probe`."""

    length: int = 25
    repeats: int = 2
    seed: int = 0
