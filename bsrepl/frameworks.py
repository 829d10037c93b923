"""The transformations and custom ops of the installed QONNX, found by reading its source as text.

Nothing is imported: the class statements of each file are matched, and what descends from `Transformation` or
`CustomOp` and leaves nothing abstract becomes a plugin whose module is imported when it is first taken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from .custom_ops import op_and_version
from .plugin import Key, Lazy, Origin, Plugin

_CLASS = re.compile(r"^class (?P<name>\w+)\((?P<bases>[^)]*)\)\s*:", re.MULTILINE)
_NEXT_STATEMENT = re.compile(r"^[^\s#)]", re.MULTILINE)
_METHOD = re.compile(r"^    (?P<abstract>@abstractmethod\s+)?(?:async )?def (?P<name>\w+)", re.MULTILINE)

_HERE = Path(__file__).parent


class _Class(NamedTuple):
    """A class statement: where it stands, what it derives from, the methods that its body declares and defines."""

    name: str
    module: str
    bases: tuple[str, ...]
    abstract: frozenset[str]
    defined: frozenset[str]
    origin: Origin


def builtin_plugins() -> list[Plugin]:
    """The plugins that bsrepl brings along."""
    path = str(_HERE / "remove_identity.py")
    key = Key("transform", "brainsmith", "RemoveIdentity")
    statement = next(each for each in _classes_of(path, "bsrepl.remove_identity") if each.name == key.name)
    return [Plugin(key, Lazy("bsrepl.remove_identity", key.name), statement.origin, {"stage": "cleanup"})]


def qonnx_plugins() -> list[Plugin]:
    """Every concrete transformation and custom op of the QONNX that is installed; none if none is.

    The stage of a transformation is that of `qonnx_stages.tsv`. A custom op is a kernel: its name is the op type, its
    metadata the domain and, where the class name has a `_vN` suffix, the opset versions; taking it gives the newest.
    """
    spec = find_spec("qonnx")
    if spec is None or not spec.submodule_search_locations:
        return []
    root = spec.submodule_search_locations[0]
    return [*_transforms(root), *_kernels(root)]


def _transforms(root: str) -> Iterator[Plugin]:
    stages = _stages()
    for each in _concrete(root, "qonnx.transformation", "Transformation"):
        metadata = {"stage": stages[each.name]} if each.name in stages else {}
        yield Plugin(Key("transform", "qonnx", each.name), Lazy(each.module, each.name), each.origin, metadata)


def _kernels(root: str) -> Iterator[Plugin]:
    versions: dict[tuple[str, str], dict[int, _Class]] = {}
    for each in _concrete(root, "qonnx.custom_op", "CustomOp"):
        op_type, version = op_and_version(each.name)
        domain = each.module.rpartition(".")[0]  # the package of the module: qonnx.custom_op.general
        versions.setdefault((domain, op_type), {})[version] = each
    for (domain, op_type), classes in versions.items():
        newest = classes[max(classes)]
        metadata: dict[str, Any] = {"domain": domain}
        if len(classes) > 1:
            metadata["versions"] = sorted(classes)
        yield Plugin(Key("kernel", "qonnx", op_type), Lazy(newest.module, newest.name), newest.origin, metadata)


def _concrete(root: str, package: str, base: str) -> list[_Class]:
    """The classes of a package that descend from `base` and leave no method abstract."""
    classes = {each.name: each for path, module in _modules(root, package) for each in _classes_of(path, module)}

    def descends(name: str) -> bool:
        return name == base or (name in classes and any(map(descends, classes[name].bases)))

    def abstract(name: str) -> frozenset[str]:
        if name not in classes:
            return frozenset()
        inherited = frozenset().union(*map(abstract, classes[name].bases))
        return (inherited - classes[name].defined) | classes[name].abstract

    return [each for each in classes.values() if descends(each.name) and not abstract(each.name)]


def _modules(root: str, package: str) -> Iterator[tuple[str, str]]:
    """The path and the dotted name of each module of a package and of the packages in it."""
    top = os.path.join(root, *package.split(".")[1:])
    for folder, folders, files in os.walk(top):
        folders.sort()
        dotted = ".".join([package, *os.path.relpath(folder, top).split(os.sep)]).removesuffix("..")
        for file in sorted(files):
            if file.endswith(".py") and file != "__init__.py":
                yield os.path.join(folder, file), f"{dotted}.{file[:-3]}"


def _classes_of(path: str, module: str) -> list[_Class]:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    found = []
    for statement in _CLASS.finditer(text):
        following = _NEXT_STATEMENT.search(text, statement.end())
        body = text[statement.end() : following.start() if following else len(text)]
        methods = list(_METHOD.finditer(body))
        found.append(
            _Class(
                name=statement["name"],
                module=module,
                bases=tuple(base.strip().rpartition(".")[2] for base in statement["bases"].split(",")),
                abstract=frozenset(method["name"] for method in methods if method["abstract"]),
                defined=frozenset(method["name"] for method in methods if not method["abstract"]),
                origin=Origin(path, text.count("\n", 0, statement.start()) + 1),
            )
        )
    return found


def _stages() -> dict[str, str]:
    lines = (_HERE / "qonnx_stages.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines[1:])
