"""Models of the Hugging Face hub: from this computer's cache, or downloaded, with progress, cancellable and resumed.

This is the one place that uses the network, and only for a name that is not here.
"""

from __future__ import annotations

import errno
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id
from tqdm import tqdm

from headscope.core.counted import Counted
from headscope.core.errors import HeadscopeError, readable_bytes, reason_of
from headscope.core.files.atomic import check_disk, one_at_a_time
from headscope.core.job import Cancel, Cancelled, Job, Progress, Report
from headscope.core.models.hub import compat
from headscope.core.models.hub.quiet import QUIET
from headscope.core.text.tokens import visible

BLOCK_BYTES = 1 << 20
"""Progress and cancellation come between two blocks."""
_POLL_SECONDS = 0.1
_ANSWER_SECONDS = 15
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*")
"""A branch, a tag or a commit; it becomes a part of a path and of an address."""

VOCABULARY_FILES = frozenset(
    [
        "tokenizer.json",
        "vocab.json",
        "vocab.txt",
        "spiece.model",
        "tokenizer.model",
        "sentencepiece.bpe.model",
        "source.spm",
        "bpe.codes",
        "vocab-src.json",
        "prophetnet.tokenizer",
        "dict.txt",
        "byte_maps.json",
    ]
)
"""One of them at least is a tokenizer's vocabulary."""
_SMALL_FILES = VOCABULARY_FILES | {
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "target.spm",
    "target_vocab.json",
    "vocab-tgt.json",
    "emoji.json",
    "word_shape.json",
    "word_pronunciation.json",
    "entity_vocab.json",
    "chat_template.jinja",
}


def is_hub_name(name: str) -> bool:
    """Whether a model of the hub can have this name."""
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def snapshot(name: str, job: Job, revision: str | None = None) -> Path:
    """The folder of the hub model `name` on this computer; downloads what is not here.

    Parameters
    ----------
    revision : str or None
        A branch, a tag or a commit; the main branch if not given. What is here of a branch is not looked for again.

    Raises
    ------
    HeadscopeError
        ``model_not_found``, ``revision_not_found``, ``model_gated``, ``offline``, ``download_failed``, ``no_disk_space``.
    Cancelled
        Within a moment; what arrived is kept and a later download goes on from there.
    """
    if revision is not None and not _REVISION.fullmatch(revision):
        raise HeadscopeError("revision_not_found", name=name, revision=visible(revision))
    cached = _cached(name, revision)
    if cached is not None:
        return cached
    outcome: list[Path | BaseException] = []

    def work() -> None:
        try:
            outcome.append(_download(name, revision, job))
        except BaseException as error:  # handed to the thread that waits
            outcome.append(error)

    # In a thread of its own, so that a server that does not answer cannot hold up a cancellation.
    thread = threading.Thread(target=work, name=f"download {name}", daemon=True)
    with QUIET.held(), IN_BLOCKS.held():
        thread.start()
        while thread.is_alive():
            thread.join(_POLL_SECONDS)
            job.cancel.check()
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


@contextmanager
def _in_blocks() -> Iterator[None]:
    with ExitStack() as undo:
        for feature, value in ((compat.PLAIN_DOWNLOAD, True), (compat.BLOCKS, BLOCK_BYTES)):
            if feature.is_here:
                undo.callback(feature.set, feature.get())
                feature.set(value)
        yield


IN_BLOCKS: Final = Counted(_in_blocks)
"""Downloads go the plain HTTP way, which can be stopped between two blocks and goes on where it stopped.

huggingface_hub has no argument for that, and reads its environment when it is imported.
"""


