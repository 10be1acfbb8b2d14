"""Formulas as one line of characters, for who hears them: ``softmax((q · k) / √16 + mask)``."""

from __future__ import annotations

import re
from typing import Final

_SIGNS: Final = {
    "cdot": "·", "times": "×", "div": "÷", "alpha": "α", "theta": "θ", "infty": "∞", "sum": "Σ", "norm": "‖", "prime": "′",
}  # fmt: skip
_INSIDE: Final = r"\{([^{}]*)\}"
_PARTS: Final = (
    (re.compile(rf"\\text{_INSIDE}"), r"\1"),
    (re.compile(rf"\\sqrt{_INSIDE}"), r"√\1"),
    (re.compile(rf"\\frac{_INSIDE}{_INSIDE}"), r"(\1) / (\2)"),
    (re.compile(rf"([_^]){_INSIDE}"), r"\1(\2)"),
)
_LONE: Final = re.compile(r"(^|[\s_^(])\(([^()\s]+)\)")
"""One sign in brackets of its own."""


def spoken(formula: str) -> str:
    """A formula of `typeset`'s language without its commands; fractions become quotients, innermost first."""
    for name, sign in _SIGNS.items():
        formula = re.sub(rf"\\{name}(?![a-zA-Z])", sign, formula)
    before = ""
    while before != formula:
        before = formula
        for pattern, words in _PARTS:
            formula = pattern.sub(words, formula)
    formula = _LONE.sub(r"\1\2", formula)
    return " ".join(re.sub(r"[{}]", "", formula.replace("\\", "")).split())
