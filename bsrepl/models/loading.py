"""Opening models: samples of QONNX, ONNX files, bytes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelNotFound, UnreadableModel
from ..frameworks.qonnx.samples import samples
from ..registry import unavailable
from ..text.format import error_line
from ..text.tracebacks import level_outside
from .repair import repair
from .trust import refuse_untrusted

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto
    from qonnx.core.modelwrapper import ModelWrapper

_LIMIT = 2**31  # bytes that a protobuf message may have
_MOST = 200  # characters of why QONNX cannot open a model


def opened(source: Any, trust: bool = False) -> ModelWrapper:
    """A model from a path, a sample's name, bytes, a `ModelProto` or a `ModelWrapper`, which is returned as it is.

    Raises ModelNotFound, UnreadableModel or, unless `trust` is true, UntrustedModel.
    """
    try:
        from qonnx.core.modelwrapper import ModelWrapper
    except ImportError as error:  # an older QONNX beside a newer onnx
        raise UnreadableModel(
            f"QONNX cannot be imported: {unavailable.reason(error)}; install versions of QONNX and onnx that fit"
        ) from error

    if isinstance(source, ModelWrapper):
        return source
    if isinstance(source, (str, os.PathLike)):
        path, is_sample = _located(source)
        model, place = _read(path), path.name
        trust = trust or is_sample
    else:
        model, place = _parsed(source), "the model"
    if not trust:
        refuse_untrusted(model, place)
    for repaired in repair(model):
        warnings.warn(f"{place}: {repaired}", stacklevel=level_outside())
    try:
        return ModelWrapper(model)
    except Exception as error:  # assertions and whatever its look at shapes and values raises
        reason = error_line(error)[:_MOST]
        raise UnreadableModel(f"QONNX cannot open {place}: {reason}") from error


def _located(name: str | os.PathLike[str]) -> tuple[Path, bool]:
    """The file of a path or of a sample's name, and whether it is a sample."""
    wanted = os.fspath(name)
    if "://" in wanted:
        raise ModelNotFound(f"load opens no addresses; download {wanted} and give its path")
    path = Path(os.path.expanduser(wanted))
    if os.path.isfile(path):  # unlike `Path.is_file` it knows names that are too long
        return path, False
    known = samples()
    matches = [sample for sample in known if sample == wanted or sample.endswith("/" + wanted)]
    if len(matches) == 1:
        return known[matches[0]], True
    if matches:
        raise ModelNotFound(f"{wanted!r} may be {' or '.join(matches)}; give one of these names")
    raise ModelNotFound(f"no model {wanted!r}; {_nearest(wanted, list(known))}")


def _nearest(wanted: str, known: list[str]) -> str:
    """`nearest: mnist-conv`; all samples if none is near."""
    from difflib import get_close_matches  # only now, to be quick at the prompt

    near = [sample for sample in known if wanted.lower() in sample.lower()] or get_close_matches(wanted, known)
    return f"nearest: {', '.join(near)}" if near else f"the samples are {', '.join(known)}"


def _read(path: Path) -> ModelProto:
    """The model in a file, with the data that it keeps in other files."""
    import onnx

    if path.stat().st_size >= _LIMIT:
        raise UnreadableModel(
            f"{path} is larger than 2 GB, the limit of a protobuf message; save its weights as external data"
        )
    model = _parsed(path.read_bytes(), str(path))
    missing = [place for place in _external(model.graph) if not (path.parent / place).is_file()]
    if missing:
        raise UnreadableModel(f"{path} keeps data in {', '.join(missing)} beside it, which is missing")
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # a place outside of the folder, or less data than there should be
        raise UnreadableModel(f"the data that {path} keeps in other files cannot be read: {error}") from error
    return model


def _parsed(source: Any, place: str = "what was given") -> ModelProto:
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    if isinstance(source, ModelProto):
        model = source
    elif isinstance(source, (bytes, bytearray, memoryview)):
        try:
            model = ModelProto.FromString(bytes(source))
        except DecodeError as error:
            raise UnreadableModel(f"{place} is no ONNX model: {error}") from error
    else:
        raise UnreadableModel(f"load takes a path, a sample's name, bytes or a model, not a {type(source).__name__}")
    if not model.ir_version or not model.HasField("graph"):
        raise UnreadableModel(f"{place} is no ONNX model: it has no graph")
    _refuse_undecodable(model, place)
    return model


def _external(graph: GraphProto) -> Iterator[str]:
    """The files that hold initializers of a graph."""
    places = {
        entry.value
        for tensor in graph.initializer
        if tensor.data_location == tensor.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    yield from sorted(places)


def _refuse_undecodable(model: ModelProto, place: str) -> None:
    """Raises UnreadableModel if a name in the model is not UTF-8: protobuf gives bytes then instead of a str."""
    from google.protobuf.message import Message

    waiting: list[Message] = [model]
    while waiting:
        for field, value in waiting.pop().ListFields():
            if field.type == field.TYPE_MESSAGE:
                waiting += (value,) if isinstance(value, Message) else value
            elif field.type == field.TYPE_STRING:
                texts = (value,) if isinstance(value, (str, bytes)) else value
                damaged = next((text for text in texts if isinstance(text, bytes)), None)
                if damaged is not None:
                    raise UnreadableModel(f"{place} is damaged: the {field.name} {damaged!r} is not UTF-8")
