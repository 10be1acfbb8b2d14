"""What an unusual file of torch's is tried with, in a child process (`headscope.core.files.guarded`)."""

from __future__ import annotations

from pathlib import Path


def try_torch_file(path: str) -> None:
    """Read it as `checkpoint.look` does.

    Raises
    ------
    HeadscopeError
        Of `bin_shapes`.
    """
    from headscope.core.models.checkpoint import bin_shapes

    bin_shapes(Path(path))
