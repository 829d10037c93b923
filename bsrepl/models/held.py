"""The models that names of the session hold, and how a command changed them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from ..frameworks.qonnx.observing import Application, leading_to, observed

if TYPE_CHECKING:
    from ..graphdiff.difference import Difference
    from ..graphdiff.view import View


class ModelChange(NamedTuple):
    """How a command changed the model of a name."""

    name: str  # of the session
    passes: tuple[str, ...]  # the passes that the command names
    label: str  # which model it is: the name of the sample, or of its graph
    difference: Difference
    defects: list[str]
    seconds: float  # that the comparison took
    before: Any  # the model before; None if it was edited in place
    after: Any
    applied: Sequence[Application]  # the passes that produced it, as far as they were observed


class Held(NamedTuple):
    """The models before a command."""

    models: dict[str, Any]  # by name
    views: dict[str, View]  # of the models that the command may change in place
    parse: Callable[[], ast.AST | None]  # returns the command's syntax tree


class Models:
    """Follows the names of a namespace that hold models. Costs nothing as long as no name does."""

    def __init__(self, namespace: Mapping[str, Any], clock: Callable[[], float]) -> None:
        self._namespace = namespace
        self._clock = clock
        self._labels: dict[str, str] = {}  # name -> the sample that was loaded into it

    def before(self, parse: Callable[[], ast.AST | None]) -> Held:
        """The models before a command, whose syntax tree `parse` returns.

        A model that the command mentions, other than to transform a copy of it, is viewed before it can change.
        """
        models = self._held()
        tree = parse() if models else None
        edited = _mentioned(tree) - set(_copied(tree)) if tree is not None else set()
        if not edited & models.keys():
            return Held(models, {}, parse)
        from ..graphdiff.view import view  # only now: many sessions hold no model

        return Held(models, {name: view(_proto(models[name])) for name in edited & models.keys()}, parse)

    def observed(self, held: Held) -> AbstractContextManager[list[Application]]:
        """Records the passes that are applied while a command runs, if a name holds a model."""
        return observed(self._clock) if held.models else nullcontext([])

    def changes(self, held: Held, applications: Sequence[Application] = ()) -> Iterator[ModelChange]:
        """The changes since, name by name; a new name is compared with the only model that the command mentions.

        `applications` are the passes that the command applied.
        """
        now = self._held()
        if not now:
            return
        from ..graphdiff.defects import defects
        from ..graphdiff.difference import between

        tree = held.parse()
        self._labels.update(_loads(tree))
        mentioned = _mentioned(tree) & held.models.keys() if tree is not None else set()
        compared: dict[tuple[int, int], Difference] = {}
        for name, model in now.items():
            source = name if name in held.models else next(iter(mentioned), None) if len(mentioned) == 1 else None
            if source is None or name in dict(_loads(tree)):
                continue
            was = held.models[source]
            if was is model and source not in held.views:
                continue
            started = self._clock()
            difference = compared.get((id(was), id(model)))
            if difference is None:
                difference = compared[id(was), id(model)] = between(held.views.get(source, _proto(was)), _proto(model))
            seconds = self._clock() - started
            self._labels.setdefault(name, self._labels.get(source, ""))
            if (difference or difference.is_renamed_only) and (name in held.models or difference):
                label = self._labels[name] or str(_proto(model).graph.name)
                applied = leading_to(model, applications)
                dropped = [node for application in applied for node in application.dropped]
                yield ModelChange(
                    name, _passes(tree), label, difference, defects(difference, dropped), seconds,
                    None if was is model else was, model, applied,
                )  # fmt: skip

    def _held(self) -> dict[str, Any]:
        """The models by the names that hold them. A session has many names but few types, so the types are checked."""
        if "onnx" not in sys.modules:
            return {}
        wrapper = getattr(sys.modules.get("qonnx.core.modelwrapper"), "ModelWrapper", ())
        proto = getattr(sys.modules.get("onnx"), "ModelProto", ())
        of_models = tuple(kind for kind in (wrapper, proto) if kind)
        kinds = {kind for kind in set(map(type, list(self._namespace.values()))) if issubclass(kind, of_models)}
        if not kinds:
            return {}
        items = list(self._namespace.items())
        return {name: value for name, value in items if type(value) in kinds and not name.startswith("_")}


def _proto(model: Any) -> Any:
    return getattr(model, "model", model)


def _mentioned(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _copied(tree: ast.AST) -> Iterator[str]:
    """The names that the command only transforms copies of: `m.transform(...)` and no other mention of `m`."""
    uses: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses[node.id] = uses.get(node.id, 0) + 1
    for node in ast.walk(tree):
        if _is_transform(node) and not any(keyword.arg == "make_deepcopy" for keyword in node.keywords):  # type: ignore[attr-defined]
            receiver = node.func.value  # type: ignore[attr-defined]
            if isinstance(receiver, ast.Name) and uses[receiver.id] == 1:
                yield receiver.id


def _is_transform(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transform"


def _passes(tree: ast.AST | None) -> tuple[str, ...]:
    """The transformations and steps that a command names, in the order in which they are applied."""
    passes = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call):
            if _is_transform(node) and node.args:
                passes.append((node.end_lineno, node.end_col_offset, _name(node.args[0])))
            elif isinstance(node.func, ast.Attribute) and _first_name(node.func) == "steps":
                passes.append((node.end_lineno, node.end_col_offset, _name(node.func)))
    return tuple(name for *_, name in sorted(passes) if name)


def _name(node: ast.AST) -> str:
    """The last part of the name of a class, a function or a variable, called or not."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _loads(tree: ast.AST | None) -> Iterator[tuple[str, str]]:
    """The names that a command assigns a loaded model to, or what it turns it into at once, and what it loads."""
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Assign):
            calls = [call for call in ast.walk(node.value) if isinstance(call, ast.Call) and _name(call) == "load"]
            if len(calls) == 1:
                source = calls[0].args[0] if calls[0].args else None
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, str(source.value) if isinstance(source, ast.Constant) else ""
