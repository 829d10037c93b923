"""What one does with models at the prompt: `load`, `verify`, `trace`, `watch`, `passes`, `reproduce`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence, Set
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ReproductionError

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from ..registry.plugin import Plugin
    from .reproduction import Lookup, Reproduction, SourceOf
    from .survey import Survey
    from .trace_result import Trace
    from .verify import Verdict
    from .watch import Watch


def load(name: Any, *, trust: bool = False) -> ModelWrapper:
    """Opens a model: a sample of QONNX by its name, `load("mnist-conv")`, the path of an ONNX file, bytes, or a model.

    A sample may be named by the end of its name, as long as that means one only. Loading a model executes nothing of
    it. But transforming or executing one imports the module that each custom op's domain names; so a model with a
    domain that is no installed package is refused, unless you `trust` it.

    Raises ModelNotFound, with the samples there are, UnreadableModel or UntrustedModel.
    """
    from .loading import opened  # only now: it brings numpy and onnx along

    return opened(name, trust)


def verify(before: Any, after: Any, inputs: Any = None, **options: Any) -> Verdict:
    """Executes two models on the same inputs and compares every output: a verdict in one line, which is true or false.

    `inputs` are the values of the inputs in their order. Without them, `probe_count=4` sets are made: what was recorded
    with the sample, else seeded values that honour shapes and datatype annotations. `tolerance=1e-5` is relative to the
    largest magnitude of an output. Where the models differ, the first tensor that does is named.

    Raises ExecutionFailed if a model cannot be executed.
    """
    from .verify import verify as executed  # only now: it brings onnxruntime along

    return executed(before, after, inputs, **options)


def trace(model: Any, passes: Sequence[Any], **options: Any) -> Trace:
    """Applies passes one after the other, a row for each: changed, nodes, rewrites, times, parity.

    A pass is a transformation, a class of them, or a step, which gets `cfg=`. The model stays as it is; `trace.model`
    is what came of it. `parity=True` executes the models before and after each pass, `parity=False` none; without
    either it is done while it takes less than a second. `blame=True` finds the first pass after which the model
    computes something else. A pass that raises or never ends stops the trace; the model before it is kept.
    """
    from .trace import trace as applied  # only now: it brings onnxruntime along

    return applied(model, passes, **options, clock=time.perf_counter)


class Workbench:
    """What goes on with models beyond a command: the passes that are watched, and the last failure.

    `source_of` and `lookup` are as in `reproduction`; `transforms` gives the plugins that `passes` tries, and
    `progress` is told how many of how many it has tried, and the last one. `clock` measures in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        source_of: SourceOf,
        lookup: Lookup,
        transforms: Callable[[], Sequence[Plugin]],
        progress: Callable[[int, int, str], None],
    ) -> None:
        self._clock = clock
        self._source_of = source_of
        self._lookup = lookup
        self._transforms = transforms
        self._progress = progress
        self._watches: list[Watch] = []
        self._last: Reproduction | ReproductionError = ReproductionError("nothing has failed or differed so far")

    @wraps(verify)
    def verify(self, before: Any, after: Any, inputs: Any = None, **options: Any) -> Verdict:
        found = verify(before, after, inputs, **options)
        if not found:
            self.differed(load(before), load(after), (), found)
        return found

    @wraps(trace)
    def trace(self, model: Any, passes: Sequence[Any], **options: Any) -> Trace:
        done = trace(model, passes, **options)
        self._note(done, options.get("cfg"))
        return done

    def watch(self, model: Any = None, passes: Any = None) -> Watch | list[Watch]:
        """Runs a pass, or a list of them, on a model now and each time a plugin file of theirs is saved.

        Each time from the same model, the one that is given. What is told is what is different from the last run, and
        whether the result still computes what the model does. `watch(...).model` is the last result, `.stop()` ends
        it. Without arguments: those that are on.
        """
        if passes is None:
            return self.watches
        from .watch import Watch  # only now: it brings onnxruntime along

        begun = Watch(load(model), passes if isinstance(passes, (list, tuple)) else [passes], self._clock)
        self._watches = [each for each in self.watches if each.name != begun.name] + [begun]
        self._note_run(begun)
        return begun

    @property
    def watches(self) -> list[Watch]:
        """Those that are on."""
        return [each for each in self._watches if each.is_on]

    def rerun(self, modules: Set[str]) -> Iterator[Watch]:
        """Runs what is watched and concerned by modules that were executed again; one after the other, as asked for."""
        for each in self.watches:
            if each.concerns(modules) and not each.lost():
                each.run()
                self._note_run(each)
                yield each

    def passes(self, model: Any, *, limit: float = 10.0) -> Survey:
        """Which of all transforms that need no argument would change a model now: a table, and what of the others.

        Each is tried on a copy, in a process of its own, for `limit` seconds at most. Ctrl-C shows what came so far.
        """
        from .survey import survey  # only now: it brings onnxruntime along

        plugins = self._transforms()
        try:
            return survey(load(model), plugins, limit, lambda done, name: self._progress(done, len(plugins), name))
        finally:
            self._progress(len(plugins), len(plugins), "")

    def reproduce(self, folder: Any) -> Path:
        """Writes the last failure of a pass, or the last difference, into a folder: the model, the inputs, the sources,
        and a script that shows it with plain QONNX. Returns the script's path.

        Raises ReproductionError if there is none, it cannot be written down, or the folder has something else in it.
        """
        if isinstance(self._last, ReproductionError):
            raise self._last
        return self._last.write(Path(folder).expanduser())

    def failed(self, model: ModelWrapper, passes: Sequence[Any], error: BaseException, cfg: Any = None) -> None:
        """Keeps what shows that passes fail on a model, for `reproduce`."""
        self._keep(f"{type(error).__name__}: {error}", model, passes, cfg=cfg)

    def differed(
        self, before: ModelWrapper, after: ModelWrapper, passes: Sequence[Any], verdict: Verdict, cfg: Any = None
    ) -> None:
        """Keeps what shows that the passes made one model of the other, and that it computes something else."""
        self._keep(repr(verdict), before, passes, cfg=cfg, after=after, inputs=verdict.inputs)

    def _note(self, done: Trace, cfg: Any = None) -> None:
        if done.error is not None:
            self.failed(done.model, [done.stopped_at], done.error, cfg)
        elif done.culprit is not None:
            found = done.culprit
            self.differed(found.before, found.after, [found.applied], found.verdict, cfg)

    def _note_run(self, watch: Watch) -> None:
        self._note(watch.last.trace)
        proven = watch.last.proof
        if proven is not None and proven.verdict is not None and not proven.verdict:
            self.differed(watch.source, watch.model, watch.passes, proven.verdict)

    def _keep(self, said: str, model: ModelWrapper, passes: Sequence[Any], **more: Any) -> None:
        from .reproduction import reproduction  # only now: it brings onnxruntime along

        try:
            self._last = reproduction(said, model, passes, source_of=self._source_of, lookup=self._lookup, **more)
        except ReproductionError as error:
            self._last = error
