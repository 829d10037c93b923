"""A failure of a pass, or two models that compute different things, as a folder that reproduces it with plain QONNX.

Everything is kept at the moment of the failure: the model, the inputs, and the sources of the passes as they were
executed. Later changes of the files make no difference.
"""

from __future__ import annotations

import ast
import inspect
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import EncodeError
from qonnx.core.modelwrapper import ModelWrapper

from ..errors import ReproductionError
from ..frameworks.qonnx.observing import definition_of, name_of
from ..registry.plugin import NAMESPACES, WORDS
from ..reload.sources import Source
from ..text.format import safe_repr
from ..text.whole_file import write_folder
from . import reproduction_support
from .trace import is_pass, takes_config

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCRIPT = "reproduce.py"
_SUPPORT = "reproduction_support.py"
_FOLDER = "plugins"

#: Gives the source of a module by its name; None for an installed module.
SourceOf = Callable[[str], Source | None]
#: Gives the module and the attribute of a plugin by its namespace and name; None if there is no such plugin.
Lookup = Callable[[str, str], tuple[str, str] | None]


@dataclass(frozen=True)
class Reproduction:
    """The contents of the folder: files by their paths in it."""

    message: str  # the error, or the verdict
    files: Mapping[str, bytes]
    applies: bool  # the script applies passes; else the model after is in the folder

    @property
    def contents(self) -> dict[str, bytes]:
        """The files, with a message that says what the script shows."""
        heading = f'"""{_quoted(self.message)}\n\nTo reproduce it with QONNX alone: python {SCRIPT}\n"""\n\n'
        return {**self.files, SCRIPT: heading.encode() + self.files[SCRIPT]}

    def check(self, folder: Path) -> None:
        """Raises ReproductionError if the folder holds anything but a reproduction, or cannot be read."""
        try:
            is_free = not folder.exists() or (folder / SCRIPT).is_file() or not any(folder.iterdir())
        except NotADirectoryError:
            is_free = False
        except OSError as error:
            raise ReproductionError(f"{folder} cannot be read: {error.strerror}") from error
        if not is_free:
            raise ReproductionError(f"{folder} is not an empty folder; give the name of a new one")

    def write(self, folder: Path) -> Path:
        """Writes the folder, whole or not at all. Returns the path of the script in it.

        Raises ReproductionError as `check` does, and where it cannot be written.
        """
        self.check(folder)
        try:
            write_folder(folder, self.contents)
        except OSError as error:
            raise ReproductionError(f"{folder} cannot be written: {error.strerror}") from error
        return folder / SCRIPT


def reproduction(
    message: str,
    before: ModelWrapper,
    passes: Sequence[Any],
    *,
    source_of: SourceOf,
    lookup: Lookup,
    cfg: Any = None,
    after: ModelWrapper | None = None,
    inputs: Mapping[str, NDArray[Any]] | None = None,
) -> Reproduction:
    """Shows that `passes` fail on a model, or, with `after`, that the model they return computes something else.

    Without passes, or with passes that cannot be written down, the folder holds the model `after` instead. Raises
    ReproductionError if there is no such model.
    """
    files = {"before.onnx": _serialized(before), _SUPPORT: inspect.getsource(reproduction_support).encode()}
    if after is not None:
        files["after.onnx"] = _serialized(after)
        files["inputs.npz"] = packed_values(inputs or {})
    why_not = ""
    applying: list[str] = []
    code = _Code(source_of, lookup)
    try:
        applying = [code.application(transformation, cfg) for transformation in passes]
    except ReproductionError as error:
        if after is None:
            raise
        why_not = str(error)
    if not applying or why_not:
        applying = [*([f"# {why_not}"] if why_not else []), 'model = opened("after.onnx")']
        code = _Code(source_of, lookup)
    files.update(code.files)
    applied = 'applied(opened("before.onnx"))'
    lines = [
        "from importlib import import_module\n",
        "from reproduction_support import Namespace, compare, opened, plugin_file, prepare, with_state\n",
        *code.preamble(),
        "\n\ndef applied(model):",
        *(f"    {line}" for line in applying),
        "    return model\n\n",
        'if __name__ == "__main__":',
        f'    compare(opened("before.onnx"), {applied})' if after is not None else f"    {applied}",
        *([] if after is not None else ['    print("it did not fail")']),
        "",
    ]
    files[SCRIPT] = "\n".join(lines).encode()
    return Reproduction(message, files, applies=bool(passes) and not why_not)


