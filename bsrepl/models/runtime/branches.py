"""Models with the branches that inputs take in the place of their Ifs: there each tensor can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, helper, numpy_helper

from ...errors import ExecutionFailed
from .execution import Executable, Values
from .part import renamed

Models = tuple[ModelProto, ModelProto]
Sets = list[tuple[Values, Values]]
Taken = tuple[bool, ...]

_BRANCHES = {True: "then_branch", False: "else_branch"}


def opened(models: Models, sets: Sequence[tuple[Values, Values]]) -> Iterator[tuple[Models, Sets]]:
    """Two models without Ifs, for the sets of inputs of both that take the same branches.

    Only Ifs of the graph itself, or in branches of these, are replaced; where there are none, there is nothing to give.
    Raises ExecutionFailed.
    """
    if not any(map(_conditions, models)):
        return
    for (mine, theirs), members in _grouped(models, sets):
        both = _without(models[0], mine), _without(models[1], theirs)
        if any(map(_conditions, both)):
            yield from opened(both, members)
        else:
            yield both, members


def _grouped(models: Models, sets: Sequence[tuple[Values, Values]]) -> list[tuple[tuple[Taken, Taken], Sets]]:
    """The branches that are taken in both models, and the sets of inputs that take them."""
    before, after = (Executable(model, _conditions(model)) for model in models)
    groups: dict[tuple[Taken, Taken], Sets] = {}
    for pair in sets:
        taken = _taken(models[0], before(pair[0])), _taken(models[1], after(pair[1]))
        groups.setdefault(taken, []).append(pair)
    return list(groups.items())


def _is_if(node: Any) -> bool:
    return node.op_type == "If" and node.domain in ("", "ai.onnx")


def _conditions(model: ModelProto) -> list[str]:
    """The tensor that each If of the graph itself depends on."""
    return [node.input[0] for node in model.graph.node if _is_if(node)]


def _taken(model: ModelProto, values: Mapping[str, Any]) -> Taken:
    """Of each If, whether its condition holds."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    given = [values[name] if name in values else numpy_helper.to_array(constants[name]) for name in _conditions(model)]
    return tuple(bool(np.all(value)) for value in given)


def _without(model: ModelProto, taken: Taken) -> ModelProto:
    """A copy of a model in which each If is replaced by a branch of it."""
    copied = ModelProto()
    copied.CopyFrom(model)
    graph = copied.graph
    del graph.node[:]
    names = {name for node in model.graph.node for name in (*node.input, *node.output)}
    branches = iter(taken)
    for node in model.graph.node:
        if not _is_if(node):
            graph.node.append(node)
            continue
        wanted = _BRANCHES[next(branches)]
        branch = ModelProto(graph=next(attribute.g for attribute in node.attribute if attribute.name == wanted))
        if branch.graph.sparse_initializer:
            raise ExecutionFailed("a branch has sparse initializers")
        own = {name for inner in branch.graph.node for name in inner.output if name}
        own |= {tensor.name for tensor in branch.graph.initializer}
        inner = renamed(branch, {name: f"{name}__in_{node.output[0]}" for name in own & names}).graph
        names |= {name for one in inner.node for name in one.output} | {tensor.name for tensor in inner.initializer}
        graph.node.extend(inner.node)
        graph.initializer.extend(inner.initializer)
        graph.value_info.extend(inner.value_info)
        graph.quantization_annotation.extend(inner.quantization_annotation)
        ends = zip(inner.output, node.output, strict=True)
        graph.node.extend(helper.make_node("Identity", [end.name], [name]) for end, name in ends if name)
    return copied
