"""The difference of two graphs in words: lines, each with a sign for removed, inserted or changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..text.format import counted, magnitude, size
from .annotations import Annotation, shape_text
from .attributes import attribute_value
from .costs import costs, uncounted
from .edits import Edit
from .rewrites import Rewrite
from .tidying import tidying_text
from .view import Node, Tensor, View

if TYPE_CHECKING:
    from .difference import Difference

_WINDOW = ("kernel_shape", "kernel_size", "pads", "pad_amount")
_MOST = 6  # rewrites, edits or moves that have a line of their own
_MOST_NODES = 12  # of one rewrite
_FEW = 2  # changes of the interface that are told in short
_MOST_NAMES = 4  # of tensors


def headline(difference: Difference) -> str:
    """`11 -> 17 nodes   2 rewrites, 9 untouched   61 -> 30 parameters`; `12 nodes, renamed only`."""
    old, new = difference.old.node_count, difference.new.node_count
    if difference.is_renamed_only:
        return f"{counted(new, 'node')}, renamed only"
    if difference.is_tidied_only:
        return f"{counted(new, 'node') if old == new else f'{old} -> {new} nodes'}, tidied only"
    numbers = _numbers(difference)
    if numbers:
        numbers.append(f"{difference.untouched} untouched")
    nodes = counted(new, "node") if old == new else f"{old} -> {counted(new, 'node')}"
    return "   ".join(filter(None, (nodes, ", ".join(numbers), cost_change(difference))))


def cost_change(difference: Difference) -> str:
    """What changed of them: `5,998 -> 5,996 parameters (24 kB -> 12 kB), 78 M -> 39 M MACs, 2 -> 1 bit operations`."""
    old, new = difference.old, difference.new
    before, after = costs(old), costs(new)
    parts = [_parameters(difference)]
    if before is not None and after is not None and uncounted(old) == uncounted(new):
        parts += [_amounts(before.macs, after.macs, "MACs")]
        parts += [_amounts(before.bit_operations, after.bit_operations, "bit operations")]
    return ", ".join(filter(None, parts))


def _amounts(before: int, after: int, what: str) -> str:
    """`77.8 M -> 38.9 M MACs`; empty if there is no change."""
    short = magnitude(before), magnitude(after)
    old, new = short if short[0] != short[1] else (f"{before:,}", f"{after:,}")
    return f"{old} -> {new} {what}" if before != after else ""


def _parameters(difference: Difference) -> str:
    """`5,998 -> 5,996 parameters (24 kB -> 12 kB)`; the parts that changed."""
    old, new = difference.old, difference.new
    counts = f"{old.parameters:,} -> {new.parameters:,} parameters" if old.parameters != new.parameters else ""
    sizes = size(old.parameter_bytes), size(new.parameter_bytes)
    if sizes[0] == sizes[1]:
        return counts
    return f"{counts} ({sizes[0]} -> {sizes[1]})" if counts else f"parameters {sizes[0]} -> {sizes[1]}"


def in_short(difference: Difference) -> str:
    """`11 -> 17 nodes, 2 rewrites`; `datatype of 12 tensors`."""
    old, new = difference.old.node_count, difference.new.node_count
    nodes = [] if old == new else [f"{old} -> {counted(new, 'node')}"]
    interface = difference.interface
    more = [f"{len(interface) - _FEW} more"] if len(interface) > _FEW else []
    return ", ".join([*nodes, *_numbers(difference), *_annotated(difference), *interface[:_FEW], *more])


def _numbers(difference: Difference) -> list[str]:
    numbers = []
    if difference.rewrites:
        numbers.append(counted(len(difference.rewrites), "rewrite"))
    if difference.edited:
        numbers.append(f"{len(difference.edited)} edited")
    if difference.moved:
        numbers.append(f"{len(difference.moved)} moved")
    return numbers


def _annotated(difference: Difference) -> list[str]:
    counts = Counter(change.what for change in difference.annotations)
    return [f"{what} of {counted(count, 'tensor')}" for what, count in counts.items()]


def lines(difference: Difference) -> Iterator[tuple[str, str]]:
    """What was removed (`-`), inserted (`+`) and changed (`~`). Rewrites of one shape are described once."""
    groups: dict[object, list[Rewrite]] = {}
    for rewrite in difference.rewrites:
        groups.setdefault(rewrite.shape, []).append(rewrite)
    for group in list(groups.values())[:_MOST]:
        yield from _rewrite(difference, group)
    yield from _more(len(groups) - _MOST, "kinds of rewrites")
    yield from _edits(difference)
    for old, new in difference.moved[:_MOST]:
        yield "~", _moved(difference, old, new)
    yield from _more(len(difference.moved) - _MOST, "moved nodes")
    annotated = list(_annotation_lines(difference.annotations))
    yield from (("~", line) for line in annotated[:_MOST])
    yield from _more(len(annotated) - _MOST, "changes of shapes and datatypes")
    yield from (("~", change) for change in difference.interface[:_MOST])
    yield from _more(len(difference.interface) - _MOST, "changes of inputs, outputs and metadata")
    if difference.tidying:
        yield "~", f"tidied: {tidying_text(difference.tidying)}"


def _edits(difference: Difference) -> Iterator[tuple[str, str]]:
    """The edited nodes; those that were edited alike are described once."""
    nodes = difference.new.nodes
    groups: dict[object, list[Edit]] = {}
    for edit in difference.edited:
        groups.setdefault((nodes[edit.new].op_type, edit.changes), []).append(edit)
    for first, *others in list(groups.values())[:_MOST]:
        node = nodes[first.new]
        more = [f"and {len(first.changes) - _MOST} more"] if len(first.changes) > _MOST else []
        changes = ", ".join([*first.changes[:_MOST], *more])
        yield "~", "  ".join(filter(None, (node.op_type, node.name, changes, _place(difference.new, node))))
        yield from _alike([nodes[edit.new].name for edit in others])
    yield from _more(len(groups) - _MOST, "kinds of edits")


def _alike(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`1 more like it: Conv_1`"""
    if names:
        named = ", ".join(filter(None, [*names[:_MOST], "..." if len(names) > _MOST else ""]))
        yield " ", f"{len(names)} more like it{f': {named}' if any(names[:_MOST]) else ''}"


