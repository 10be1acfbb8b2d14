"""The numeric tests as other processors would run them: `make test-machines`, and one setting of it in `.ci/run`.

Kernels are chosen when a process starts, by what its processor can do; variables of the environment let it do less. A processor
that lacks a setting cannot imitate it, and the setting is skipped by its name.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "default": {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "own": {},
}
"""From the least to the most: "own" is all that a processor can do, AMX and avx512_fp16 among it."""
_COMPARES = re.compile(
    r"^from (tests import .*\ballowed\b|tests\.generating |tests\.golden\.measure |headscope\.core\.(numerics|forward\.verify) )",
    re.MULTILINE,
)
_SEEN = """
import torch
from headscope.core import load_model
load_model("toy:grammar", device="cpu").capture("the cat purrs .")
print(torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())
"""


def numeric_tests() -> list[str]:
    """The files that compare numbers of two ways: those that take their tolerances from `tests/allowed.py` or core's numerics."""
    # Long texts, broken folders, refusals: of numbers no more than that rows sum to 1, or that what is copied stays the same.
    slow = {
        *(
            "test_text.py",
            "test_load.py",
            "test_budget.py",
            "test_compat.py",
            "test_frozen_records.py",
            "test_out_of_memory.py",
        ),
        *("test_public_face.py", "test_words.py", "test_write_data.py"),
    }
    files = (path for folder in ("core", "golden") for path in sorted((ROOT / "tests" / folder).glob("test_*.py")))
    return [
        str(path.relative_to(ROOT))
        for path in files
        if path.name not in slow and _COMPARES.search(path.read_text(encoding="utf-8"))
    ]


def seen(environment: dict[str, str]) -> tuple[str, int]:
    """What torch finds in a process of its own, and the threads it has with a model open."""
    done = subprocess.run(
        [sys.executable, "-c", _SEEN], capture_output=True, text=True, check=True, env={**os.environ, **environment}, cwd=ROOT
    )
    capability, threads = done.stdout.split()[-2:]
    return capability.lower(), int(threads)


def has(setting: str, own: str) -> bool:
    """Whether a processor of torch's capability `own` can do what a setting asks for."""
    order = list(SETTINGS)
    return setting == "own" or (
        platform.machine().lower() in ("x86_64", "amd64") and own in order and order.index(setting) <= order.index(own)
    )


def run(setting: str, threads: int, options: list[str]) -> bool:
    """The numeric tests under a setting, two files at a time; says what came out."""
    environment = {**SETTINGS[setting], "HF_HUB_OFFLINE": "1"}
    # Threads that wait for a core of somebody else's are not to spin meanwhile.
    environment |= {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")} | {"OMP_WAIT_POLICY": "PASSIVE"}
    found = seen(environment)
    if found[1] != threads or setting not in ("own", found[0]):
        print(f"{setting}, {threads} threads: NOT REAL, torch has {found[0]} and {found[1]} threads", flush=True)
        return False
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *numeric_tests(), *options]
    passed = subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, check=False).returncode == 0
    seconds = time.monotonic() - begun
    print(f"{setting}, {threads} thread{'s'[: threads - 1]}: {'passed' if passed else 'FAILED'} in {seconds:.0f} s", flush=True)
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", nargs="*", default=list(SETTINGS), help="default, avx2, avx512, own: all if none is named")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="for pytest")
    arguments = parser.parse_args()
    own, _ = seen({})
    results = []
    for setting in arguments.settings:
        if not has(setting, own):
            print(f"{setting}: skipped, this processor lacks it ({platform.machine()}, {own})", flush=True)
            continue
        results += [run(setting, threads, arguments.options) for threads in arguments.threads]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
