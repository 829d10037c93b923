"""Verdicts on models, which are executed in another process: the shell's side of `verify`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ...errors import TaskEnded
from ...frameworks.qonnx.ops import custom_ops
from ...text.onnx_values import with_sub_graphs
from ..proof.verdict import Outcome, Verdict
from .executor import Executor, Job
from .messages import Task

if TYPE_CHECKING:
    from onnx import ModelProto

LIMIT = 60.0  # seconds that a verdict may take
_MOST = 10.0  # times as long as the model before, from which on a model that takes too long is broken
_BRIEF = 1.0  # seconds; a model before that takes less was brief, whatever the limit

#: Gives a function, which can be pickled, that makes some ops of the shell, domains and op types, known elsewhere.
Preparation = Callable[[list[tuple[str, str]]], Callable[[], object]]


class Prover:
    """Executes models in the process of an executor. `prepare` gives that what only the shell has."""

    def __init__(self, executor: Executor, prepare: Preparation | None = None) -> None:
        self._executor = executor
        self._prepare = prepare

    def start(self) -> None:
        """Starts the other process, which gets ready while the shell goes on."""
        self._executor.start()

    def renew(self) -> None:
        """Has the other process import everything again, since packages that it uses have changed."""
        self._executor.close()

    def begin(self, before: Any, after: Any, *, limit: float = LIMIT, **options: Any) -> Pending:
        """Begins to execute two models, with the options of `verify`; for `limit` seconds at most."""
        from ..proof.verify import verify_packed  # only now: it loads onnx

        models = [getattr(model, "model", model) for model in (before, after)]
        job = self.begin_task(partial(verify_packed, **options), *models, limit=limit)
        return Pending(job, limit, is_ours=any(map(_ours, models)))

    def begin_task(self, task: Task, before: ModelProto, after: ModelProto, *, limit: float) -> Job:
        """Begins a task on two models, which it gets as `packing.packed` gives them; for `limit` seconds at most."""
        from ..runtime.packing import packed  # only now: it loads onnx

        ours = sorted(_ours(before) | _ours(after))
        prepare = self._prepare(ours) if ours and self._prepare is not None else None
        return self._executor.begin(task, packed(before, after), limit, prepare)

    def verdict(self, before: Any, after: Any, **options: Any) -> Verdict:
        """Executes two models and waits for the verdict."""
        pending = self.begin(before, after, **options)
        try:
            return pending.verdict()
        finally:
            pending.close()


def _ours(model: ModelProto) -> set[tuple[str, str]]:
    """The ops of the shell that a model has, by domain and op type."""
    ops = {(node.domain, node.op_type) for graph in with_sub_graphs(model.graph) for node in graph.node if node.domain}
    return ops & custom_ops.placed


class Pending:
    """A verdict that is awaited. `is_ours`: it is on models with ops of the shell."""

    def __init__(self, job: Job, limit: float, *, is_ours: bool) -> None:
        self._is_ours = is_ours
        self._job = job
        self._limit = limit
        self._started = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Waits so many seconds at most. Returns whether there is a verdict."""
        return self._job.wait(seconds)

    def verdict(self) -> Verdict:
        """The verdict; waits for it."""
        try:
            verdict: Verdict = self._job.result()
        except TaskEnded as ended:
            verdict = self._verdict_without_end(ended)
        if self._is_ours and verdict.outcome is Outcome.BROKEN and "NameError" in verdict.why:
            why = f"an op uses what is defined at the prompt; define it in a plugin file ({verdict.why})"
            verdict = replace(verdict, outcome=Outcome.UNPROVEN, why=why)
        return replace(verdict, seconds=time.monotonic() - self._started)

    def _verdict_without_end(self, ended: TaskEnded) -> Verdict:
        """What is known if executing crashed or took too long."""
        longer = f"; verify(..., limit={10 * self._limit:g}) waits longer" if ended.is_late else ""
        notes = self._job.notes
        if not notes:
            return Verdict(Outcome.UNPROVEN, why=f"the models cannot be executed in another process: {ended}{longer}")
        seconds, last = notes[-1]
        if isinstance(last, Verdict):
            return replace(last, why=f"{last.why}{longer}")
        if ended.trace:
            return Verdict(Outcome.UNPROVEN, why=f"internal error in bsrepl: {ended}")
        if last == "before":
            return Verdict(Outcome.UNPROVEN, why=f"the model before could not be executed: {ended}{longer}")
        if ended.is_late and (before := seconds - notes[0].seconds) > max(self._limit / _MOST, _BRIEF):
            why = f"the model before took {before:.0f} s, and there was no time for the one after"
            return Verdict(Outcome.UNPROVEN, why=f"{why}: {ended}{longer}")
        return Verdict(Outcome.BROKEN, why=f"{ended}{longer}")

    def send(self) -> None:
        """Waits until the other process has the models: from then on, they may be changed."""
        self._job.send()

    def close(self) -> None:
        """Stops executing, if there is no verdict yet."""
        self._job.close()
