"""docs/GLOSSARY.md holds: names that it retires are no identifiers any more."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "GLOSSARY.md").read_text(encoding="utf-8")


def retired(heading: str) -> list[str]:
    """The names in the first column of a section's table."""
    section = GLOSSARY.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


@cache
def identifiers() -> frozenset[str]:
    """Every name that the code gives, takes or uses."""
    found = set[str]()
    for folder in ("core", "gui"):
        for path in (ROOT / folder).rglob("*.py"):
            found.update(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for name in ("name", "id", "attr", "arg"):
                    value = getattr(node, name, None)
                    if isinstance(value, str):
                        found.add(value)
    return frozenset(found)


@pytest.mark.parametrize("name", retired("Retired names"))
def test_a_retired_name_is_gone(name: str) -> None:
    assert name not in identifiers()
