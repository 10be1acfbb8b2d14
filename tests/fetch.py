"""A process of its own that fetches a model: huggingface_hub reads its settings from the environment as it is imported.

Arguments: the model's name, perhaps with @ and a revision; the fraction at which to cancel. Prints how it ended as JSON.
"""

import json
import sys
import time

from huggingface_hub import constants

from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job, Progress
from headscope.core.models.hub.download import snapshot


def main(name: str, cancel_at: float) -> None:
    cancel, fractions, asked = Cancel(), [], []

    def report(progress: Progress) -> None:
        fractions.append(progress.fraction)
        if progress.fraction is not None and progress.fraction >= cancel_at and not asked:
            asked.append(time.monotonic())
            cancel.set()

    answer: dict[str, object] = {"fractions": fractions}
    before = settings()
    try:
        repository, _, revision = name.partition("@")
        answer["folder"] = str(snapshot(repository, Job(report, cancel), revision or None))
    except HeadscopeError as error:
        answer |= {"code": error.code, "message": error.message}
    except Cancelled:
        answer["cancelled_after"] = time.monotonic() - asked[0]
    answer["changed"] = [name for name, value in settings().items() if value != before[name]]
    print(json.dumps(answer))


def settings() -> dict[str, str]:
    """huggingface_hub's."""
    return {name: repr(value) for name, value in vars(constants).items() if name.isupper()}


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
