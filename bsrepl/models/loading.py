"""Opening models, without letting them run code.

QONNX imports the module that the domain of a custom op names when a model is transformed or executed, and evaluates
the layouts that tensors are annotated with. So a model from elsewhere that names anything but installed packages, or
has a layout that is no list, is refused unless it is trusted.
"""

from __future__ import annotations

import ast
import os
import sysconfig
import warnings
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelNotFound, UnreadableModel, UntrustedModel
from ..frameworks.qonnx.samples import samples

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto
    from qonnx.core.modelwrapper import ModelWrapper

_LIMIT = 2**31  # bytes that a protobuf message may have
_HARMLESS = ("", "ai.onnx", "com.microsoft")  # onnxruntime knows them itself
_FRAMEWORKS = ("qonnx", "finn", "brainsmith", "onnx")

_was_told = False  # what a model from elsewhere may do


def opened(source: Any, trust: bool = False) -> ModelWrapper:
    """A model from a path, a sample's name, bytes, a `ModelProto` or a `ModelWrapper`, which is handed back.

    Raises ModelNotFound, UnreadableModel, or, unless it is to be trusted, UntrustedModel.
    """
    from qonnx.core.modelwrapper import ModelWrapper

    if isinstance(source, ModelWrapper):
        return source
    if isinstance(source, (str, os.PathLike)):
        path, is_sample = _found(source)
        model, place = _read(path), path.name
        trust = trust or is_sample
    else:
        model, place = _parsed(source), "the model"
    if not trust:
        _refuse(model, place)
    return ModelWrapper(model)


def _found(name: str | os.PathLike[str]) -> tuple[Path, bool]:
    """The file of a path or of a sample's name, and whether it is a sample."""
    wanted = os.fspath(name)
    if "://" in wanted:
        raise ModelNotFound(f"load opens no addresses; download {wanted} and give its path")
    path = Path(wanted).expanduser()
    if path.is_file():
        return path, False
    known = samples()
    hits = [sample for sample in known if sample == wanted or sample.endswith("/" + wanted)]
    if len(hits) == 1:
        return known[hits[0]], True
    if hits:
        raise ModelNotFound(f"{wanted!r} may be {' or '.join(hits)}; name one of them")
    raise ModelNotFound(f"{wanted!r} is no file and no sample model; the samples are {', '.join(known)}")


def _read(path: Path) -> ModelProto:
    import onnx

    if path.stat().st_size >= _LIMIT:
        raise UnreadableModel(
            f"{path} is larger than 2 GB, which no protobuf message may be; save its weights as external data"
        )
    model = _parsed(path.read_bytes(), str(path))
    missing = [place for place in _external(model.graph) if not (path.parent / place).is_file()]
    if missing:
        raise UnreadableModel(f"{path} keeps data in {', '.join(missing)} beside it, which is not there")
    onnx.load_external_data_for_model(model, str(path.parent))
    return model


def _parsed(source: Any, place: str = "what was given") -> ModelProto:
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    if isinstance(source, ModelProto):
        return source
    if not isinstance(source, (bytes, bytearray, memoryview)):
        raise UnreadableModel(f"load takes a path, a sample's name, bytes or a model, not a {type(source).__name__}")
    try:
        model = ModelProto.FromString(bytes(source))
    except DecodeError as error:
        raise UnreadableModel(f"{place} is no ONNX model: {error}") from error
    if not model.ir_version or not model.HasField("graph"):
        raise UnreadableModel(f"{place} is no ONNX model: it has no graph")
    return model


def _external(graph: GraphProto) -> Iterator[str]:
    """The files that constants of a graph are kept in."""
    places = {
        entry.value
        for tensor in graph.initializer
        if tensor.data_location == tensor.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    yield from sorted(places)


def _refuse(model: ModelProto, place: str) -> None:
    """Raises UntrustedModel if a model could run code of its own choice; says once what one may do."""
    global _was_told
    domains = {node.domain for graph in _graphs(model.graph) for node in graph.node}
    domains -= {domain for domain in domains if domain in _HARMLESS or domain.startswith("ai.onnx.")}
    strange = sorted(domain for domain in domains if not _is_installed(domain))
    if strange:
        raise UntrustedModel(
            f"{place} has ops of the domain {', '.join(strange)}, which is no installed package: transforming or "
            "executing it would import a module of that name; load(..., trust=True) opens it all the same"
        )
    for graph in _graphs(model.graph):
        for annotation in graph.quantization_annotation:
            for entry in annotation.quant_parameter_tensor_names:
                if entry.key == "tensor_layout" and not _is_list(entry.value):
                    raise UntrustedModel(
                        f"{place} annotates {annotation.tensor_name} with a layout that QONNX would execute: "
                        f"{entry.value[:60]!r}; load(..., trust=True) opens it all the same"
                    )
    if domains and not _was_told:
        _was_told = True
        said = (
            f"{place} has ops of {', '.join(sorted(domains))}: transforming or executing it runs code of those packages"
        )
        warnings.warn(said, stacklevel=4)


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """A graph and its sub-graphs."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                yield from _graphs(inner)


def _is_installed(domain: str) -> bool:
    """Whether a domain is of a framework, or a package that was installed, or has an op that somebody registered."""
    from qonnx.custom_op import registry as ops

    package = domain.partition(".")[0]
    if package in _FRAMEWORKS or ops._OP_REGISTRY.get(domain):
        return True
    return _is_in_site_packages(package) or package in packages_distributions()


def _is_in_site_packages(package: str) -> bool:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return False
    places = [] if spec is None else [spec.origin or "", *(spec.submodule_search_locations or ())]
    sites = [sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib")]
    return any(place.startswith(site) for place in places for site in sites)


def _is_list(layout: str) -> bool:
    try:
        return isinstance(ast.literal_eval(layout), list)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
