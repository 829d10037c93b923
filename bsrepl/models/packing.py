"""Two models as parts to send to another process: what both have in common is sent once, and weights one by one."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from onnx import ModelProto, TensorProto

from ..text.tensor_sizes import is_large


class Packed(NamedTuple):
    """Two models: their number of parts, and the parts, which are taken from the models when they are asked for."""

    length: int
    parts: Iterator[bytes]


def packed(before: ModelProto, after: ModelProto) -> Packed:
    """The parts of two models. Raises ValueError if one of them, without its large weights, exceeds 2 GB."""
    sources: list[TensorProto] = []
    places: list[list[tuple[int, int]]] = []  # of each model: which initializer is which source
    skeletons = []
    known: dict[str, tuple[TensorProto, int]] = {}
    for model in (before, after):
        large = []
        for number, tensor in enumerate(model.graph.initializer):
            if not _is_large(tensor):
                continue
            same = known.get(tensor.name)
            if same is None or same[0] != tensor:
                same = known[tensor.name] = tensor, len(sources)
                sources.append(tensor)
            large.append((number, same[1]))
        skeletons.append(without_data(model, {number for number, _ in large}).SerializeToString())
        places.append(large)
    parts = (part for group in (skeletons, [pickle.dumps(places)], _data(sources)) for part in group)
    return Packed(len(skeletons) + 1 + len(sources), parts)


def _data(tensors: Sequence[TensorProto]) -> Iterator[bytes]:
    for tensor in tensors:
        yield tensor.raw_data


def unpacked(parts: Sequence[bytes]) -> tuple[ModelProto, ModelProto]:
    """The two models of some parts."""
    before, after, places, *data = parts
    models = ModelProto.FromString(before), ModelProto.FromString(after)
    for model, large in zip(models, pickle.loads(places), strict=True):
        for number, source in large:
            model.graph.initializer[number].raw_data = data[source]
    return models


def _is_large(tensor: TensorProto) -> bool:
    """Whether the data of a tensor is raw and larger than what it takes to write it apart; nothing is copied."""
    return bool(tensor.HasField("raw_data") and is_large(tensor))


def without_data(model: ModelProto, numbers: Collection[int]) -> ModelProto:
    """A copy of a model without the data of some initializers."""
    copied = ModelProto()
    for field, value in model.ListFields():
        if field.name != "graph":
            _copy(copied, field.name, value)
    for field, value in model.graph.ListFields():
        if field.name != "initializer":
            _copy(copied.graph, field.name, value)
    for number, tensor in enumerate(model.graph.initializer):
        kept = copied.graph.initializer.add()
        if number not in numbers:
            kept.CopyFrom(tensor)
            continue
        kept.name, kept.data_type = tensor.name, tensor.data_type
        kept.dims.extend(tensor.dims)
    return copied


def _copy(message: Any, field: str, value: Any) -> None:
    """Sets a field of a message to a value of another message."""
    if hasattr(value, "ListFields"):
        getattr(message, field).CopyFrom(value)
    elif isinstance(value, (str, bytes, int, float)):
        setattr(message, field, value)
    else:
        getattr(message, field).MergeFrom(value)