def _cached(name: str, revision: str | None) -> Path | None:
    """The snapshot folder of `name` if its configuration, vocabulary and weights are in the cache."""
    config = try_to_load_from_cache(name, "config.json", revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    names = {path.name for path in folder.iterdir() if path.exists()}  # a link may point to what was cleaned away
    if not names & VOCABULARY_FILES:
        return None
    whole = any(file in names for file in ("model.safetensors", "pytorch_model.bin"))
    return folder if whole or _shards_are_here(folder, names) else None


def _shards_are_here(folder: Path, names: set[str]) -> bool:
    from headscope.core.models.hub.checkpoint import look

    if not any(name.endswith(".index.json") for name in names):
        return False
    try:
        look(folder)
    except HeadscopeError:
        return False
    return True


def _download(name: str, revision: str | None, job: Job) -> Path:
    job.report(Progress("downloading", 0.0, name))
    try:
        info = HfApi().model_info(name, revision=revision, files_metadata=True, timeout=_ANSWER_SECONDS)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        wanted = needed_files(sizes)
        if "config.json" not in wanted:
            raise HeadscopeError("folder_without_model", path=name, missing="config.json")
        total = sum(sizes[file] for file in wanted)
        check_disk(Path(constants.HF_HUB_CACHE), total)
        counter = _counter(total, job.report, job.cancel)
        paths = [_fetched(name, revision, file, counter, job) for file in wanted]
    except GatedRepoError:
        raise HeadscopeError("model_gated", name=name) from None
    except RevisionNotFoundError:
        raise HeadscopeError("revision_not_found", name=name, revision=revision) from None
    except RepositoryNotFoundError:
        raise HeadscopeError("model_not_found", name=name) from None
    except (OfflineModeIsEnabled, LocalEntryNotFoundError):
        raise HeadscopeError("offline", name=name) from None
    except HfHubHTTPError as error:
        raise HeadscopeError("download_failed", name=name, reason=reason_of(error), details=str(error)) from None
    except (compat.no_answer(), ConnectionError, TimeoutError) as error:
        raise HeadscopeError("offline", name=name, details=str(error)) from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise HeadscopeError("no_disk_space", path=name) from None
        raise HeadscopeError("download_failed", name=name, reason=reason_of(error), details=str(error)) from None
    return next(path for path in paths if path.name == "config.json").parent


def _fetched(name: str, revision: str | None, file: str, counter: type[tqdm[Any]], job: Job) -> Path:
    """The path of one file in the cache, fetched if need be.

    `hf_hub_download` throws away what arrived of a file that it did not finish. So the content is fetched here, beside the
    place where it looks for it, and only the book-keeping is left to it.
    """
    url = hf_hub_url(name, file, revision=revision)
    about = get_hf_file_metadata(url, timeout=_ANSWER_SECONDS)
    is_resumable = compat.FETCH.is_here and compat.STORE_NAME.is_here and compat.HEADERS.is_here
    if is_resumable and about.etag is not None and about.size is not None:
        store, cache = compat.STORE_NAME.get()(repo_id=name, repo_type="model"), Path(constants.HF_HUB_CACHE)
        blob = cache / store / "blobs" / about.etag
        with one_at_a_time(cache / ".locks" / store / f"{about.etag}.headscope.lock", job):
            if blob.exists():
                counter(initial=about.size)
            else:
                _fetch(url, blob, about.size, counter)
    return Path(hf_hub_download(name, file, revision=revision, tqdm_class=counter, etag_timeout=_ANSWER_SECONDS))


def _fetch(url: str, blob: Path, size: int, counter: type[tqdm[Any]]) -> None:
    """Write the content to `blob`; what arrived of it before is kept beside it."""
    blob.parent.mkdir(parents=True, exist_ok=True)
    part = blob.with_name(f"{blob.name}.headscope")
    with part.open("ab") as out:
        headers = compat.HEADERS.get()()
        compat.FETCH.get()(url, out, resume_size=out.tell(), headers=headers, expected_size=size, tqdm_class=counter)
    part.replace(blob)


def needed_files(names: Iterable[str]) -> list[str]:
    """The files of a repository that a model and its tokenizer need, small ones first; safetensors rather than .bin."""
    top = [name for name in names if "/" not in name]
    small = sorted(name for name in top if name in _SMALL_FILES)
    for stem, suffix in (("model", ".safetensors"), ("pytorch_model", ".bin")):
        whole, index = f"{stem}{suffix}", f"{stem}{suffix}.index.json"
        if whole in top:
            return [*small, whole]
        if index in top:
            shards = sorted(name for name in top if name.startswith(f"{stem}-") and name.endswith(suffix))
            return [*small, index, *shards]
    return small


def _counter(total: int, report: Report, cancel: Cancel) -> type[tqdm[Any]]:
    """A progress bar for huggingface_hub that tells us instead of the terminal; bytes of all files together."""
    done = 0

    class Counter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})
            self._count(int(kwargs.get("initial") or 0))

        def update(self, n: float | None = 1) -> bool | None:
            self._count(int(n or 0))
            return None

        def _count(self, n: int) -> None:
            nonlocal done
            if cancel.is_set:
                raise Cancelled
            done += n
            fraction = min(1.0, done / total) if total else None
            report(Progress("downloading", fraction, f"{readable_bytes(done)} / {readable_bytes(total)}"))

    return Counter
