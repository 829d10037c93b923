"""The commands on models: `load`, `verify`, `trace`, `watch`, `passes`, `reproduce`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelNotFound, UnreadableInputs
from .process.prover import LIMIT
from .resolution import resolved

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from ..registry.plugin import Plugin
    from .feeds.inputs import Given
    from .last_failure import LastFailure
    from .model_diff import ModelDiff
    from .process.prover import Prover
    from .proof.verdict import Verdict
    from .series import Series
    from .survey import Survey
    from .trace_result import Trace
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


def of_opened(analysis: Callable[..., Any]) -> Callable[..., Any]:
    """An analysis of a model that is given as `load` takes it."""

    @wraps(analysis)
    def opened(model: Any, *arguments: Any, **options: Any) -> Any:
        return analysis(load(model), *arguments, **options)

    return opened


class Workbench:
    """What the commands on models keep: the watches, the inputs that were given, and `failure`, the last one.

    `named` gives a pass or a step by its name; `transforms` returns the plugins that `passes` tries, and `progress` is
    called with the number tried so far, their total and the name of the last one. `held` gives the values that the
    session holds, by their names. `clock` measures in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        prover: Prover,
        failure: LastFailure,
        *,
        named: Callable[[str], Any],
        held: Callable[[], Mapping[str, Any]],
        transforms: Callable[[], Sequence[Plugin]],
        progress: Callable[[int, int, str], None],
    ) -> None:
        self.prover = prover
        self._clock = clock
        self._failure = failure
        self._named = named
        self._held = held
        self._transforms = transforms
        self._progress = progress
        self._watches: list[Watch] = []
        self._given: dict[str, Given] = {}  # by the name of a model

    def verify(
        self,
        before: Any,
        after: Any,
        inputs: Any = None,
        *,
        shapes: Mapping[str, Any] | None = None,
        expected: Any = None,
        tolerance: float | None = None,
        probe_count: int = 4,
        limit: float = LIMIT,
    ) -> Verdict:
        """Executes two models on the same inputs and compares every output: a verdict, which is true or false.

        `inputs` are arrays by the names of the inputs, or in their order, a list of such sets, or a .npy or .npz file;
        `shapes={"N": 4}` are sizes of dynamic dimensions, `expected` the outputs that are right. Without them, those
        given with `inputs(m, ...)` are used, or about `probe_count` sets are generated: those recorded with the
        sample, then seeded values that honour shapes and datatype annotations. A difference counts if it is more than
        rounding, or more than `tolerance=1e-3`, relative to the largest magnitude of a channel. If the models differ,
        the verdict names the first node or rewrite that does. They are executed for `limit` seconds at most.
        """
        before, after = load(before), load(after)
        known = self._inputs_of(before, inputs, shapes, expected)
        options = {"tolerance": tolerance, "probe_count": probe_count, "limit": limit}
        verdict = self.prover.verdict(before, after, **known, **options)
        if verdict.is_wrong:
            self._failure.differed(before, after, (), verdict)
        return verdict

    def inputs(
        self, model: Any, inputs: Any = None, *, shapes: Mapping[str, Any] | None = None, expected: Any = None
    ) -> Given:
        """Keeps inputs for the name that holds a model: `inputs(m, {"x": array})`. Every later check of it uses them.

        They are arrays by name, or in their order, a list of such sets, or a .npy or .npz file; `shapes={"N": 4}` are
        sizes of dynamic dimensions, `expected` the outputs that are right. `inputs(m)` returns what is kept, and
        `inputs(m, "generated")` forgets it.
        """
        from .feeds.fitting import check  # only now: they load onnxruntime
        from .feeds.inputs import Given, given

        names = [model] if isinstance(model, str) and model in self._held() else self._names_of(model)
        if not names:
            what = f"the name {model} holds no model" if isinstance(model, str) else "no name holds this model"
            raise UnreadableInputs(f"{what}; assign it first: m = load(...), then inputs(m, ...)")
        if isinstance(inputs, str) and inputs == "generated":
            self._given = {name: kept for name, kept in self._given.items() if name not in names}
        elif inputs is not None or shapes is not None or expected is not None:
            kept = given(inputs, shapes, expected)
            check(load(self._held()[names[0]]).model, kept)
            self._given.update(dict.fromkeys(names, kept))
        return self._given.get(names[0], Given())

    def _names_of(self, model: Any) -> list[str]:
        return [name for name, value in self._held().items() if value is model]

    def inputs_for(self, name: str) -> dict[str, Any]:
        """What was given for the models of a name, as options of `verify`."""
        return self._given[name].options() if name in self._given else {}

    def _inputs_of(self, model: Any, inputs: Any, shapes: Any, expected: Any) -> dict[str, Any]:
        """What was given, now or earlier, for a model, as options of `verify`."""
        from .feeds.inputs import given

        if inputs is not None or shapes is not None or expected is not None:
            return given(inputs, shapes, expected).options()
        return next((self.inputs_for(name) for name in self._names_of(model) if name in self._given), {})

    def trace(
        self,
        model: Any,
        passes: Any,
        *,
        parity: bool | None = None,
        blame: bool = False,
        cfg: Any = None,
        inputs: Any = None,
        shapes: Mapping[str, Any] | None = None,
        expected: Any = None,
    ) -> Trace:
        """Applies passes one after the other, a row for each: changed, nodes, rewrites, times, parity.

        A pass is a transformation, a class of them, the name of one, or a step, which gets `cfg=`; one alone needs no
        list. The model itself is not changed; `trace.model` is the result. `parity=True` executes the models before and
        after each pass, `parity=False` none; by default they are executed as long as that takes less than a second.
        `inputs`, `shapes` and `expected` are as in `verify`. `blame=True` finds the first pass after which the model
        computes something else. A pass that raises or never ends stops the trace; the model before it is kept.
        """
        from .trace import trace as applied  # only now: it loads onnx

        opened_model = load(model)
        prove = partial(self.prover.verdict, **self._inputs_of(opened_model, inputs, shapes, expected))
        options = {"cfg": cfg, "parity": parity, "blame": blame}
        result = applied(opened_model, resolved(passes, self._named), **options, clock=self._clock, prove=prove)
        self._failure.traced(result, cfg)
        return result

    def diff(
        self, *models: Any, inputs: Any = None, shapes: Mapping[str, Any] | None = None, expected: Any = None,
        tolerance: float | None = None, probe_count: int = 4, limit: float = LIMIT,
    ) -> ModelDiff | Series:  # fmt: skip
        """Compares models: what changed of the graph, in words and as lanes, and whether they compute the same.

        They are given as `verify` takes them, with its options. Two give a value whose `.difference` has the parts.
        More of them, a list, a glob, or a folder, whose files count in the order in which they were written, give a row
        for each: what changed since the one before, the verdict beside that one and beside the first. `.to_dict()` has
        plain JSON values. What could run code of a model's choice is compared, and not executed.
        """
        from .collection import collected  # only now: many sessions hold no model
        from .feeds.inputs import given
        from .model_diff import compared
        from .series import series

        sources = collected(models)
        options: dict[str, Any] = {"tolerance": tolerance, "probe_count": probe_count, "limit": limit}
        given(inputs, shapes, expected)  # what cannot be read is told, also where no model needs to be executed
        diff = partial(compared, prove=partial(self.verify, inputs=inputs, shapes=shapes, expected=expected, **options))
        if len(sources) == 2:
            return diff(*sources)
        if len(sources) < 2:
            there = "one model" if sources else "no model"
            raise ModelNotFound(f"there is {there}; diff compares two, a list of them, or a folder")
        try:
            return series(sources, diff, lambda done, name: self._progress(done, len(sources), name))
        finally:
            self._progress(1, 1, "")

    def watch(
        self,
        model: Any = None,
        passes: Any = None,
        *,
        inputs: Any = None,
        shapes: Mapping[str, Any] | None = None,
        expected: Any = None,
    ) -> Watch | list[Watch]:
        """Runs a pass, or a list of them, on a model now and each time one of their plugin files is saved.

        Each run starts from the same model. The shell shows what is different from the last run, and whether the
        result still computes the same as the model; `inputs`, `shapes` and `expected` are as in `verify`.
        `watch(...).model` is the last result, `.stop()` ends the watch. Without arguments: the watches that are on.
        """
        if passes is None:
            return self.watches
        from .watch import Watch  # only now: it loads onnx

        opened_model = load(model)
        prove = partial(self.prover.verdict, **self._inputs_of(opened_model, inputs, shapes, expected))
        watch = Watch(opened_model, resolved(passes, self._named), self._clock, prove)
        self._watches = [other for other in self.watches if other.name != watch.name] + [watch]
        self._failure.watched(watch)
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
                self._failure.watched(watch)
                yield watch

    def passes(self, model: Any, passes: Any = None, *, limit: float = 10.0) -> Survey:
        """Tries all transforms that need no argument on a model, or those given: a table of those that would change it.

        They are given as to `trace`. Each is tried on a copy, in a process of its own, for `limit` seconds at most.
        Ctrl-C shows the results so far.
        """
        from .survey import as_plugin, survey  # only now: it loads onnxruntime

        plugins = self._transforms()
        if passes is not None:
            plugins = [as_plugin(each, plugins) for each in resolved(passes, self._named)]
        try:
            return survey(load(model), plugins, limit, lambda done, name: self._progress(done, len(plugins), name))
        finally:
            self._progress(len(plugins), len(plugins), "")

    def reproduce(self, folder: Any, *, reduce: bool = False, limit: float = 60.0) -> tuple[Path, str]:
        """Writes the last failure of a pass, or the last difference, into a folder: the model, the inputs, the sources,
        and a script that reproduces it with plain QONNX. Returns the script's path, and how far it was reduced.

        With `reduce`, the model is cut down to the smallest part that is found within `limit` seconds. Raises
        ReproductionError if there is no failure, it cannot be written down, or the folder holds other files.
        """
        last = self._failure.reproduction()
        last.check(folder := Path(os.path.expanduser(folder)))
        if not reduce:
            return last.write(folder), ""
        from .reduction import reduced  # only now: it loads onnxruntime

        try:
            smaller = reduced(last, self.prover, limit, self._clock, self._tell_left)
        finally:
            self._progress(1, 1, "")
        return smaller.reproduction.write(folder), str(smaller)

    def _tell_left(self, left: int, most: int) -> None:
        self._progress(most - left, most, f"{left} nodes left")
