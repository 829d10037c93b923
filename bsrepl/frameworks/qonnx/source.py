"""QONNX's transformations, custom ops and utilities, from its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...registry.plugin import Key, Lazy, Plugin
from .. import source_reader as source_text
from ..source_reader import ClassStatement, Module
from .ops import op_and_version

_HERE = Path(__file__).parent
_STEP_CATEGORIES = {
    "cleanup": "cleanup",
    "to_channels_last": "layout",
    "convert_to_qcdq": "conversion",
    "convert_to_quant": "conversion",
    "quantize": "quantization",
    "quantize_parameters": "quantization",
    "prune_channels": "pruning",
    "change_batch_size": "shape",
}


def plugins(modules: Mapping[str, Module]) -> list[Plugin]:
    """Every concrete transformation and custom op among the modules, and what QONNX has as commands.

    The stage of a transformation is that of `stages.tsv`. A custom op is a kernel: its name is the op type, its
    metadata the domain and, where the class name has a `_vN` suffix, the opset versions; taking it gives the newest.
    """
    return [
        *_transforms(_within(modules, "qonnx.transformation")),
        *_kernels(_within(modules, "qonnx.custom_op")),
        *_steps(),
    ]


def _within(modules: Mapping[str, Module], package: str) -> list[Module]:
    return [module for name, module in modules.items() if name == package or name.startswith(f"{package}.")]


def _transforms(modules: Iterable[Module]) -> Iterator[Plugin]:
    stages = _stages()
    for statement in source_text.classes(modules).concrete("Transformation"):
        metadata = {"stage": stages[statement.name]} if statement.name in stages else {}
        yield Plugin(
            Key("transform", "qonnx", statement.name),
            Lazy(statement.module, statement.name),
            statement.origin,
            metadata,
        )


def _kernels(modules: Iterable[Module]) -> Iterator[Plugin]:
    versions: dict[tuple[str, str], dict[int, ClassStatement]] = {}
    for statement in source_text.classes(modules).concrete("CustomOp"):
        op_type, version = op_and_version(statement.name)
        domain = statement.module.rpartition(".")[0]  # the package of the module: qonnx.custom_op.general
        versions.setdefault((domain, op_type), {})[version] = statement
    for (domain, op_type), classes in versions.items():
        newest = classes[max(classes)]
        metadata: dict[str, Any] = {"domain": domain}
        if len(classes) > 1:
            metadata["versions"] = sorted(classes)
        yield Plugin(Key("kernel", "qonnx", op_type), Lazy(newest.module, newest.name), newest.origin, metadata)


def _steps() -> Iterator[Plugin]:
    ours = Module("bsrepl.frameworks.qonnx.steps", str(_HERE / "steps.py"))
    for function in ours.functions():
        if function.name in _STEP_CATEGORIES:
            metadata = {"category": _STEP_CATEGORIES[function.name]}
            yield Plugin(
                Key("step", "qonnx", function.name), Lazy(function.module, function.name), function.origin, metadata
            )


def _stages() -> dict[str, str]:
    lines = (_HERE / "stages.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines[1:])
