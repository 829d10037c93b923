"""The biases of LSTM, GRU and RNN: a node has one on what it reads and one on its state, and mostly adds the two.

ONNX's operator specification has the equations: a GRU with `linear_before_reset` alone keeps those of its hidden gate
apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graphdiff.attributes import attribute_value
from ...graphdiff.view import Node

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}  # the hidden gate of a GRU is its last one
_PORT = 3  # the input that has both biases, one after the other


def effective(node: Node, port: int, values: Any) -> Any:
    """What an input is to a node: its values; of biases the sums, where these alone matter to a recurrent node."""
    gates = _GATES.get(node.op_type)
    if gates is None or node.domain or port != _PORT or values is None or values.ndim != 2:
        return values
    half = values.shape[1] // 2
    read, state = values[:, :half], values[:, half:]
    added = half - half // gates if _is_linear_before_reset(node) else half
    return np.concatenate([read[:, :added] + state[:, :added], read[:, added:], state[:, added:]], axis=1)


def _is_linear_before_reset(node: Node) -> bool:
    value = dict(node.attributes).get("linear_before_reset")
    return node.op_type == "GRU" and value is not None and bool(attribute_value(value))