class _Code:
    """The code that applies passes, and the files that it needs."""

    def __init__(self, source_of: SourceOf, lookup: Lookup) -> None:
        self._source_of = source_of
        self._lookup = lookup
        self.files: dict[str, bytes] = {}
        self._imports: dict[str, str] = {}  # names in the script -> expressions
        self._plugins: dict[str, dict[str, str]] = {}  # namespace -> names that the sources use of it -> expressions

    def application(self, transformation: Any, cfg: Any) -> str:
        """`model = model.transform(Fold())`"""
        definition = definition_of(transformation)
        name = self._import(definition.__module__, definition.__qualname__)
        if not is_pass(transformation):
            config = f", {_literal(cfg, 'the configuration')}" if takes_config(transformation) else ""
            return f"model = {name}(model{config})"
        state = {} if isinstance(transformation, type) else getattr(transformation, "__dict__", {})
        state = {key: value for key, value in state.items() if key != "ref_input_model"}  # of the last run
        instance = f"with_state({name}, {_literal(state, name_of(transformation))})" if state else f"{name}()"
        return f"model = model.transform({instance})"

    def _import(self, module: str, qualname: str) -> str:
        if "<locals>" in qualname:
            raise ReproductionError(f"{qualname} is defined in a function, so that it cannot be imported")
        name = qualname.rpartition(".")[2]
        self._imports[name] = f"{self._module(module)}.{qualname}"
        return name

    def _module(self, module: str) -> str:
        """The expression for a module, whose sources are added to the files."""
        source = self._source_of(module)
        if source is None:
            return f"import_module({module!r})"
        for path, text in source.files.items():
            name = f"{_FOLDER}/{path}"
            if name not in self.files:  # a file may use its own plugins
                self.files[name] = text
                self._add_plugins(text)
        return f"plugin_file({source.file!r})"

    def _add_plugins(self, text: bytes) -> None:
        for namespace, key in _used_plugins(text):
            definition = self._lookup(namespace, key)
            if definition is not None:
                module, attribute = definition
                name = key.rpartition(":")[2]
                self._plugins.setdefault(namespace, {})[name] = f"{self._module(module)}.{attribute}"

    def preamble(self) -> Iterator[str]:
        """The lines that come before the passes are applied."""
        if self.files:
            namespaces = []
            for namespace in NAMESPACES.values():
                plugins = (f"{name!r}: lambda: {value}" for name, value in self._plugins.get(namespace, {}).items())
                namespaces.append(f"    {namespace}=Namespace({{{', '.join(plugins)}}}),")
            yield from ("prepare(", *namespaces, ")")
        yield from (f"{name} = {value}" for name, value in self._imports.items())


def _used_plugins(text: bytes) -> Iterator[tuple[str, str]]:
    """The plugins that a source uses through the namespaces: `tfm.FoldBias`, `tfm.qonnx.FoldConstants`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            within = node.value if isinstance(node.value, ast.Attribute) else None
            holder = node.value if within is None else within.value
            if isinstance(holder, ast.Name) and holder.id in NAMESPACES.values() and node.attr not in WORDS:
                yield holder.id, node.attr if within is None else f"{within.attr}:{node.attr}"


def _literal(value: Any, whose: str) -> str:
    """A value as source. Raises ReproductionError if it is no literal."""
    written = safe_repr(value)
    try:
        if ast.literal_eval(written) == value:
            return written
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    raise ReproductionError(f"{whose} holds a value that cannot be written as source: {written[:60]}")


def _serialized(model: ModelWrapper) -> bytes:
    """A model as bytes. Raises ReproductionError if it is larger than a protobuf message may be."""
    try:
        return bytes(model.model.SerializeToString())
    except (ValueError, EncodeError) as error:
        raise ReproductionError(f"the model cannot be written: {error}") from error


def packed_values(inputs: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as a .npz file."""
    packed = io.BytesIO()
    np.savez(packed, **inputs)
    return packed.getvalue()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''").strip()
