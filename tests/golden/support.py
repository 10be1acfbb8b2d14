"""`make support`: measures every family and writes docs/SUPPORT.md, and the summary in README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
import transformers

from tests.golden.every_family import NOT_OF_TEXT, every_family
from tests.golden.measure import Measured, measured
from tests.golden.outside import IN_PART, REFUSED, SAME, Outside, in_processes

ROOT = Path(__file__).parents[2]
TABLE, README = ROOT / "docs" / "SUPPORT.md", ROOT / "README.md"
_BEGIN, _END = "<!-- support: written by make support -->\n", "<!-- end of support -->"
_HEAD = ("class", "attention", "tier", "float32", "bfloat16", "step by step", "edits", "outside", "note")
_INTRODUCTION = """# What can be looked into

Written by `make support`, which builds a tiny model with sharp random weights of every class that transformers {version} names for
masked words, the next token, text to text, the next sentence, pre-training and bare text encoding; `tests/golden/test_every_family.py`
measures the same at every test run.

Each is compared with its own eager attention: batches of two texts of 1, 5 and 21 tokens (windows are 8 wide), without and with
padding (before a decoder's text), and of a sentence as the class's own tokenizer class writes it, with its special tokens. The columns are the largest difference of any weight:

* **float32**: of all these passes and all layers. Allowed is what rounding explains (`core/numerics.py`): some 4e-6, and more only
  where scores are spread widely.
* **bfloat16**: of the first layer of each stack, where both passes read the same numbers (deeper, roundings grow with the model).
* **step by step**: of rows collected while a text is read token by token with the model's cache, from those of one pass over all of
  it. Allowed is the same. "–": the model has no cache, or says something else with it than without.
* **edits**: whether interventions reach its attention: its own outputs and weights, put in the place of themselves, change nothing, and a
  key that is cut has no weight. "no": it computes more between weights and outputs than attention does, and edits are refused.
* **outside**: what `headscope verify` says of a folder with such a model and a tokenizer of the class's own, which plain transformers
  loads in a process of its own: token ids, the text of each token, every parameter bit for bit, all attention, predictions, and what
  is written greedily. The text has a mask where the model fills masks, and a target where it has a decoder beside an encoder.

{outside}
Tiers: **fast**, queries and keys are kept while torch's fused attention runs; **own**, the same with the model file's own attention function;
**fallback**, the model's matrices are asked for. Class by class:

"""


def row_of(found: Measured, outside: str = "") -> tuple[str, ...]:
    """A line of the table; `outside` is an `Outside.cell`."""
    if found.refused:
        return (found.family.name, "", "none", "", "", "", "", outside, found.refused.partition(". ")[2])
    figures = (found.float32, found.bfloat16, found.generated)
    return (
        found.family.name,
        ", ".join(found.layers),
        found.backend,
        *map(_figure, figures),
        "yes" if found.edits else "no",
        outside,
        found.note,
    )


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = _HEAD) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def documented(text: str) -> dict[str, tuple[str, ...]]:
    """(attention, tier, edits, outside, note) of each class in a table that `table` wrote."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: (row[1], row[2], *row[6:]) for row in rows if len(row) == len(_HEAD) and row[0] not in {"class", "---"}}


def outside_counts(cells: Iterable[str]) -> str:
    """How many are the same, in part, refused, or wrong, of the cells of the column."""
    counts = Counter(cell.partition(",")[0].partition(":")[0] for cell in cells)
    wrong = sum(counts.values()) - counts[SAME] - counts[IN_PART] - counts[REFUSED]
    return f"{counts[SAME]} {SAME}, {counts[IN_PART]} {IN_PART}, {counts[REFUSED]} {REFUSED}, {wrong} different or broken"


def outside_summary(found: Sequence[Outside]) -> str:
    """For the top of the table: the counts, and what is not compared, each with its reason."""
    left = Counter(each for one in found if one.report is not None for each in one.report.not_compared)
    reasons = "".join(f"  * {count} × {each}\n" for each, count in left.most_common())
    return f"Outside, {outside_counts(each.cell for each in found)}. What is not compared:\n\n{reasons}"


def summary(found: Sequence[Measured], outside: Iterable[str]) -> str:
    """For the README; `outside` are the cells of that column."""
    shown = [each for each in found if not each.refused]
    tiers = Counter(each.backend for each in shown)
    reasons = Counter(each.refused.partition(". ")[2] for each in found if each.refused)
    refused = "\n".join(f"  * {count} × {reason}" for reason, count in sorted(reasons.items()))
    edited = sum(each.edits for each in shown)
    partly = sum(bool(each.note) for each in shown)
    return (
        f"{len(shown)} model classes of transformers {transformers.__version__} are measured against their own eager attention "
        f"([class by class](docs/SUPPORT.md)):\n\n"
        f"* {tiers['fast']} fast, {tiers['own']} own, {tiers['fallback']} fallback; the largest difference in float32 is "
        f"{max(each.float32 for each in shown):.0e}.\n"
        f"* {edited} can be changed inside the pass; the other {len(shown) - edited} refuse edits, and are only looked at.\n"
        f"* {partly} of them have layers or a stack without tokens × tokens maps (recurrent, state-space, banded); the others of their "
        f"layers are shown.\n"
        f"* Beside plain transformers, with a tokenizer of each class's own (`headscope verify`): {outside_counts(outside)}.\n"
        f"* {len(found) - len(shown)} have none, and say so when they are opened:\n{refused}\n"
    )


def _figure(number: float | None) -> str:
    return "–" if number is None else f"{number:.0e}"


def main() -> None:
    torch.set_num_threads(1)
    families = every_family()
    outside = list(in_processes([family.name for family in families]))
    found = [measured(family) for family in families]
    left_out = table(sorted(NOT_OF_TEXT.items()), ("class", "why it is not measured"))
    cells = [each.cell for each in outside]
    text = _INTRODUCTION.format(version=transformers.__version__, outside=outside_summary(outside))
    text += table(map(row_of, found, cells))
    TABLE.write_text(f"{text}\nNamed by the same maps, but not models of text alone:\n\n{left_out}", encoding="utf-8")
    before, begin, rest = README.read_text(encoding="utf-8").partition(_BEGIN)
    assert begin, f"README.md has no line {_BEGIN!r}"
    README.write_text(f"{before}{begin}{summary(found, cells)}{_END}{rest.partition(_END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
