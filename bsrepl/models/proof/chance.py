"""Models that draw random numbers: two executions differ, which says nothing about a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import ModelProto

from ...errors import ExecutionFailed
from ..runtime.execution import Executable, draws_numbers
from .comparison import Comparison


def chance(model: ModelProto, outputs: Sequence[tuple[str, str]], inputs: Mapping[str, Any]) -> str:
    """Why outputs of a model that differ say nothing: they follow from random numbers. Empty if they do not."""
    if not draws_numbers(model):
        return ""
    pairs = [(mine, mine) for mine, _ in outputs]
    comparison = Comparison()
    try:
        comparison.add(pairs, *(Executable(model, seed=seed)(inputs) for seed in (1, 2)))
    except ExecutionFailed:
        return ""
    return "" if comparison.is_within() else "the outputs follow from random numbers that the model draws"
