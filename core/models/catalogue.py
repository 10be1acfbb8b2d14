"""What can be opened without a network: the toys, and the models of this computer's Hugging Face cache."""

from __future__ import annotations

from pathlib import Path

from headscope.core.jobs import CatalogueEntry
from headscope.resources import toy_folder, toy_names

_TOYS = {
    "grammar": "masked words decided by one other word; next sentence",
    "tales": "little stories from “once upon a time”",
}
_WEIGHTS = (".safetensors", ".bin")


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
    entries = []
    for repository in sorted(repositories, key=lambda item: item.repo_id.lower()):
        files = {file.file_name for revision in repository.revisions for file in revision.files}
        if repository.repo_type == "model" and "config.json" in files and any(name.endswith(_WEIGHTS) for name in files):
            entries.append(CatalogueEntry(repository.repo_id, repository.repo_id, "cache", "", repository.size_on_disk))
    return entries


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
