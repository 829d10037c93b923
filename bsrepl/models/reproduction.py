"""A failure of a pass, or two models that compute different things, as a folder that shows it with plain QONNX.

Everything that it takes is kept at the moment of the failure: the model, the inputs, and the sources of the passes as
they were executed, whatever becomes of the files.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from google.protobuf.message import EncodeError
from qonnx.core.modelwrapper import ModelWrapper

from ..errors import ReproductionError
from ..frameworks.qonnx.observing import definition_of, name_of
from ..registry.plugin import NAMESPACES, WORDS
from ..reload.sources import Source
from ..text.format import safe_repr
from .probes import inputs_of
from .trace import is_pass, takes_config

Array: TypeAlias = Any  # numpy's ndarray

_SCRIPT = "reproduce.py"
_FOLDER = "plugins"


#: Gives the source of a module by its name, None of one that is installed.
SourceOf = Callable[[str], Source | None]
#: Gives the module and the attribute of a plugin by its namespace and name, None if there is none.
Lookup = Callable[[str, str], tuple[str, str] | None]


@dataclass(frozen=True)
class Reproduction:
    """The contents of the folder: files by their paths in it."""

    said: str  # the error, or the verdict
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> Path:
        """Writes the folder. Returns the script in it.

        Raises ReproductionError if the folder has something else in it.
        """
        if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / _SCRIPT).is_file())):
            raise ReproductionError(f"{folder} has something else in it; name a new folder")
        for name, contents in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents)
        return folder / _SCRIPT


def reproduction(
    said: str,
    before: ModelWrapper,
    passes: Sequence[Any],
    *,
    source_of: SourceOf,
    lookup: Lookup,
    cfg: Any = None,
    after: ModelWrapper | None = None,
    inputs: Sequence[Array] = (),
) -> Reproduction:
    """What shows that `passes` fail on a model, or, with `after`, that what they make of it computes something else.

    Without passes, or with ones that cannot be written down, the model `after` is kept in their place. Raises
    ReproductionError if there is none.
    """
    files = {"before.onnx": _serialized(before)}
    if after is not None:
        files["after.onnx"] = _serialized(after)
        files["inputs.npz"] = _packed(inputs_of(before), inputs)
    why_not = ""
    applying: list[str] = []
    code = _Code(source_of, lookup)
    try:
        applying = [code.application(each, cfg) for each in passes]
    except ReproductionError as error:
        if after is None:
            raise
        why_not = str(error)
    if not applying or why_not:
        applying = [*([f"# {why_not}"] if why_not else []), 'after = ModelWrapper(f"{HERE}/after.onnx")']
        code = _Code(source_of, lookup)
    files.update(code.files)
    parts = [f'"""{_quoted(said)}\n\nTo see it, with QONNX alone: python {_SCRIPT}\n"""\n', _HEAD, code.preamble()]
    parts += ['before = ModelWrapper(f"{HERE}/before.onnx")\nafter = before\n', "\n".join(applying), "\n"]
    parts.append(_COMPARING if after is not None else 'print("it did not fail")\n')
    files[_SCRIPT] = "\n".join(part for part in parts if part).encode()
    return Reproduction(said, files)


class _Code:
    """The code that applies passes, and the files that it takes."""

    def __init__(self, source_of: SourceOf, lookup: Lookup) -> None:
        self._source_of = source_of
        self._lookup = lookup
        self.files: dict[str, bytes] = {}
        self._imports: dict[str, str] = {}  # names in the script -> the expression that each is
        self._names: dict[str, dict[str, str]] = {}  # what the sources take of each namespace

    def application(self, each: Any, cfg: Any) -> str:
        """`after = after.transform(Fold())`"""
        definition = definition_of(each)
        name = self._import(definition.__module__, definition.__qualname__)
        if not is_pass(each):
            config = f", {_literal(cfg, 'the configuration')}" if takes_config(each) else ""
            return f"after = {name}(after{config})"
        state = {} if isinstance(each, type) else getattr(each, "__dict__", {})
        state = {key: value for key, value in state.items() if key != "ref_input_model"}  # of the last run
        made = f"{name}()" if not state else f"with_state({name}, {_literal(state, name_of(each))})"
        return f"after = after.transform({made})"

    def _import(self, module: str, qualname: str) -> str:
        if "<locals>" in qualname:
            raise ReproductionError(f"{qualname} is defined in a function, so nothing else can import it")
        place = self._place(module)
        name = qualname.rpartition(".")[2]
        self._imports[name] = f"{place}.{qualname}"
        return name

    def _place(self, module: str) -> str:
        """The expression that gives a module, whose sources are added to the files."""
        source = self._source_of(module)
        if source is None:
            return f"import_module({module!r})"
        for path, text in source.files.items():
            if self.files.setdefault(f"{_FOLDER}/{path}", text) is text:
                for namespace, taken in _taken(text):
                    found = self._lookup(namespace, taken)
                    if found is not None:
                        name = taken.rpartition(":")[2]
                        self._names.setdefault(namespace, {})[name] = f"{self._place(found[0])}.{found[1]}"
        return f"plugin({source.file!r})"

    def preamble(self) -> str:
        """What comes before the passes are applied."""
        lines = [_PLUGINS] if self.files else []
        for namespace in NAMESPACES.values() if self.files else ():
            entries = (f"{name!r}: lambda: {value}" for name, value in self._names.get(namespace, {}).items())
            lines.append(f"provide({namespace!r}, Names({{{', '.join(entries)}}}))")
        lines += [f"{name} = {value}" for name, value in self._imports.items()]
        return "\n".join([*lines, ""]) if lines else ""


def _taken(text: bytes) -> Iterator[tuple[str, str]]:
    """What a source takes of the namespaces: `tfm.FoldBias`, `tfm.qonnx.FoldConstants`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            within = node.value if isinstance(node.value, ast.Attribute) else None
            holder = node.value if within is None else within.value
            if isinstance(holder, ast.Name) and holder.id in NAMESPACES.values() and node.attr not in WORDS:
                yield holder.id, node.attr if within is None else f"{within.attr}:{node.attr}"


