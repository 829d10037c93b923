"""What the analyses of QONNX return: the dicts that they are in QONNX, which print as tables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...text.format import counted, magnitude, size, some
from ...text.styled import Styled, Text, table

_MOST = 12  # channels of a tensor
_STUCK = ("tensor", "stuck channels")

Row = tuple[str, ...]


class Cost(Styled, dict[str, Any]):
    """The cost of one inference, by what QONNX calls it. Prints as a row for each layer, and the totals."""

    def __init__(self, costs: Mapping[str, Any], layers: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(costs)
        self._layers = layers

    def rows(self) -> list[Row]:
        """A heading, a row for each layer, and one for all of them."""
        heading = ("layer", "MACs", "bit operations", "weights", "outputs", "MACs of")
        rows = [_cost_row(name, cost) for name, cost in self._layers.items()]
        return [heading, *rows, _cost_row("total", self["total_cost"])]

    def notes(self) -> list[str]:
        unsupported = re.findall(r"'([^']*)'", str(self["total_cost"].get("unsupported", "")))
        return [f"not counted, as QONNX knows no cost of them: {', '.join(sorted(unsupported))}"] if unsupported else []

    def styled(self, width: int, shows_time: bool) -> Text:
        return table(self.rows(), self.notes(), width)


class Ranges(Styled, dict[str, Any]):
    """The smallest and the largest value of each tensor, or its stuck channels. Prints as a row for each."""

    def __init__(self, ranges: Mapping[str, Any], skipped: Sequence[str]) -> None:
        super().__init__(ranges)
        self._skipped = skipped  # the nodes that QONNX cannot analyse

    def rows(self) -> list[Row]:
        """A heading and a row for each tensor."""
        if any(isinstance(value, (set, list)) for value in self.values()):
            return [_STUCK, *((name, _channels(value)) for name, value in self.items())]
        heading = ("tensor", "min", "max", "channels", "integer type")
        return [heading, *(_range_row(name, value) for name, value in self.items())]

    def notes(self) -> list[str]:
        notes = []
        if len(self.rows()[0]) > len(_STUCK):
            notes.append("integer type: the narrowest that covers the range, if the values are whole numbers")
        if self._skipped:
            names = ", ".join([*self._skipped[:_MOST], *(["..."] if len(self._skipped) > _MOST else [])])
            notes.append(f"{counted(len(self._skipped), 'node')} that QONNX cannot analyse: {names}")
        return notes

    def styled(self, width: int, shows_time: bool) -> Text:
        return table(self.rows(), self.notes(), width)


def _cost_row(name: str, cost: Mapping[str, Any]) -> Row:
    held = [
        f"{magnitude(cost[f'total_mem_{what}_elems'])} ({size(cost[f'total_mem_{what}_bits'] / 8)})" for what in "wo"
    ]
    pairs = [key.removeprefix("op_mac_").replace("_", " x ") for key in cost if key.startswith("op_mac_")]
    return name, magnitude(cost["total_macs"]), magnitude(cost["total_bops"]), *held, ", ".join(pairs)


def _channels(stuck: Any) -> str:
    """`0, 3, 4`; `0 at 0.5, 3 at 1`, if they have values."""
    pairs = [channel if isinstance(channel, tuple) else (channel, None) for channel in stuck]
    texts = [f"{channel}" if value is None else f"{channel} at {value:g}" for channel, value in sorted(pairs)]
    return some(texts, _MOST)


def _range_row(name: str, value: Any) -> Row:
    import numpy as np

    low, high = (np.asarray(end, dtype=float) for end in value)
    least, most = float(low.min(initial=math.inf)), float(high.max(initial=-math.inf))
    channels = str(max(low.size, high.size)) if max(low.ndim, high.ndim) else "all alike"
    return name, f"{least:g}", f"{most:g}", channels, _integer_type(least, most)


def _integer_type(least: float, most: float) -> str:
    """`UINT8`; empty if the range has no ends."""
    if not (math.isfinite(least) and math.isfinite(most)):
        return ""
    low, high = math.floor(least), math.ceil(most)
    if low >= 0:
        return f"UINT{max(high.bit_length(), 1)}"
    return f"INT{max((-low - 1).bit_length(), max(high, 0).bit_length()) + 1}"
