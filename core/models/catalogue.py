"""What can be opened without a network: the toys, and the models of this computer's Hugging Face cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headscope.core.models.catalogue_entries import CatalogueEntry
from headscope.resources import toy_folder, toy_names

_TOYS = {
    "grammar": "masked words decided by one other word; next sentence",
    "tales": "little stories from “once upon a time”",
}
_WEIGHTS = (".safetensors", ".bin")
_LONGEST_REVISION = 20
"""Characters of a branch, a tag or a commit that the screen shows."""


def catalogue() -> tuple[CatalogueEntry, ...]:
    """Toys, then cached models by name. A cache that cannot be read counts as empty."""
    return *_toys(), *_cached()


def _toys() -> list[CatalogueEntry]:
    return [
        CatalogueEntry(f"toy:{name}", f"toy:{name}", "toy", _TOYS.get(name, ""), _size(toy_folder(name)))
        for name in toy_names()
    ]


def _cached() -> list[CatalogueEntry]:
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except (CacheNotFound, OSError, ValueError):
        return []
    models = sorted((each for each in repositories if each.repo_type == "model"), key=lambda each: each.repo_id.lower())
    return [entry for model in models for entry in _revisions(model)]


def _revisions(model: Any) -> list[CatalogueEntry]:
    """A cached model's main branch by its name alone, then what else is here of it by branch, tag or commit."""
    entries = []
    for revision in model.revisions:
        files = {file.file_name for file in revision.files}
        if "config.json" not in files or not any(name.endswith(_WEIGHTS) for name in files):
            continue
        called = min(revision.refs, default=revision.commit_hash)
        source, name = f"{model.repo_id}@{called}", f"{model.repo_id}@{called[:_LONGEST_REVISION]}"
        if "main" in revision.refs:
            source = name = model.repo_id
        entries.append(CatalogueEntry(source, name, "cache", "", revision.size_on_disk))
    return sorted(entries, key=lambda entry: entry.source)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
