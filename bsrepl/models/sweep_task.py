"""One model of a sweep: passes are applied to it, and the result is verified, in a process of its own."""

from __future__ import annotations

import os
import pickle
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from ..errors import BsreplError, TaskEnded
from ..graphdiff.difference import between
from ..graphdiff.words import in_short
from ..text.format import error_line
from .process.executor import Executor
from .proof.verdict import Outcome, Verdict
from .runtime.packing import Packed

UNCHANGED, FAILED, CRASHED, LATE, UNREADABLE = "unchanged", "FAILED", "CRASHED", "OUT OF TIME", "UNREADABLE"
_FINE = (UNCHANGED, Outcome.OK.value, Outcome.ROUNDING.value, Outcome.UNPROVEN.value)


class Task(NamedTuple):
    """What a process needs to know, which may be one of another machine that has bsrepl installed."""

    name: str  # of the model
    model: str | bytes  # a path, the name of a sample, or the model itself
    passes: bytes  # a list of them, pickled: it is read once the plugin files are importable
    prepare: Callable[[], object]  # makes the plugin files importable
    cfg: Any  # what steps get
    tolerance: float | None
    limit: float  # seconds


class Applied(NamedTuple):
    """What the passes did."""

    nodes_before: int
    nodes_after: int
    rewrites: int
    changes: str  # `11 -> 17 nodes, 2 rewrites`
    seconds: float


@dataclass(frozen=True)
class Row:
    """What happened to one model."""

    name: str
    status: str  # an outcome of a verdict, `unchanged`, or why there is none: `FAILED`, `CRASHED`, `OUT OF TIME`
    why: str = ""  # it failed
    applied: Applied | None = None  # None if the passes did not come to an end
    verdict: Verdict | None = None
    seconds: float = 0.0
    memory: int = 0  # bytes that it took at most; 0 if that is unknown

    @property
    def is_failed(self) -> bool:
        """Whether the outputs differ, or it did not come to an end."""
        return self.status not in _FINE

    def to_dict(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        applied = None if self.applied is None else self.applied._asdict()
        verdict = None if self.verdict is None else self.verdict.to_dict()
        return {**vars(self), "failed": self.is_failed, "applied": applied, "verdict": verdict}


def run(task: Task, executor: Executor) -> Row:
    """Applies the passes to a model and verifies the result, in another process. Whatever happens there is a row."""
    started = time.monotonic()
    apply = partial(_applied, name=task.name, passes=task.passes, cfg=task.cfg, tolerance=task.tolerance)
    model = Packed(1, iter([pickle.dumps(task.model)]))
    job = executor.begin(apply, model, task.limit, task.prepare)
    try:
        row: Row = job.result()
    except TaskEnded as ended:
        row = _ended(task.name, ended, job.notes)
    finally:
        job.close()
    return replace(row, seconds=time.monotonic() - started)


def run_anywhere(task: Task) -> Row:
    """The same for a worker of any pool, which has no executor of its own."""
    if not hasattr(_THREAD, "executor"):
        _THREAD.executor = Executor()
    return run(task, _THREAD.executor)


_THREAD = threading.local()  # a worker may run several tasks, each in a thread


def _applied(
    parts: list[memoryview],
    note: Callable[[object], None],
    *,
    name: str,
    passes: bytes,
    cfg: Any,
    tolerance: float | None,
) -> Row:
    """Runs in the other process."""
    from .loading import opened
    from .proof.verify import verify
    from .trace import trace
    from .trust import TRUSTING

    os.environ["NUM_DEFAULT_WORKERS"] = "1"  # of QONNX's pools: there are enough processes
    try:
        before = opened(pickle.loads(parts[0]))
    except BsreplError as error:
        return Row(name, UNREADABLE, str(error).removesuffix(TRUSTING))
    started = time.perf_counter()
    traced = trace(before, pickle.loads(passes), cfg=cfg, clock=time.perf_counter)
    if traced.error is not None:
        return Row(name, FAILED, f"{traced.failed}: {error_line(traced.error)}", memory=_memory())
    seconds = time.perf_counter() - started
    difference = between(before, traced.model)
    counts = difference.old.node_count, difference.new.node_count
    applied = Applied(*counts, len(difference.rewrites), in_short(difference), seconds)
    if not difference:
        return Row(name, UNCHANGED, applied=applied, memory=_memory())
    note(applied)
    verdict = replace(verify(before, traced.model, tolerance=tolerance, note=note), inputs={})
    return Row(name, verdict.outcome.value, _why(verdict), applied, verdict, memory=_memory())


def _ended(name: str, ended: TaskEnded, notes: list[Any]) -> Row:
    """The row of a model whose process ended before its time, or at the end of it."""
    if not notes or ended.is_late:
        return Row(name, LATE if ended.is_late else FAILED if ended.trace else CRASHED, str(ended), *notes[:1])
    verdict = notes[-1] if isinstance(notes[-1], Verdict) else None
    if verdict is None:
        is_broken = notes[-1] == "after"
        why = str(ended) if is_broken else f"the model before could not be executed: {ended}"
        verdict = Verdict(Outcome.BROKEN if is_broken else Outcome.UNPROVEN, why=why)
    return Row(name, verdict.outcome.value, _why(verdict), notes[0], replace(verdict, inputs={}))


def _why(verdict: Verdict) -> str:
    return "" if verdict else repr(verdict)


def _memory() -> int:
    """The most memory that this process has taken so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
