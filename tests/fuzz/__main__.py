"""The command: run cases, and print how they ended. It fails if a case breaks a rule."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.fuzz.material import demo_material, workspace_material
from tests.fuzz.running import Result, Summary, case_of, in_memory, run_case, run_many

SEED = 20251124


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=20_000, help="how many cases")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="repeat this case alone")
    parser.add_argument("--workspace", type=Path, help="a legacy workspace to damage copies of")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--folder",
        type=Path,
        default=in_memory(),
        help="where the files of the cases lie meanwhile; in memory, where the system has that",
    )
    options = parser.parse_args()
    for variable in [name for name in os.environ if name.upper().startswith("BURNDOWN_")]:
        del os.environ[variable]
    os.environ["BURNDOWN_SQLITE_SYNCHRONOUS"] = "NORMAL"
    material = workspace_material(options.workspace) if options.workspace else demo_material()
    if options.only is not None:
        case, rng = case_of(options.seed, options.only)
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            result = run_case(case, rng, options.only, material, Path(folder))
        _print_result(result)
        print(f"{result.kind}: {result.outcome}\n{result.told}")
        return bool(result.problems)
    print(f"{options.count:,} cases of seed {options.seed} on {options.processes} processes")
    summary = run_many(
        material, options.seed, options.count, options.processes, options.folder, _print_result
    )
    _print_summary(summary)
    return bool(summary.findings)


def _print_result(result: Result) -> None:
    if result.problems:
        print(f"\ncase {result.number}, {result.kind}: {result.told[:2000]}", flush=True)
        for problem in result.problems:
            print(problem[-2000:], flush=True)


def _print_summary(summary: Summary) -> None:
    print()
    for outcome, count in sorted(summary.outcomes.items()):
        print(f"{count:7,}  {outcome}")
    print(
        f"{summary.count:7,}  cases, {len(summary.findings)} findings, "
        f"{summary.memory_mb:.0f} MB at most, {summary.seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