def _literal(value: Any, whose: str) -> str:
    """A value as source. Raises ReproductionError if it cannot be written as a literal."""
    written = safe_repr(value)
    try:
        if ast.literal_eval(written) == value:
            return written
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    raise ReproductionError(f"{whose} holds what cannot be written down: {written[:60]}")


def _serialized(model: ModelWrapper) -> bytes:
    """A model as bytes. Raises ReproductionError if it is larger than a protobuf message may be."""
    try:
        return bytes(model.model.SerializeToString())
    except (ValueError, EncodeError) as error:
        raise ReproductionError(f"the model cannot be kept: {error}") from error


def _packed(names: Sequence[Any], inputs: Sequence[Array]) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, **{value.name: array for value, array in zip(names, inputs, strict=True)})
    return packed.getvalue()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''").strip()


_HEAD = """\
import builtins
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

HERE = Path(__file__).resolve().parent


def with_state(cls, state):
    made = cls.__new__(cls)
    vars(made).update(state)
    return made

"""
_PLUGINS = f'''\
def keep(*given, **metadata):
    """In the place of the decorators: nothing is registered."""
    return given[0] if len(given) == 1 and callable(given[0]) and not metadata else lambda thing: thing


class Names:
    """In the place of a namespace: what the sources below take of it."""

    def __init__(self, places):
        self.places = places

    def __getattr__(self, name):
        return self.places[name]() if name in self.places else self


def plugin(file):
    name = "plugin_" + Path(file).stem
    if name not in sys.modules:
        spec = spec_from_file_location(name, HERE / "{_FOLDER}" / file)
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def provide(name, value):
    """Makes a name what sources find without an import, or by one from bsrepl."""
    setattr(builtins, name, value)
    setattr(sys.modules["bsrepl"], name, value)


sys.path.append(str(HERE / "{_FOLDER}"))
sys.modules["bsrepl"] = ModuleType("bsrepl")
for decorator in ("transform", "kernel", "backend", "step", "kernel_inference", "framework_transform", "plugin"):
    provide(decorator, keep)
provide("register_op", keep)
'''
_COMPARING = '''
given = np.load(HERE / "inputs.npz")


def outputs(model):
    """Executes a model; its inputs are taken in their order."""
    constants = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in constants]
    return list(execute_onnx(model, dict(zip(names, given.values()))).values())


is_same = True
for value, was, now in zip(before.graph.output, outputs(before), outputs(after)):
    fits = was.shape == now.shape
    absolute = np.abs(was - now).max() if fits else float("nan")
    relative = absolute / max(np.abs(was).max(), 1e-30)
    is_same = is_same and bool(relative <= TOLERANCE)
    print(f"{value.name}: {was.shape} -> {now.shape}, max|d| {absolute:.1e}, rel {relative:.0e}")
print("OK" if is_same else "DIFFERENT")
sys.exit(not is_same)
'''.replace("TOLERANCE", "1e-5")
