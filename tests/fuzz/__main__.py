"""``python -m tests.fuzz [--files 10000] [--seed 0] [--out build/fuzz]``: goes on where it was stopped; ends with 1 if it found something."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.fuzz.report import write_table
from tests.fuzz.run import Case, cases, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kind", action="append", help="only this kind")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--table", type=Path, default=None, help="where the table is written, docs/FUZZ.md for one")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept = arguments.out / f"verdicts-{arguments.seed}.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    known = {(each["kind"], each["number"]) for each in done}
    wanted = [case for case in cases(arguments.files, arguments.seed, arguments.kind) if (case.kind, case.number) not in known]
    with kept.open("a") as file:
        for verdict in run(wanted, arguments.workers, arguments.out / "findings"):
            done.append(verdict)
            file.write(json.dumps(verdict) + "\n")
            file.flush()
            if verdict["verdict"] == "finding":
                print(f"{verdict['kind']} {verdict['number']}: {verdict['why']}", file=sys.stderr)
            if len(done) % 100 == 0:
                print(f"{len(done)} files", file=sys.stderr)
    if arguments.table:
        write_table(arguments.table, done, arguments.seed)
    return int(any(each["verdict"] == "finding" for each in done))


__all__ = ["Case", "main"]

if __name__ == "__main__":
    sys.exit(main())
