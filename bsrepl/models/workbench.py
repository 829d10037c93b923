"""The commands on models: `load`, `verify`, `trace`, `watch`, `passes`, `reproduce`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence, Set
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExecutionFailed, ReproductionError

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from ..registry.plugin import Plugin
    from .model_diff import ModelDiff
    from .reproduction import Lookup, Reproduction, SourceOf
    from .survey import Survey
    from .trace_result import Trace
    from .verify import Verdict
    from .watch import Watch


def load(name: Any, *, trust: bool = False) -> ModelWrapper:
    """Opens a model: a sample of QONNX by its name, `load("mnist-conv")`, the path of an ONNX file, bytes, or a model.

    The end of a sample's name is enough if it is unique. Loading a model runs no code of it. But transforming or
    executing it imports the modules that the domains of its ops name, so a model with a domain that is no installed
    package is refused unless `trust` is true.

    Raises ModelNotFound with the nearest names, UnreadableModel or UntrustedModel.
    """
    from .loading import opened  # only now: it loads numpy and onnx

    return opened(name, trust)


def verify(before: Any, after: Any, inputs: Any = None, **options: Any) -> Verdict:
    """Executes two models on the same inputs and compares every output: a verdict in one line, which is true or false.

    `inputs` are the values of the inputs in their order. Without them, `probe_count=4` sets are generated: those
    recorded with the sample, then seeded values that honour shapes and datatype annotations. `tolerance=1e-5` is
    relative to the largest magnitude of an output. If the models differ, the verdict names the first tensor that does.

    Raises ExecutionFailed if a model cannot be executed.
    """
    from .verify import verify as executed  # only now: it loads onnxruntime

    return executed(before, after, inputs, **options)


def trace(model: Any, passes: Sequence[Any], **options: Any) -> Trace:
    """Applies passes one after the other, a row for each: changed, nodes, rewrites, times, parity.

    A pass is a transformation, a class of them, or a step, which gets `cfg=`. The model itself is not changed;
    `trace.model` is the result. `parity=True` executes the models before and after each pass, `parity=False` none; by
    default they are executed as long as that takes less than a second. `blame=True` finds the first pass after which
    the model computes something else. A pass that raises or never ends stops the trace; the model before it is kept.
    """
    from .trace import trace as applied  # only now: it loads onnxruntime

    return applied(model, passes, **options, clock=time.perf_counter)


class Workbench:
    """What the commands on models keep: the watches, and the last failure.

    `source_of` and `lookup` are as in `reproduction`; `transforms` returns the plugins that `passes` tries, and
    `progress` is called with the number tried so far, their total and the name of the last one. `clock` measures in
    seconds.
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
        self._last: Reproduction | ReproductionError = ReproductionError(
            "there is nothing to reproduce: no pass has failed, and no outputs have differed"
        )

    @wraps(verify)
    def verify(self, before: Any, after: Any, inputs: Any = None, **options: Any) -> Verdict:
        verdict = verify(before, after, inputs, **options)
        if not verdict:
            self.differed(load(before), load(after), (), verdict)
        return verdict

    @wraps(trace)
    def trace(self, model: Any, passes: Sequence[Any], **options: Any) -> Trace:
        result = trace(model, passes, **options)
        self._keep_trace(result, options.get("cfg"))
        return result

    def diff(self, before: Any, after: Any) -> ModelDiff:
        """Compares two models: what changed of the graph, in words and as lanes, and whether they compute the same.

        They are given as `verify` takes them. `diff(a, b).difference` has the parts, `.to_dict()` plain JSON values.
        """
        from ..graphdiff.difference import between  # only now: many sessions hold no model
        from .model_diff import ModelDiff

        old, new = load(before), load(after)
        difference = between(old, new)
        verdict, why_not = None, ""
        if difference:
            try:
                verdict = Workbench.verify(self, old, new)
            except ExecutionFailed as error:
                why_not = str(error)
        return ModelDiff(old, new, difference, verdict, why_not)

    def watch(self, model: Any = None, passes: Any = None) -> Watch | list[Watch]:
        """Runs a pass, or a list of them, on a model now and each time one of their plugin files is saved.

        Each run starts from the same model. The shell shows what is different from the last run, and whether the
        result still computes the same as the model. `watch(...).model` is the last result, `.stop()` ends the watch.
        Without arguments: the watches that are on.
        """
        if passes is None:
            return self.watches
        from .watch import Watch  # only now: it loads onnxruntime

        watch = Watch(load(model), passes if isinstance(passes, (list, tuple)) else [passes], self._clock)
        self._watches = [other for other in self.watches if other.name != watch.name] + [watch]
        self._keep_run(watch)
        return watch

    @property
    def watches(self) -> list[Watch]:
        """The watches that are on."""
        return [watch for watch in self._watches if watch.is_on]

    def rerun(self, modules: Set[str]) -> Iterator[Watch]:
        """Runs the watches of passes from modules that were executed again, one for each value that is taken."""
        for watch in self.watches:
            if watch.concerns(modules) and not watch.lost():
                watch.run()
                self._keep_run(watch)
                yield watch

    def passes(self, model: Any, *, limit: float = 10.0) -> Survey:
        """Tries all transforms that need no argument on a model: a table of those that would change it.

        Each is tried on a copy, in a process of its own, for `limit` seconds at most. Ctrl-C shows the results so far.
        """
        from .survey import survey  # only now: it loads onnxruntime

        plugins = self._transforms()
        try:
            return survey(load(model), plugins, limit, lambda done, name: self._progress(done, len(plugins), name))
        finally:
            self._progress(len(plugins), len(plugins), "")

    def reproduce(self, folder: Any) -> Path:
        """Writes the last failure of a pass, or the last difference, into a folder: the model, the inputs, the sources,
        and a script that reproduces it with plain QONNX. Returns the script's path.

        Raises ReproductionError if there is no failure, it cannot be written down, or the folder holds other files.
        """
        if isinstance(self._last, ReproductionError):
            raise self._last
        return self._last.write(Path(folder).expanduser())

    def failed(self, model: ModelWrapper, passes: Sequence[Any], error: BaseException, cfg: Any = None) -> None:
        """Keeps the failure of passes on a model, for `reproduce`."""
        self._keep(f"{type(error).__name__}: {error}", model, passes, cfg=cfg)

    def differed(
        self, before: ModelWrapper, after: ModelWrapper, passes: Sequence[Any], verdict: Verdict, cfg: Any = None
    ) -> None:
        """Keeps the difference between a model and the one that passes returned, for `reproduce`."""
        self._keep(repr(verdict), before, passes, cfg=cfg, after=after, inputs=verdict.inputs)

    def _keep_trace(self, result: Trace, cfg: Any = None) -> None:
        if result.error is not None:
            self.failed(result.model, [result.stopped_at], result.error, cfg)
        elif result.culprit is not None:
            culprit = result.culprit
            self.differed(culprit.before, culprit.after, [culprit.applied], culprit.verdict, cfg)

    def _keep_run(self, watch: Watch) -> None:
        self._keep_trace(watch.last.trace)
        proof = watch.last.proof
        if proof is not None and proof.verdict is not None and not proof.verdict:
            self.differed(watch.source, watch.model, watch.passes, proof.verdict)

    def _keep(self, message: str, model: ModelWrapper, passes: Sequence[Any], **more: Any) -> None:
        from .reproduction import reproduction  # only now: it loads onnxruntime

        try:
            self._last = reproduction(message, model, passes, source_of=self._source_of, lookup=self._lookup, **more)
        except ReproductionError as error:
            self._last = error
