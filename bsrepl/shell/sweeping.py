"""`sweep` at the prompt: tasks that hold the plugin files and the passes, and the pool that they run on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import SweepFailed, WrongCall
from ..frameworks.qonnx.observing import name_of
from ..models.process.executor import Executor
from ..models.resolution import resolved
from . import worker

if TYPE_CHECKING:
    from ..models.sweep import Sweep
    from ..models.sweep_task import Row, Task


class Sweeping:
    """Passes over many models. `live` gives the code of the session, `named` a pass or a step by its name."""

    def __init__(
        self,
        live: Callable[[], worker.LiveCode],
        named: Callable[[str], Any],
        progress: Callable[[int, int, str], None],
    ) -> None:
        self._live = live
        self._named = named
        self._progress = progress

    def sweep(
        self,
        passes: Any,
        models: Any,
        *,
        check: bool = False,
        executor: futures.Executor | None = None,
        cfg: Any = None,
        tolerance: float | None = None,
        limit: float = 60.0,
    ) -> Sweep:
        """Applies a pass, or a list of them, to many models and verifies each: a row a model, whatever happens to it.

        `models` is a folder of ONNX files, a glob, or a list of names, paths and models. Each has a process of its own,
        for `limit` seconds at most, so that one that crashes or hangs is a row. The value iterates over the rows;
        `.failed` has those that are wrong, `.to_json("report.json")` saves all. Ctrl-C keeps what is done.

        They run on this machine, or on the workers of any `concurrent.futures.Executor`, where bsrepl has to be
        installed: Dask's `Client(...).get_executor()` is one. `cfg` is what steps get, `tolerance` is as in `verify`.
        With `check=True` it raises SweepFailed if a model fails.
        """
        from ..models.sweep import sweep  # only now: it loads onnx

        tasks = self._tasks(passes, models, cfg, tolerance, limit)

        def progress(done: int, name: str) -> None:
            self._progress(done, len(tasks), name)

        try:
            progress(0, tasks[0].name if tasks else "")
            if executor is not None:
                result = sweep(tasks, partial(_submit, executor), progress)
            else:
                result = _here(tasks, progress)
        finally:
            self._progress(1, 1, "")
        if check and not result:
            raise SweepFailed("\n".join(result.conclusion()))
        return result

    def _tasks(self, passes: Any, models: Any, cfg: Any, tolerance: float | None, limit: float) -> Sequence[Task]:
        import pickle  # only now: few sessions sweep

        from ..models.collection import collected, model_name
        from ..models.sweep_task import Task

        chosen = resolved(passes, self._named)
        prepare = partial(worker.become, self._live())
        try:
            pickled = pickle.dumps(chosen)
        except Exception as error:  # whatever pickling one of them raises
            names = ", ".join(map(name_of, chosen))
            raise WrongCall(
                f"{names} cannot be sent to another process: {error}; define it in a plugin file"
            ) from error
        return [
            Task(model_name(model), _portable(model), pickled, prepare, cfg, tolerance, limit)
            for model in collected(models)
        ]


def _portable(model: Any) -> str | bytes:
    """A path as it is, a model as bytes."""
    if isinstance(model, (str, os.PathLike)):
        return os.fspath(model)
    return model if isinstance(model, bytes) else bytes(getattr(model, "model", model).SerializeToString())


def _here(tasks: Sequence[Task], progress: Callable[[int, str], None]) -> Sweep:
    """Each thread waits for a process; closing the executor ends these, and so the threads."""
    from ..models.sweep import sweep
    from ..models.sweep_task import run

    with ThreadPoolExecutor(os.cpu_count()) as threads, closing(Executor()) as processes:
        processes.start()
        return sweep(tasks, lambda task: threads.submit(run, task, processes), progress)


def _submit(executor: futures.Executor, task: Task) -> Future[Row]:
    """Hands over a task with its model: a worker elsewhere has no such file."""
    from ..models.sweep_task import run_anywhere
    from ..models.workbench import load

    return executor.submit(run_anywhere, task._replace(model=_portable(load(task.model))))
