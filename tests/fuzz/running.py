"""Running one case, many cases, and many cases in several processes."""

import faulthandler
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path
from typing import Any, NamedTuple

from tests.fuzz.box import Box
from tests.fuzz.cases import CASES, Case
from tests.fuzz.material import Material

SECONDS = 20
"""The time limit of a case, in seconds."""
MEMORY_MB = 500
"""The memory limit of the process."""


class Result(NamedTuple):
    """The result of a case."""

    number: int
    kind: str
    outcome: str
    told: str
    """The changes of the input."""
    problems: tuple[str, ...]
    memory_mb: float
    """The peak memory of the process so far."""


@dataclass
class Summary:
    """The results of all cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Result] = field(default_factory=list)
    memory_mb: float = 0
    seconds: float = 0

    @property
    def count(self) -> int:
        """The number of cases."""
        return self.outcomes.total()

    def add(self, result: Result) -> None:
        self.outcomes[f"{result.kind}: {result.outcome}"] += 1
        self.memory_mb = max(self.memory_mb, result.memory_mb)
        if result.problems:
            self.findings.append(result)


class _HangError(BaseException):
    """The case takes too long; not an ``Exception``, so that no code under test catches it."""


def in_memory() -> Path | None:
    """Return a folder in memory, so that no case waits for a disk; ``None`` if there is none."""
    folder = Path("/dev/shm")
    return folder if os.access(folder, os.W_OK) else None


def case_of(seed: int, number: int) -> tuple[Case, random.Random]:
    """Return the case of this number, with its random numbers."""
    rng = random.Random(f"{seed}/{number}")
    cases, weights = zip(*CASES, strict=True)
    return rng.choices(cases, weights)[0], rng


def run_case(
    case: Case, rng: random.Random, number: int, material: Material, folder: Path
) -> Result:
    """Run one case in a folder below the given one, and remove it afterwards."""
    before = _memory_mb()
    box = Box(folder / f"case-{number}")
    outcome = "fault"
    try:
        with _at_most(SECONDS):
            outcome = case(rng, material, box)
    except _HangError:
        box.problems.append(f"took more than {SECONDS} seconds:\n{traceback.format_exc()}")
    except Exception:  # noqa: BLE001 - whatever else a case raises is what is looked for
        box.problems.append(traceback.format_exc())
    finally:
        box.remove()
    memory = _memory_mb()
    if before <= MEMORY_MB < memory:
        box.problems.append(f"took {memory:.0f} MB of memory")
    told = "; ".join(box.told)
    return Result(number, case.__name__, outcome, told, tuple(box.problems), memory)


def run_here(material: Material, seed: int, numbers: range, folder: Path) -> Summary:
    """Run cases in this process."""
    summary = Summary()
    for number in numbers:
        case, rng = case_of(seed, number)
        summary.add(run_case(case, rng, number, material, folder))
    return summary


def run_many(
    material: Material,
    seed: int,
    count: int,
    processes: int,
    folder: Path | None = None,
    told: Callable[[Result], None] = lambda result: None,
) -> Summary:
    """Run cases in several processes; one that dies counts as a finding.

    Args:
        material: the input to damage.
        seed: determines the cases, with their numbers.
        count: the number of cases.
        processes: the number of processes.
        folder: for the files of the cases; by default the system's temporary folder.
        told: is called with each result.
    """
    summary, started = Summary(), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="burndown-fuzz-", dir=folder) as own:
        workers = [
            _Worker(material, seed, range(first, count, processes), Path(own))
            for first in range(processes)
        ]
        while workers:
            ready = connection.wait([worker.results for worker in workers])
            for worker in [worker for worker in workers if worker.results in ready]:
                result = worker.next_result()
                if result is None:
                    workers.remove(worker)
                else:
                    summary.add(result)
                    told(result)
    summary.seconds = time.perf_counter() - started
    return summary


class _Worker:
    def __init__(self, material: Material, seed: int, numbers: range, folder: Path) -> None:
        self._arguments = material, seed, folder
        self._numbers = numbers
        self._start()

    def _start(self) -> None:
        self.results, sender = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.Process(
            target=_work, args=(*self._arguments, self._numbers, sender)
        )
        self._process.start()
        sender.close()

    def next_result(self) -> Result | None:
        """Return the next result; ``None`` at the end."""
        try:
            result: Result = self.results.recv()
        except EOFError:
            self._process.join()
            if not self._numbers:
                return None
            code = self._process.exitcode
            result = Result(self._numbers[0], "any", "death", "", (f"died with {code}",), 0)
            self._numbers = self._numbers[1:]
            self._start()
            return result
        self._numbers = self._numbers[1:]
        return result


def _work(material: Material, seed: int, folder: Path, numbers: range, results: Any) -> None:
    own = Path(tempfile.mkdtemp(dir=folder))
    for number in numbers:
        faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
        case, rng = case_of(seed, number)
        results.send(run_case(case, rng, number, material, own))
    faulthandler.cancel_dump_traceback_later()
    shutil.rmtree(own)


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _memory_mb() -> float:
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
