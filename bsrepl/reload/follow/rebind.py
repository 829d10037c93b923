"""Moves what the session and the live modules hold of modules that were executed again to what took its place.

Nothing is silently old: what is reached and was replaced, or is an instance of something replaced, is moved, or named
with the way to it. All is planned before anything is written. If nothing is held, that is found out first, at the cost
of the modules that were replaced; who holds what is looked for only then.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...registry.listing import alive
from ...registry.plugin import Key, Plugin
from . import class_lookups, raw
from .edges import Edge, edges
from .elsewhere import Elsewhere
from .frozen import copied, is_frozen
from .island import Island
from .outside import Threads, handlers
from .reach import Reach
from .stale import KEEPS, RUNS, Stale, about_holder, about_old, is_definition
from .successors import Replaced, Successors, island_of


class Followed(NamedTuple):
    """What could not follow; and the error, if nothing could because of one."""

    stale: Sequence[Stale]
    error: Exception | None = None


class _Write(NamedTuple):
    """Something to be written, and why it keeps the old code if that fails."""

    put: Callable[[Any], object]
    new: Any
    stale: Callable[[str], Stale]


def follow(
    replaced: Sequence[Replaced],
    roots: Callable[[], Mapping[str, dict[str, Any]]],
    current: Callable[[Key], Plugin | None],
) -> Followed:
    """Moves whatever is held of the old modules to the new ones.

    `roots` gives the namespaces that are looked through, by what to type for them. `current` gives the plugin that is
    registered under a key. What `gc.freeze` froze is reached from the roots alone.
    """
    if not replaced:
        return Followed([])
    try:
        class_lookups.forget_annotations()
        plugins = [plugin for item in replaced for plugin in item.plugins]
        old = island_of(replaced, plugins)
        ids = set(map(id, plugins))
        is_listed = any(id(row) in ids for rows in alive() for row in rows.plugins)
        if not old.is_held(ids, replaced) and not is_listed and not _is_registered(old):
            return Followed([])
        plan = _Plan(Successors(replaced, old, current), roots())
    except Exception as error:
        return Followed([], error)
    plan.apply()
    return Followed(list(dict.fromkeys(plan.stale)))


def _is_registered(old: Island) -> bool:
    """Whether an abstract class has an old one registered with it from outside, or the other way round."""
    pairs = class_lookups.registered(filter(raw.is_type, old.nodes))
    return any((id(abstract) in old.inside) is not (id(cls) in old.inside) for abstract, cls in pairs)


class _Plan:
    """What is to be written, and what is stale."""

    def __init__(self, successors: Successors, roots: Mapping[str, dict[str, Any]]) -> None:
        self.stale: list[Stale] = []
        self._successors = successors
        self._writes: list[_Write] = []
        self._copies: dict[int, Any] = {}  # what takes the place of frozen objects, by their ids
        self._copying: dict[int, Any] = {}  # frozen objects that refer to something replaced
        self._session = roots.get("", {}).get("__name__")
        self._old_classes = [value for value in successors.pairs() if raw.is_type(value)]
        self._derived: dict[int, type] = {}  # classes of the session that derive from old ones, by their ids
        class_lookups.forget_dispatch(self._old_classes)
        is_shared = {id(names) for names in roots.values()}.__contains__
        threads = Threads(lambda frame: is_shared(id(frame.f_globals)), successors.runs, self._is_old_or_instance)
        outside = threads.variables | handlers(self._is_old_or_instance)
        self._reach = Reach({**roots, **outside}, successors.is_old, successors.proxied())
        elsewhere = self._find_elsewhere()
        self._plan_bases()
        self._plan_registered()
        self._plan_instances(filter(self._is_instance, elsewhere.direct))
        self._plan_holders()
        self._plan_elsewhere(elsewhere)
        self._name_old()
        self.stale += [Stale(way, RUNS) for way in threads.old]
        if not self._reach.is_complete:
            self.stale.append(Stale("the session", "holds too much to be looked through; some of it may be old"))

    def apply(self) -> None:
        """Writes. What fails stays as it was, and is stale."""
        for write in self._writes:
            try:
                write.put(write.new)
            except Exception as error:
                self.stale.append(write.stale(f"{type(error).__name__} when it was replaced"))
        if self._derived:
            class_lookups.forget_subclasses()
            class_lookups.forget_dispatch(self._derived.values())
        self._writes.clear()  # they refer to this, and this to all that was reached: it must not wait for the collector

    # Instances and classes

    def _is_old_or_instance(self, value: Any) -> bool:
        return self._successors.is_old(value) or self._successors.is_old_class(type(value))

    def _is_instance(self, value: Any) -> bool:
        """Whether a value is an instance of an old class, and no class or enum member that has a successor itself."""
        return self._successors.is_old_class(type(value)) and value not in self._successors

    def _find_elsewhere(self) -> Elsewhere:
        """What refers to something old, though the session does not reach it."""
        successors, reach = self._successors, self._reach
        old = [value for value in successors.pairs() if is_definition(value) or successors.is_old_class(type(value))]
        inside = successors.old.inside
        lists = (old, self._old_classes, reach.objects, *successors.own_lists())
        return Elsewhere(old, lambda holder: id(holder) in inside or holder in reach, lists)

    def _plan_bases(self) -> None:
        """Classes of the session that derive from an old one derive from the new one."""
        for cls in self._old_classes:
            for other in type.__subclasses__(cls):
                if not self._successors.is_old_class(other):
                    self._derived[id(other)] = other
        for other in self._derived.values():
            bases = tuple(map(self._successors.of, type.__dict__["__bases__"].__get__(other)))
            what = f"it cannot derive from the new class {raw.qualified_name(other.__mro__[1])}"
            stale = functools.partial(self._stale_value, other, f"{what}; define it again")
            self._writes.append(_Write(functools.partial(raw.set_bases, other), bases, stale))

    def _plan_registered(self) -> None:
        """What the session registered with an abstract class stays so; what others did is told if they no longer do."""
        for abstract, cls in class_lookups.registered(self._old_classes):
            new, new_cls = self._successors.of(abstract), self._successors.of(cls)
            if (new is abstract) is (new_cls is cls):  # neither was replaced, or both, which register each other
                continue
            is_ours = self._session in (raw.module_name(abstract), raw.module_name(cls))
            put = class_lookups.register if is_ours else class_lookups.expect_subclass
            why = f"{raw.qualified_name(cls)} is no longer registered with it; if it should be, register it again"
            stale = functools.partial(self._stale_value, abstract, why)
            self._writes.append(_Write(functools.partial(put, new), new_cls, stale))
        for function in filter(class_lookups.implementations, self._successors.pairs()):
            new = self._successors.of(function)
            for cls, own in class_lookups.implementations(function).items():
                if getattr(own, "__module__", None) == self._session and class_lookups.implementations(new):
                    put = functools.partial(new.register, self._successors.of(cls))
                    self._writes.append(_Write(put, own, functools.partial(self._stale_value, own)))

    def _plan_instances(self, unreached: Iterable[Any]) -> None:
        for instance in [*filter(self._is_instance, self._reach.objects), *unreached]:
            try:
                why = self._successors.why_not(instance)
            except Exception as error:
                why = f"{type(error).__name__} when its class was compared; {KEEPS}"
            if why is not None:
                if instance in self._reach:
                    self.stale.append(Stale(self._reach.way(instance), why))
                continue
            new = self._successors.of(type(instance))
            why = f"{raw.qualified_name(new)} has other slots now; {KEEPS}"
            stale = functools.partial(self._stale_value, instance, why)
            self._writes.append(_Write(functools.partial(raw.set_class, instance), new, stale))

    # Holders

    def _plan_holders(self) -> None:
        """Plans what to write into everything that holds something replaced, or something frozen that does."""
        held: dict[int, list[Any]] = {}
        holders: dict[int, Any] = {}
        waiting = [value for value in self._successors.pairs() if value in self._reach]
        while waiting:
            value = waiting.pop(0)
            for holder in self._reach.holders_of(value):
                if self._successors.is_old(holder):
                    continue
                if _is_class_of(value, holder) and not any(edge.value is value for edge in edges(holder)):
                    continue
                if is_frozen(holder):
                    if id(holder) not in self._copying:
                        self._copying[id(holder)] = holder
                        waiting.append(holder)
                    continue
                holders[id(holder)] = holder
                held.setdefault(id(holder), []).append(value)
        for value in self._reach.farthest_first(self._copying.values()):  # no recursion is too deep
            self._changed(value)
        for key, holder in holders.items():
            self._plan_holder(holder, held[key])

    def _plan_holder(self, holder: Any, held: list[Any]) -> None:
        wanted = {id(value) for value in held if self._changed(value) is not value}
        for edge in edges(holder, self._reach.is_namespace(holder)):
            if id(edge.value) in wanted and edge.put is not None:
                stale = functools.partial(self._stale_edge, holder, edge)
                self._writes.append(_Write(edge.put, self._changed(edge.value), stale))
        is_written: dict[int, bool] = {}  # wherever it is held there, by its id
        for edge in edges(holder):
            is_written[id(edge.value)] = edge.put is not None and is_written.get(id(edge.value), True)
        for value in held:
            if id(value) in wanted and not is_written.get(id(value), False):
                for chain in self._old_in([value]):
                    way = self._reach.way_through(holder, *chain)
                    self.stale.append(Stale(way, about_holder(holder, chain[-1])))

    def _old_in(self, chain: list[Any]) -> Iterator[list[Any]]:
        """The replaced objects in a frozen one that keeps them, each with what leads to it."""
        if chain[-1] in self._successors:
            yield chain
            return
        for edge in edges(chain[-1]):
            if edge.value in self._successors or id(edge.value) in self._copying:
                yield from self._old_in([*chain, edge.value])

    def _changed(self, value: Any) -> Any:
        """What takes the place of a value: its successor, or a copy that refers to successors; or the value itself."""
        key = id(value)
        if key in self._copies:
            return self._copies[key]
        if value in self._successors or key not in self._copying:
            return self._successors.of(value)
        kind = type(value)
        try:
            moves = self._successors.is_old_class(kind) and self._successors.why_not(value) is None
            self._copies[key] = copied(value, self._changed, self._successors.of(kind) if moves else kind)
        except Exception as error:
            self._copies[key] = value
            self.stale.append(self._stale_value(value, f"{error}; it refers to the old code, create it again"))
        return self._copies[key]

    def _plan_elsewhere(self, elsewhere: Elsewhere) -> None:
        """What nothing named leads to follows as well."""
        self._copying |= {id(value): value for value in elsewhere.frozen}
        for edge in elsewhere.edges():
            if edge.put is not None and (edge.value in self._successors or id(edge.value) in self._copying):
                new = self._changed(edge.value)
                if new is not edge.value:
                    self._writes.append(_Write(edge.put, new, functools.partial(self._stale_value, edge.value)))

    # What is told

    def _name_old(self) -> None:
        """Names what is old and has no successor."""
        for value in self._reach.stopped():
            if value in self._successors:
                continue
            holders = [holder for holder in self._reach.holders_of(value) if type(holder) is not value]
            holders = [holder for holder in holders if not self._successors.is_old(holder)]
            if holders:
                self.stale.append(Stale(self._reach.way_through(holders[0], value), about_old(value)))

    def _stale_value(self, value: Any, why: str, error: str = "") -> Stale:
        return Stale(self._reach.way(value) if value in self._reach else type(value).__qualname__, why)

    def _stale_edge(self, holder: Any, edge: Edge, error: str) -> Stale:
        return Stale(self._reach.way_through(holder, edge.value), f"{error}; it refers to the old code")


def _is_class_of(value: Any, holder: Any) -> bool:
    """Whether a value is the class of an object, or one that it derives from."""
    return value is type(holder) or (raw.is_type(holder) and any(value is base for base in raw.mro(holder)))
