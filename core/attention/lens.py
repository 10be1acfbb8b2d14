"""What a cell of a picture shows."""

from __future__ import annotations

from typing import Literal

Lens = Literal["weights", "scores"]
"""After the softmax, or before it."""
