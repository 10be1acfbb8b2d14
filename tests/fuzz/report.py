"""The table of a run."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.fuzz.corpus import KINDS
from tests.fuzz.run import MEMORY, SECONDS

_LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "sentencepiece", "numpy")


def write_table(path: Path, verdicts: Sequence[dict[str, Any]], seed: int) -> None:
    """What became of the files of each kind."""
    rows = [
        "| kind | files | opened | refused | findings | slowest, s | most memory, MB | refused with |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        of_it = [each for each in verdicts if each["kind"] == kind]
        if not of_it:
            continue
        count = Counter(each["verdict"] for each in of_it)
        codes = Counter(each["code"] for each in of_it if "code" in each).most_common(4)
        slowest, most = (max(each.get(name, 0) for each in of_it) for name in ("seconds", "megabytes"))
        numbers = " | ".join(str(count[verdict]) for verdict in ("opened", "refused", "finding"))
        rows.append(f"| {kind} | {len(of_it)} | {numbers} | {slowest:.1f} | {most} | {', '.join(code for code, _ in codes)} |")
    total = Counter(each["verdict"] for each in verdicts)
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    path.write_text(
        f"""# Files that are broken or hostile

Written by `make fuzz`: {len(verdicts)} files made of small valid ones, seed {seed}; Python {platform.python_version()}, {libraries}.
{total["opened"]} opened (many changes do no harm), {total["refused"]} were refused with one sentence, {total["finding"]} did anything else: another exception, more than
{SECONDS:g} s of the processor, more than {MEMORY >> 20} MB beyond what Headscope had, or the end of the process. A file is opened, a text run through it, and
something said in its chat template. Seconds and memory are those of the process with its children.

"""
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )
