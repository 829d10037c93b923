"""Whether equal outputs show anything: they do not if they are empty, all NaN, all zero, or the same for all inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto

from ..runtime.dependence import computed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEAR_ZERO = 1e-5  # outputs below it are lost among what float32 rounds


def meaningless(model: ModelProto, outputs: Sequence[str], results: Sequence[Mapping[str, Any]]) -> str:
    """Which of the outputs shows nothing, and why; empty if all show something.

    `results` are the values for each set of inputs. An output that no input leads to is a constant: equality proves it.
    """
    reached = computed(model)
    for name in outputs:
        if name in reached:
            arrays = [np.asarray(result[name]) for result in results if isinstance(result.get(name), np.ndarray)]
            if arrays and (reason := _reason(arrays)):
                return f"the output {name} {reason}"
    return ""


def _reason(arrays: Sequence[NDArray[Any]]) -> str:
    if not any(array.size for array in arrays):
        return "is empty"
    if all(array.dtype.kind == "f" and np.isnan(array).all() for array in arrays):
        return "is NaN everywhere"
    if not any(np.any(array) for array in arrays if array.dtype.kind in "fiub"):
        return "is zero for all inputs" if arrays[0].dtype.kind in "fiub" else ""
    if all(array.dtype.kind == "f" and np.nanmax(np.abs(array), initial=0) < _NEAR_ZERO for array in arrays):
        return f"is smaller than {_NEAR_ZERO:.0e} for all inputs"
    if all(array.dtype.kind == "f" and not np.isfinite(array).any() for array in arrays if array.size):
        return "is infinite or NaN everywhere"
    alike: dict[tuple[int, ...], list[NDArray[Any]]] = {}
    for array in arrays:
        alike.setdefault(array.shape, []).append(array)
    repeated = [group for group in alike.values() if len(group) > 1]
    if repeated and all(np.array_equal(group[0], other) for group in repeated for other in group[1:]):
        return "is the same for all inputs"
    return ""
