"""A difference as plain JSON values: names instead of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .costs import costs
from .view import View

if TYPE_CHECKING:
    from .difference import Difference


def plain(difference: Difference) -> dict[str, Any]:
    """A difference as dicts, lists, strings and numbers. `tensor` and `name` are those of the new graph."""
    old, new = difference.old, difference.new
    macs, operations = (dict(zip(("before", "after"), amounts, strict=True)) for amounts in _costs(old, new))
    return {
        "nodes": {"before": old.node_count, "after": new.node_count, "untouched": difference.untouched},
        "parameters": {"before": old.parameters, "after": new.parameters},
        "bytes_of_parameters": {"before": old.parameter_bytes, "after": new.parameter_bytes},
        "macs": macs,
        "bit_operations": operations,
        "renamed": difference.renamed,
        "rewrites": [
            {
                "removed": [_node(old, node) for node in rewrite.removed],
                "inserted": [_node(new, node) for node in rewrite.inserted],
            }
            for rewrite in difference.rewrites
        ],
        "edited": [{**_node(new, edit.new), "changes": list(edit.changes)} for edit in difference.edited],
        "moved": [{**_node(new, now), "inputs_before": _node(old, was)["inputs"]} for was, now in difference.moved],
        "annotations": [
            {"what": change.what, "tensor": change.new[1], "before": change.before, "after": change.after}
            for change in difference.annotations
        ],
        "interface": list(difference.interface),
        "tidying": dict(difference.tidying),
    }


def _costs(old: View, new: View) -> Iterator[tuple[int | None, ...]]:
    """The MACs before and after, and the bit operations; None where a shape is unknown."""
    yield from zip(*((None, None) if (cost := costs(graph)) is None else cost for graph in (old, new)), strict=True)


def _node(graph: View, number: int) -> dict[str, Any]:
    node = graph.nodes[number]
    scope = graph.scopes.get(node.scope)
    return {
        "op_type": node.op_type,
        "name": node.name,
        "domain": node.domain,
        "in": scope.label if scope is not None else "",
        "inputs": [tensor[1] if tensor is not None else "" for tensor in node.inputs],
        "outputs": [tensor[1] if tensor is not None else "" for tensor in node.outputs],
    }
