"""Sub-graphs on which no output of a model depends: a branch that is not taken, a body that is not run.

What changed there is given twice as much: if every output is the same, no output has shown the change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from onnx import ModelProto

from ...errors import ExecutionFailed
from ...graphdiff.view import Node, View
from ..runtime.cutting import doubled_in
from ..runtime.execution import Executable, Values
from .comparison import Comparison
from .culprit import named

_MOST = 8  # sub-graphs that are tried
_BOOLEAN = {
    "And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "Xor",
}  # fmt: skip  # what they give cannot be doubled


#: A set of inputs, and what a model computes for it.
Known = tuple[Values, Values]


def idle(model: ModelProto, view: View, nodes: Collection[int], known: Sequence[Known]) -> str:
    """A sub-graph with some of these nodes on which no output depends for these sets of inputs, in words.

    `Relu Relu_0 changed, and the then_branch of If If_0 had no effect`; empty if there is none.
    """
    inside: dict[str, list[Node]] = {}
    for node in (view.nodes[number] for number in sorted(nodes)):
        inside.setdefault(node.scope, []).append(node)
    scopes = [(view.scopes[name], changed) for name, changed in inside.items() if name in view.scopes]
    for scope, changed in scopes[:_MOST]:
        if scope.owner is not None and not _has_effect(model, changed, known):  # functions have no owner
            owner = view.nodes[scope.owner]
            return f"{named(changed[0])} changed, and the {scope.label} of {named(owner)} had no effect"
    return ""


def _has_effect(model: ModelProto, nodes: Sequence[Node], known: Sequence[Known]) -> bool:
    """Whether an output depends on some nodes of one sub-graph; all are doubled, since zeros stay what they are."""
    nodes = [node for node in nodes if node.op_type not in _BOOLEAN] or nodes
    doubled = doubled_in(model, nodes[0].scope, [tensor for node in nodes for tensor in node.outputs])
    try:
        execute = Executable(doubled)
        return not all(_are_equal(results, execute(inputs), execute.outputs) for inputs, results in known)
    except ExecutionFailed:  # a value there is no number; or the node was executed, and made a size or an index
        return True


def _are_equal(values: Values, others: Values, names: Sequence[str]) -> bool:
    comparison = Comparison()
    comparison.add([(name, name) for name in names], values, others)
    return not (comparison.absolute or comparison.why)