def _annotation_lines(annotations: Sequence[Annotation]) -> Iterator[str]:
    """`datatype INT4 -> INT3: conv_out`, `shape added to 6 tensors: a, b, c, d, ...`"""
    groups: dict[tuple[str, str], list[Annotation]] = {}
    for change in annotations:
        kind = "added to" if not change.before else "removed from" if not change.after else "->"
        groups.setdefault((change.what, kind), []).append(change)
    for (what, kind), changes in groups.items():
        values: dict[tuple[str, str], list[Annotation]] = {}
        for change in changes:
            values.setdefault((change.before, change.after), []).append(change)
        tensors = counted(len(changes), "tensor")
        if kind != "->":
            value = f" {changes[0].after or changes[0].before}" if len(values) == 1 else ""
            yield f"{what}{value} {kind} {tensors}: {_names(changes)}"
        elif len(values) > _FEW:
            some = [f"{change.new[1]} {change.before} -> {change.after}" for change in changes[:_MOST_NAMES]]
            yield f"{what} of {tensors}: {', '.join([*some, *(['...'] if len(changes) > _MOST_NAMES else [])])}"
        else:
            for (before, after), alike in values.items():
                count = f" of {counted(len(alike), 'tensor')}" if len(alike) > _MOST_NAMES else ""
                yield f"{what} {before} -> {after}{count}: {_names(alike)}"


def _names(changes: Sequence[Annotation]) -> str:
    some = [change.new[1] for change in changes[:_MOST_NAMES]]
    return ", ".join([*some, *(["..."] if len(changes) > _MOST_NAMES else [])])


def _more(count: int, what: str) -> Iterator[tuple[str, str]]:
    if count > 0:
        yield " ", f"and {count} more {what}"


