"""The sets of inputs on which a model is tried, with what it computes for them: as few as show something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto

from ...errors import ExecutionFailed
from ..runtime.execution import Executable, Values, inputs_of, op_types
from .fitting import fitting
from .meaning import meaningless
from .probes import KINDS, Probes, datatypes
from .sizes import Dimension, assignments, fixed, shapes, sized

_SIZES = 2  # assignments of sizes to dynamic dimensions
_FAILURE = "the model before could not be executed"
# Of zeros these compute what they do of nothing else: no number, or which one of equal values.
_EDGES = {
    "ArgMax", "ArgMin", "Div", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Log", "Mod", "Pow", "Reciprocal",
    "Sqrt", "TopK",
}  # fmt: skip
_WINDOWS = {"AveragePool", "Conv", "ConvInteger", "LpPool", "MaxPool", "QLinearConv"}
_FURTHER = 12  # sets of inputs that are tried besides if some may show more

_Shape = tuple[tuple[str, tuple[int, ...]], ...]  # the shapes of all inputs


class Trial(NamedTuple):
    """A set of inputs of a model and its outputs, by name."""

    inputs: Values
    outputs: Values


class Trials(NamedTuple):
    """What a model was tried on."""

    trials: list[Trial]
    sizes: str  # the sizes of dynamic dimensions: `N=2, S=3 and N=3, S=5`; empty if there are none
    further: Iterator[Trial] = iter(())  # more of them, at other sizes too; each is executed when it is asked for
    release: Callable[[], None] = lambda: None  # gives back the memory that executing the model took


def given_trials(model: ModelProto, sets: Sequence[Mapping[Any, Any]]) -> Trials:
    """The model before, tried on sets of inputs, by their names or their places.

    Raises ExecutionFailed if they do not fit, or if it cannot be executed.
    """
    execute = Executable(model, failure=_FAILURE)
    return Trials([Trial(values, execute(values)) for values in [fitting(model, given) for given in sets]], "")


def generated_trials(
    before: ModelProto, after: ModelProto, names: Mapping[str, str], count: int, seed: int, sizes: Mapping[str, Any]
) -> Trials:
    """The model before, tried on about `count` generated sets of inputs that also fit the model after.

    `names` are the inputs' names in the model after, by those before. Raises ExecutionFailed if nothing can be
    executed.
    """
    annotated = datatypes(after)
    trying = _Trying(before, seed, {mine: annotated[name] for mine, name in names.items() if name in annotated})
    theirs = shapes(inputs_of(after))
    common = fixed(shapes(inputs_of(before)), {mine: theirs[name] for mine, name in names.items()}, sizes)
    ops = op_types(before) | op_types(after)
    has_edges, has_windows = not _EDGES.isdisjoint(ops), not _WINDOWS.isdisjoint(ops)
    working: dict[str, dict[Dimension, int]] = {}
    trials: list[Trial] = []
    candidates = partial(assignments, common, has_windows=has_windows)
    for chosen in candidates():
        if len(working) == _SIZES:
            break
        shape = sized(common, chosen)
        fewer = bool(chosen) and not has_edges  # zeros are left out; the second size takes their place
        kinds = KINDS[1:2] if working else KINDS[: max(count - fewer, 2)]
        found = trying.trials(shape, kinds, with_recorded=not working)
        if found and _described(chosen) not in working:
            working[_described(chosen)] = chosen
            trials += found
    if not trials:
        raise trying.failure or ExecutionFailed(f"{_FAILURE}: every output is empty")
    shape = sized(common, next(iter(working.values())))
    for kind in KINDS:
        if not meaningless(before, trying.execute.outputs, [trial.outputs for trial in trials]):
            break
        trials += trying.trials(shape, (kind,), with_recorded=False)
    others = [chosen for chosen in candidates() if chosen not in working.values()]
    order = [sized(common, chosen) for chosen in (*working.values(), *others)]
    further = islice(trying.further(order), _FURTHER)
    return Trials(trials, " and ".join(filter(None, working)), further, trying.execute.release)


class _Trying:
    """Executes a model on generated inputs; `failure` is why the first of them could not be executed."""

    def __init__(self, model: ModelProto, seed: int, fitting: Mapping[str, str]) -> None:
        self.execute = Executable(model, failure=_FAILURE)
        self.failure: ExecutionFailed | None = None
        self._probes = Probes(model, seed, fitting)
        self._suited: set[_Shape] = set()
        self._failures: defaultdict[_Shape, list[str]] = defaultdict(list)

    def trials(self, shape: Mapping[str, tuple[int, ...]], kinds: Sequence[str], *, with_recorded: bool) -> list[Trial]:
        """The trials of inputs of these shapes that can be executed and that give any outputs.

        Recorded ones take the place of the first kinds.
        """
        recorded = list(self._probes.recorded(shape))[: len(kinds)] if with_recorded else []
        given: list[Callable[[], Values]] = [partial(dict, values) for values in recorded]
        given += [partial(self._probes.generated, shape, kind) for kind in kinds[len(recorded) :]]
        trials = filter(None, (self._trial(shape, values) for values in given))
        is_empty = any(0 in dims for dims in shape.values())
        return [trial for trial in trials if is_empty or self._shows_something(trial.outputs)]

    def further(self, shapes: Sequence[Mapping[str, tuple[int, ...]]]) -> Iterator[Trial]:
        """Trials of inputs of these shapes, as far as they can be executed, each with other kinds of values."""
        for number in range(_FURTHER * len(shapes)):
            shape = shapes[number % len(shapes)]
            trial = self._trial(shape, partial(self._probes.mixed, shape, number))
            if trial is not None and self._shows_something(trial.outputs):
                yield trial

    def _trial(self, shape: Mapping[str, tuple[int, ...]], values: Callable[[], Values]) -> Trial | None:
        """The trial of some values for inputs of these shapes; None if they cannot be executed."""
        key = tuple(shape.items())
        failures = self._failures[key]
        if key not in self._suited and len(set(failures)) < len(failures):
            return None  # onnxruntime has failed twice in the same way: no values suit these shapes
        try:
            inputs = values()
            trial = Trial(inputs, self.execute(inputs))
        except ExecutionFailed as error:
            self.failure = self.failure or error
            failures += [str(error.__cause__)] if self.execute.is_whole else []
            return None
        self._suited.add(key)
        return trial

    def _shows_something(self, outputs: Values) -> bool:
        arrays = [outputs[name] for name in self.execute.outputs]
        return not arrays or any(not isinstance(array, np.ndarray) or array.size for array in arrays)


def _described(sizes: Mapping[Dimension, int]) -> str:
    named = [(key if isinstance(key, str) else f"{key[0]}[{key[1]}]", size) for key, size in sizes.items()]
    more = ", ..." if len(named) > 4 else ""
    return ", ".join(f"{name}={size}" for name, size in named[:4]) + more
