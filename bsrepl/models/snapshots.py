"""Models as they were: frozen, and with large weights stored once, however many models have them."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ..text.tensor_sizes import is_large, tensor_bytes

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

    from ..graphdiff.constants import Content, Stored
    from ..graphdiff.view import View


class _Weights:
    """A large initializer as it was."""

    def __init__(self, tensor: TensorProto, content: Content) -> None:
        self.tensor = deepcopy(tensor)
        self.content = content
        self.size = tensor_bytes(tensor)


class Snapshot:
    """A model as it was."""

    def __init__(self, skeleton: bytes, weights: dict[int, _Weights], is_wrapper: bool) -> None:
        self._skeleton = skeleton
        self._weights = weights  # by the number of the initializer
        self._is_wrapper = is_wrapper

    def parts(self) -> dict[int, int]:
        """The sizes of what it holds, in bytes, by what tells shared parts from others."""
        return {id(self): len(self._skeleton)} | {id(held): held.size for held in self._weights.values()}

    def model(self) -> Any:
        """The model, as a copy that may be edited: a ModelWrapper or a ModelProto, as it was."""
        from onnx import ModelProto
        from qonnx.core.modelwrapper import ModelWrapper

        proto = ModelProto.FromString(self._skeleton)
        for number, held in self._weights.items():
            tensor = proto.graph.initializer[number]
            name = tensor.name
            tensor.CopyFrom(held.tensor)
            tensor.name = name
        return ModelWrapper(proto) if self._is_wrapper else proto


class Snapshots:
    """Takes snapshots; weights that are alive in one of them are shared with the next."""

    def __init__(self) -> None:
        self._by_content: WeakValueDictionary[Content, _Weights] = WeakValueDictionary()
        self._by_name: WeakValueDictionary[str, _Weights] = WeakValueDictionary()

    def take(self, model: Any, graph: View) -> Snapshot:
        """A snapshot of a model, of which `graph` is the view."""
        from ..graphdiff.constants import content_of
        from .runtime.packing import without_data

        source: ModelProto = getattr(model, "model", model)
        weights = {
            number: self._kept(tensor, graph.constants.get(("", tensor.name)) or content_of(tensor))
            for number, tensor in enumerate(source.graph.initializer)
            if is_large(tensor)
        }
        return Snapshot(without_data(source, weights).SerializeToString(), weights, source is not model)

    def content_of(self, constant: Stored) -> Content:
        """The content of a constant; it is not read if it equals what a snapshot has of that name."""
        from ..graphdiff.constants import content_unless_known  # only now: many sessions hold no model

        return content_unless_known(constant, self._known)

    def _kept(self, tensor: TensorProto, content: Content) -> _Weights:
        held = self._by_content.get(content)
        if held is None:
            held = self._by_content[content] = _Weights(tensor, content)
        self._by_name[tensor.name] = held
        return held

    def _known(self, name: str) -> tuple[TensorProto, Content] | None:
        held = self._by_name.get(name)
        return None if held is None else (held.tensor, held.content)
