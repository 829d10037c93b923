"""How far the outputs of two models differ: each channel on its own scale, over all sets of inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ExecutionFailed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMERIC = "fiub"  # kinds of numpy's data types that can be subtracted
_STEPS = 16  # of the last place, that values which are computed in another order may differ by
_LEAST = 1e-2  # times the largest channel: a smaller one may be what is left of larger values
_TELLING = 16  # values of a channel, from which on its own scale says something

#: The channels of an output: which output, which axis, how many there are along it.
Channels = tuple[str, int, int]


@dataclass
class Comparison:
    """The differences of the outputs of two models. `epsilon` is the smallest step from 1.0 of what they compute in."""

    epsilon: float = float(np.finfo(np.float32).eps)
    errors: dict[Channels, NDArray[Any]] = field(default_factory=dict)  # of each channel: the largest difference
    scales: dict[Channels, NDArray[Any]] = field(default_factory=dict)  # and the largest magnitude
    absolute: float = 0.0  # the largest difference of two values
    relative: float = 0.0  # that, relative to the largest magnitude of the output
    argmax_equal: bool | None = None  # None if no output has more than one value along its last axis
    why: str = ""  # what differs besides values: shapes, NaN, Inf, texts
    worst: int = 0  # the number of the set of inputs on which they differ the most
    sets: int = 0

    def add(self, pairs: Sequence[tuple[str, str]], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Compares tensors, pairs of their names, for one set of inputs. Raises ExecutionFailed if it cannot."""
        worst = 0.0
        for mine, theirs in pairs:
            old, new = list(_arrays(mine, before)), list(_arrays(theirs, after))
            if len(old) != len(new):
                self._note(f"{mine} {len(old)} -> {len(new)} tensors")
            for (name, a), (_, b) in zip(old, new, strict=False):
                if a.shape != b.shape:
                    self._note(f"{name} {list(a.shape)} -> {list(b.shape)}")
                if a.size == b.size:
                    worst = max(worst, self._add(name, a, b.reshape(a.shape)))
        if worst > self.relative:
            self.relative, self.worst = worst, self.sets
        self.sets += 1

    def _note(self, why: str) -> None:
        if not self.why:
            self.why, self.worst = why, self.sets

    def _add(self, name: str, a: NDArray[Any], b: NDArray[Any]) -> float:
        if a.dtype.kind not in _NUMERIC or b.dtype.kind not in _NUMERIC:
            if not _are_equal(a, b):
                self._note(f"{name} has other values")
            return 0.0
        if not a.size:
            return 0.0
        self._note_argmax(a, b)
        a, b = a.astype(np.float64), b.astype(np.float64)
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            if why := _not_numbers(name, a, b):
                self._note(why)
            both = np.isfinite(a) & np.isfinite(b)
            a, b = np.where(both, a, 0.0), np.where(both, b, 0.0)
        error, scale = np.abs(a - b), np.abs(a)
        for axis in {min(1, a.ndim - 1), a.ndim - 1} if a.ndim else {0}:
            self._merge((name, axis, a.shape[axis] if a.ndim else 1), error, scale, axis)
        largest, magnitude = float(error.max()), float(scale.max())
        self.absolute = max(self.absolute, largest)
        return largest / magnitude if magnitude else float(largest > 0)

    def _merge(self, channels: Channels, error: NDArray[Any], scale: NDArray[Any], axis: int) -> None:
        for values, known in ((error, self.errors), (scale, self.scales)):
            others = tuple(other for other in range(values.ndim) if other != axis)
            largest = np.atleast_1d(values.max(axis=others))
            known[channels] = np.maximum(known[channels], largest) if channels in known else largest

    def _note_argmax(self, a: NDArray[Any], b: NDArray[Any]) -> None:
        if a.ndim and a.shape[-1] > 1:
            is_equal = bool(np.array_equal(a.argmax(-1), b.argmax(-1)))
            self.argmax_equal = self.argmax_equal is not False and is_equal

    def allowed(self, channels: Channels, tolerance: float | None = None) -> NDArray[Any]:
        """How far the values of each channel may differ: as far as a few roundings, or a relative tolerance, go."""
        scales = self.scales[channels]
        if tolerance is not None:
            return tolerance * scales
        return self.epsilon * (_STEPS * scales + min(1.0, float(scales.max(initial=0))))

    def excess(self, tolerance: float | None = None) -> float:
        """By how many times the differences exceed what is allowed; up to 1 they do not. 0: there is none."""
        worst = 0.0
        for channels, error in self.errors.items():
            allowed = self.allowed(channels, tolerance)
            worst = max(worst, float(np.divide(error, allowed, where=allowed > 0, out=_endless(error)).max(initial=0)))
        return worst

    def is_within(self, tolerance: float | None = None) -> bool:
        """Whether nothing differs by more than is allowed."""
        return not self.why and self.excess(tolerance) <= 1


def distance(a: Any, b: Any, *, is_fine: bool, floor: float) -> float:
    """How far two arrays differ, relative to the largest magnitude of a channel; endless if by more than values.

    Differences up to `floor` count for nothing.
    """
    if a.dtype == b.dtype and np.array_equal(a, b):
        return 0.0
    comparison = Comparison()
    comparison.add([("a", "b")], {"a": a}, {"b": b})
    if comparison.why:
        return np.inf
    distances = [comparison.relative if comparison.absolute > floor else 0.0]
    for channels, error in comparison.errors.items():
        if is_fine or a.size >= _TELLING * error.size:  # a single value near zero says little
            scale = comparison.scales[channels]
            least = 0.0 if is_fine else _LEAST * scale.max(initial=0)
            scale = np.maximum(scale, max(least, np.finfo(np.float32).tiny))
            distances.append(float(np.where(error > floor, error / scale, 0).max(initial=0)))
    return max(distances)


def _endless(error: NDArray[Any]) -> NDArray[Any]:
    return np.where(error > 0, np.inf, 0.0)


def _arrays(name: str, values: Mapping[str, Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The array of an output with its name, or those of a sequence: `y[0]`, `y[1]`."""
    if name not in values:
        raise ExecutionFailed(f"the output {name} has no value")
    value = values[name]
    elements = [(f"{name}[{k}]", one) for k, one in enumerate(value)] if isinstance(value, list) else [(name, value)]
    for label, element in elements:
        if not isinstance(element, (np.ndarray, np.generic)):
            raise ExecutionFailed(f"the output {label} is a {type(element).__name__}, which cannot be compared")
        yield label, np.asarray(element)


def _are_equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.dtype.kind == b.dtype.kind and bool(np.array_equal(a, b))


def _not_numbers(name: str, a: NDArray[Any], b: NDArray[Any]) -> str:
    """`NaN in out: 0 -> 3`, if NaN or Inf are at other places."""
    for what, test in (("NaN", np.isnan), ("Inf", np.isposinf), ("-Inf", np.isneginf)):
        old, new = test(a), test(b)
        if not np.array_equal(old, new):
            counts = int(old.sum()), int(new.sum())
            return (
                f"{what} in {name}: {counts[0]} -> {counts[1]}"
                if counts[0] != counts[1]
                else (f"{what} in {name} at other places")
            )
    return ""
