"""The difference of two ONNX graphs, whatever their nodes are called: `between(a, b)` gives a `Difference`."""

from .difference import Difference, between

__all__ = ["Difference", "between"]
