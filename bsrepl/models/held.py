"""The models that the session holds, in names, lists and dicts, and how a command changed them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

from ..frameworks.qonnx.observing import Application, Observations, leading_to, observed
from ..text.onnx_values import is_model
from .mentions import is_plain_load, loads, may_be_edited, mentioned, opens_models, passes

if TYPE_CHECKING:
    from ..graphdiff.constants import Read
    from ..graphdiff.difference import Difference

_MOST = 64  # elements of a list or dict that are looked at


class ModelChange(NamedTuple):
    """How a command changed a model."""

    name: str  # what to type for it: `m`, `ms[0]`
    passes: tuple[str, ...]  # the passes that the command names
    label: str  # which model it is: the name of the sample, or of its graph
    difference: Difference  # empty if a pass changed nothing
    defects: list[str]
    seconds: float  # that the comparison took
    before: Any
    after: Any
    applied: Sequence[Application]  # the passes that produced it, as far as they were observed


class Held(NamedTuple):
    """The models before a command."""

    models: dict[str, Any]  # by what to type for them
    copies: dict[str, Any]  # of those that the command may edit in place, as `ModelProto`s
    text: str  # of the command
    parse: Callable[[], ast.AST | None]  # returns its syntax tree


class Models:
    """Follows the models that a namespace holds. Costs nothing as long as it holds none.

    `read` gives the contents of initializers. `clock` measures in seconds.
    """

    def __init__(self, namespace: Mapping[str, Any], read: Read, clock: Callable[[], float]) -> None:
        self._namespace = namespace
        self._read = read
        self._clock = clock
        self.are_any = False  # whether there were models after the last command
        self._labels: dict[str, str] = {}  # name -> the sample that was loaded into it

    def before(self, text: str, parse: Callable[[], ast.AST | None]) -> Held:
        """The models before a command, whose syntax tree `parse` returns; copies of those that it may edit in place."""
        models = self._held()
        tree = parse() if models else None
        if tree is None:
            return Held(models, {}, text, parse)
        if self._parts() & mentioned(tree):  # of which model, nobody can tell
            places = list(models)
        else:
            edited = may_be_edited(tree)
            places = [place for place in models if _name(place) in edited]
        return Held(models, {place: deepcopy(_proto(models[place])) for place in places}, text, parse)

    def observed(self, held: Held) -> AbstractContextManager[Observations]:
        """Notes the passes that are applied and the models that are opened while a command runs."""
        if not held.models and not opens_models(held.text, held.parse):
            return nullcontext(Observations([], []))
        return observed(self._clock, copies=not is_plain_load(held.parse()))

    def changes(self, held: Held, seen: Observations) -> Iterator[ModelChange]:
        """The changes since, model by model; a new name is compared with the only model that the command mentions."""
        now = self._held()
        self.are_any = bool(now)
        if not now:
            return
        tree = held.parse()
        self._labels.update(loads(tree))
        compared: dict[tuple[int, int], Difference] = {}
        for place, model in now.items():
            applied = leading_to(model, seen.applications)
            source, before = self._before(place, model, held, seen, applied)
            if before is None:
                continue
            self._labels.setdefault(place, self._labels.get(source, ""))
            if change := self._change(place, before, model, applied, compared, passes(tree)):
                yield change

    def _before(
        self, place: str, model: Any, held: Held, seen: Observations, applied: Sequence[Application]
    ) -> tuple[str, Any]:
        """What a model was before the command: under which name, and the model; None if it is the same."""
        origin = applied[0].source if applied else model
        known = [(name, was, held.copies.get(name)) for name, was in held.models.items() if was is origin]
        tree = held.parse()
        is_loaded = place in dict(loads(tree))
        if known:
            source, was, copied = next((entry for entry in known if entry[0] == place), known[0])
            if not applied and place in held.models and source != place:  # the name stands for another model now
                return place, _as_it_was(held.models[place], held.copies.get(place))
            before = _as_it_was(was, copied)
            return source, before if applied or before is not was else None
        for opened, copied in seen.opened:
            before = _as_it_was(opened, copied)
            if opened is origin and (applied or before is not opened or is_loaded):
                return place, before if applied or before is not opened else None
        if is_loaded and not applied:
            return place, None
        names = mentioned(tree) if tree is not None else set()
        sources = [place] if place in held.models else [name for name in held.models if _name(name) in names]
        if len(sources) != 1:
            return place, applied[0].source if applied else None
        return sources[0], _as_it_was(held.models[sources[0]], held.copies.get(sources[0]))

    def _change(
        self,
        place: str,
        before: Any,
        model: Any,
        applied: Sequence[Application],
        compared: dict[tuple[int, int], Difference],
        named: tuple[str, ...],
    ) -> ModelChange | None:
        from ..graphdiff.defects import defects
        from ..graphdiff.difference import between

        started = self._clock()
        pair = id(before), id(model)
        if pair not in compared:
            compared[pair] = between(_proto(before), _proto(model), self._read)
        difference = compared[pair]
        seconds = self._clock() - started
        if not (difference or difference.is_renamed_only or applied or named):
            return None
        label = self._labels[place] or str(_proto(model).graph.name)
        dropped = [node for application in applied for node in application.dropped]
        return ModelChange(
            place, named, label, difference, defects(difference, dropped), seconds, before, model, applied
        )

    def _held(self) -> dict[str, Any]:
        """The models by what to type for them. A session has many names but few types, so the types are checked."""
        if "onnx" not in sys.modules:
            return {}
        both = _wrapper(), getattr(sys.modules["onnx"], "ModelProto", None)
        of_models = tuple(kind for kind in both if isinstance(kind, type))  # somebody may have put anything there
        names = dict(self._namespace)  # another thread may add to it
        types = list(map(type, names.values()))
        kinds = {kind for kind in set(types) if issubclass(kind, of_models)}
        models: dict[str, Any] = {}
        for name, value in _of_types(names, types, kinds | _CONTAINERS):
            if name.startswith("_"):
                continue
            if type(value) in kinds:
                models[name] = value
            elif value:
                elements = ((f"{name}[{key!r}]", element) for key, element in _elements(value))
                models |= {place: element for place, element in elements if issubclass(type(element), of_models)}
        return {place: model for place, model in models.items() if is_model(model)}

    def _parts(self) -> set[str]:
        """The names that hold a part of a model, as a graph or a node: through them it can be edited."""
        names = dict(self._namespace)
        types = list(map(type, names.values()))
        parts = {kind for kind in set(types) if kind.__module__.startswith(_PARTS) and kind.__name__ != "ModelProto"}
        return {name for name, _ in _of_types(names, types, parts)} if parts else set()


def _of_types(names: Mapping[str, Any], types: Iterable[type], wanted: Collection[type]) -> Iterator[tuple[str, Any]]:
    """The names whose values are of the `wanted` types, and the values. `types` are those of all. Each command asks."""
    return compress(names.items(), map(wanted.__contains__, types))


_CONTAINERS = {list, dict, tuple}
_PARTS = ("onnx.", "onnx_ml", "google._upb", "google.protobuf")


def _elements(values: Any) -> Iterable[tuple[Any, Any]]:
    if len(values) > _MOST:
        return ()
    return list(values.items()) if isinstance(values, dict) else enumerate(values)


def _wrapper() -> Any:
    return getattr(sys.modules.get("qonnx.core.modelwrapper"), "ModelWrapper", None)


def _name(place: str) -> str:
    """The name at the beginning of what is typed for a model."""
    return place.partition("[")[0]


def _proto(model: Any) -> Any:
    return getattr(model, "model", model)


def _as_it_was(model: Any, copied: Any) -> Any:
    """A model as a copy of it says that it was; the model itself if there is none, or they are equal."""
    if copied is None or copied == _proto(model):
        return model
    return copied if _proto(model) is model else type(model)(copied, fix_missing_initializer_valueinfo=False)