def _rewrite(difference: Difference, group: Sequence[Rewrite]) -> Iterator[tuple[str, str]]:
    first, *others = group
    for node in first.removed[:_MOST_NODES]:
        yield "-", node_text(difference.old, node)
    yield from _more(len(first.removed) - _MOST_NODES, "nodes")
    if first.inserted:
        inserted = [_short(difference.new, node) for node in first.inserted[:_MOST_NODES]]
        more = len(first.inserted) - _MOST_NODES
        yield "+", ", ".join([*inserted, *([f"and {more} more"] if more > 0 else [])])
    graph = difference.old if first.removed else difference.new
    yield from _alike([graph.nodes[(rewrite.removed or rewrite.inserted)[0]].name for rewrite in others])


def _moved(difference: Difference, old: int, new: int) -> str:
    before, after = difference.old.nodes[old], difference.new.nodes[new]
    reads = next(
        (
            (_source(difference.old, a), _source(difference.new, b))
            for a, b in zip(before.inputs, after.inputs, strict=False)
            if a is not None and b is not None and _source(difference.old, a) != _source(difference.new, b)
        ),
        None,
    )
    change = f"reads from {reads[1]}, before from {reads[0]}" if reads else "reads from another node"
    return "  ".join(filter(None, (after.op_type, after.name, change)))


def _source(graph: View, tensor: Tensor) -> str:
    """The node that produces a tensor, or the tensor itself if it is an input."""
    producer = graph.producer(tensor)
    if producer is None:
        return tensor[1]
    node = graph.nodes[producer[0]]
    return " ".join(filter(None, (node.op_type, node.name)))


def node_text(graph: View, number: int) -> str:
    """`Conv  Conv_0  W[8,1,5,5]  [1,1,28,28] -> [1,8,28,28]`"""
    node = graph.nodes[number]
    read = [tensor for tensor in node.inputs if tensor is not None and tensor not in graph.constants]
    sizes = [_shape(graph, tensors[0]) for tensors in (read, [t for t in node.outputs if t is not None]) if tensors]
    known = " -> ".join(sizes) if len(sizes) == 2 and all(sizes) else ""
    return "  ".join(filter(None, (node.op_type, node.name, _weights(graph, node), known, _place(graph, node))))


def _place(graph: View, node: Node) -> str:
    """`in then_branch`, `in function pkg.Gelu`; empty for a node of the graph itself."""
    return f"in {graph.scopes[node.scope].label}" if node.scope in graph.scopes else ""


def _short(graph: View, number: int) -> str:
    node = graph.nodes[number]
    parts = ", ".join(window(node))
    op_type = f"{node.op_type}({parts})" if parts else node.op_type
    return " ".join(filter(None, (op_type, _weights(graph, node))))


def window(node: Node) -> list[str]:
    """`["5x5", "pad 2"]`: the window of a node that has one."""
    values = {name: attribute_value(value) for name, value in node.attributes if name in _WINDOW}
    values = {name: value for name, value in values.items() if isinstance(value, list)}
    size = next((values[name] for name in ("kernel_shape", "kernel_size") if values.get(name)), None)
    pads = next((values[name] for name in ("pads", "pad_amount") if any(values.get(name, ()))), None)
    parts = ["x".join(map(str, size))] if size else []
    if pads:
        parts.append(f"pad {pads[0]}" if len(set(pads)) == 1 else f"pads {','.join(map(str, pads))}")
    return parts


def _weights(graph: View, node: Node) -> str:
    """`W[25,8]`: the shape of the largest constant that a node reads."""
    shapes = [graph.constants[tensor].shape for tensor in node.inputs if tensor in graph.constants]
    largest = max(shapes, key=_size, default=())
    return f"W[{','.join(map(str, largest))}]" if largest else ""


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for dimension in shape:
        size *= dimension
    return size


def _shape(graph: View, tensor: Tensor) -> str:
    return shape_text(graph.types.get(tensor, (0, None))[1])
