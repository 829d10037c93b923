"""Two models as parts for another process: weights that are equal, whatever they are called, are one part."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from onnx import ModelProto, TensorProto

from ...graphdiff.mapped import fill, keep, refer
from ...text.tensor_sizes import is_large

_FEW = 1024  # bytes of a weight by which equal ones are found


class Packed(NamedTuple):
    """Two models: their number of parts, and the parts, which are taken from the models when they are asked for."""

    length: int
    parts: Iterator[bytes]


def packed(before: ModelProto, after: ModelProto) -> Packed:
    """The parts of two models. Raises ValueError if one of them, without its large weights, exceeds 2 GB."""
    weights = _Weights()
    places: list[dict[int, int]] = []  # of each model: which initializer is which weight
    skeletons = []
    for model in (before, after):
        large = [(number, tensor) for number, tensor in enumerate(model.graph.initializer) if _is_large(tensor)]
        places.append({number: weights.number(tensor) for number, tensor in large})
        skeletons.append(without_data(model, places[-1].keys()).SerializeToString())
    parts = (part for group in (skeletons, [pickle.dumps(places)], weights.data()) for part in group)
    return Packed(len(skeletons) + 1 + len(weights), parts)


class _Weights:
    """The large weights of two models. Those of equal data are one, as far as a look at few bytes of it finds them."""

    def __init__(self) -> None:
        self._tensors: list[TensorProto] = []
        self._named: dict[str, int] = {}
        self._alike: dict[tuple[int, bytes], int] = {}  # the last one of so many bytes, of which these are some

    def __len__(self) -> int:
        return len(self._tensors)

    def number(self, tensor: TensorProto) -> int:
        """The number of the weight that a tensor is."""
        same = self._named.get(tensor.name)
        if same is not None and self._tensors[same] == tensor:  # nothing is copied
            return same
        data = tensor.raw_data
        key = len(data), data[:: len(data) // _FEW | 1]  # an odd step: bytes of all places in a value
        same = self._alike.get(key)
        if same is None or self._tensors[same].raw_data != data:
            same = self._alike[key] = len(self._tensors)
            self._tensors.append(tensor)
        self._named[tensor.name] = same
        return same

    def data(self) -> Iterator[bytes]:
        """The data of each."""
        for tensor in self._tensors:
            yield tensor.raw_data


def unpacked(parts: Sequence[memoryview]) -> tuple[ModelProto, ModelProto]:
    """The two models of some parts, to which their large weights refer (see `graphdiff.mapped`)."""
    before, after, places, *data = parts
    models = ModelProto.FromString(bytes(before)), ModelProto.FromString(bytes(after))
    kept = [keep(view) for view in data]
    for model, large in zip(models, pickle.loads(places), strict=True):
        for number, weight in large.items():
            refer(model.graph.initializer[number], kept[weight])
    return models


def whole(model: ModelProto) -> ModelProto:
    """A copy of a model, in which no weight refers to data elsewhere in memory."""
    copied = deepcopy(model)
    for tensor in copied.graph.initializer:
        fill(tensor)
    return copied


def _is_large(tensor: TensorProto) -> bool:
    """Whether the data of a tensor is raw and larger than what it takes to write it apart; nothing is copied."""
    return bool(tensor.HasField("raw_data") and is_large(tensor))


def without_data(model: ModelProto, numbers: Collection[int]) -> ModelProto:
    """A copy of a model without the data of some initializers."""
    copied = ModelProto()
    _fill(copied, model, "graph")
    _fill(copied.graph, model.graph, "initializer")
    for number, tensor in enumerate(model.graph.initializer):
        kept = copied.graph.initializer.add()
        if number not in numbers:
            kept.CopyFrom(tensor)
            continue
        kept.name, kept.data_type = tensor.name, tensor.data_type
        kept.dims.extend(tensor.dims)
    return copied


def _fill(message: Any, source: Any, without: str) -> None:
    """Copies the fields of a message, but for one."""
    for field, value in source.ListFields():
        if field.name == without:
            continue
        if isinstance(value, (str, bytes, int, float)):
            setattr(message, field.name, value)
        else:
            getattr(message, field.name).MergeFrom(value)
