"""Makes the kernels of the registry usable in models: QONNX's registry of custom ops follows ours.

A node means a custom op by its domain and op type. A kernel that derives from QONNX's `CustomOp` takes that place for
as long as it is registered; what QONNX itself knows of the op, other versions among it, stays and comes back.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from types import ModuleType
from typing import Any, TypeGuard

from ...registry.plugin import BRAINSMITH, Key, Lazy, Origin, Plugin, precedence
from ...registry.store import Registry, registry
from ...text.patterns import late_pattern

#: The domain of a kernel that names none.
DOMAIN = "qonnx.custom_op.general"

#: The module with QONNX's own registry of ops.
QONNX_OPS = "qonnx.custom_op.registry"
_VERSION = late_pattern(r"(?P<op_type>.+)_v(?P<version>\d+)")

_Op = tuple[str, str]  # domain, op type
_Versions = dict[int, Any]  # since which opset version -> the class


def op_and_version(name: str) -> tuple[str, int]:
    """The op type and the opset version that the name of a class says: `Trunc_v2` is Trunc since version 2."""
    suffix = _VERSION.fullmatch(name)
    return (suffix["op_type"], int(suffix["version"])) if suffix else (name, 1)


def is_custom_op(value: object) -> TypeGuard[type]:
    """Whether a value is a class that derives from QONNX's `CustomOp` and leaves nothing abstract. Imports nothing."""
    base = getattr(sys.modules.get("qonnx.custom_op.base"), "CustomOp", None)
    return base is not None and isinstance(value, type) and issubclass(value, base) and not inspect.isabstract(value)


def of_module(module: ModuleType) -> Iterator[type]:
    """The custom ops that a module defines."""
    if "qonnx.custom_op.base" in sys.modules:
        for name, value in list(vars(module).items()):
            if is_custom_op(value) and value.__module__ == module.__name__ and value.__name__ == name:
                yield value


def undecorated(op: type, origin: Origin) -> Plugin:
    """The kernel that a custom op is without a decorator."""
    return Plugin(Key("kernel", BRAINSMITH, op.__name__), op, origin, {})


class CustomOps:
    """Keeps the ops that QONNX finds equal to the kernels that a registry shows.

    The op type of a kernel is its `op_type`, or its name; the domain its `domain`, or `DOMAIN`. A backend is an op
    as well if it names a domain: FINN's nodes have one op type for each backend.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._placed: dict[Key, tuple[_Op, int]] = {}  # which op and version each plugin provides
        self._plugins: dict[_Op, set[Key]] = {}
        self._ours: dict[_Op, _Versions] = {}  # what was put into QONNX's registry
        self._hidden: dict[_Op, _Versions] = {}  # what was there before
        registry.followers.append(self.follow)

    @property
    def placed(self) -> Set[_Op]:
        """The ops, by domain and op type, that kernels of the registry provide."""
        return self._plugins.keys()

    def follow(self, changed: Iterable[Key]) -> None:
        """Brings QONNX's registry up to the snapshot, for the keys that changed."""
        concerned: set[_Op] = set()
        for key in changed:
            if key in self._placed:
                op, _ = self._placed.pop(key)
                self._plugins[op].discard(key)
                concerned.add(op)
            plugin = self._registry.snapshot.seen(key)
            if plugin is not None and (placed := _place(plugin)) is not None:
                self._placed[key] = placed
                self._plugins.setdefault(placed[0], set()).add(key)
                concerned.add(placed[0])
        for op in concerned:
            self._put(op)

    def rediscover(self, modules: Collection[str], former: Mapping[str, Any] | None = None) -> None:
        """Brings QONNX's registry up to modules that were executed again, or came back as they were, given by name.

        An op of theirs is found anew, with the versions that it has now; what somebody added to it stays. If the
        registry itself was executed again it has lost what was added, and gets it back: `former` is what was in it.
        """
        ops: Any = sys.modules.get(QONNX_OPS)
        current = getattr(ops, "_OP_REGISTRY", None)
        known = current if former is None else former.get("_OP_REGISTRY")
        if not modules or not isinstance(known, dict) or not isinstance(current, dict):
            return  # nobody needs it yet, or another generation of QONNX
        with ops._REGISTRY_LOCK:
            for domain, by_type in list(known.items()):
                for op_type, versions in list(by_type.items()):
                    if former is not None or any(cls.__module__ in modules for cls in versions.values()):
                        current.get(domain, {}).pop(op_type, None)
                        versions = {**self._known((domain, op_type)), **_current(versions, modules)}
                        if versions:
                            current.setdefault(domain, {})[op_type] = versions
        self._hidden = {op: _current(versions, modules) for op, versions in self._hidden.items()}

    def _put(self, op: _Op) -> None:
        from qonnx.custom_op import registry as ops  # a custom op has imported most of it

        ours: _Versions = {}
        for key in sorted(self._plugins[op], key=lambda key: precedence(key.framework), reverse=True):
            plugin = self._registry.snapshot.seen(key)
            assert plugin is not None
            ours[self._placed[key][1]] = plugin.target
        domain, op_type = op
        if not hasattr(ops, "_OP_REGISTRY"):  # QONNX before 1.0, which releases of FINN still come with
            self._put_into_module(op, ours)
            return
        with ops._REGISTRY_LOCK:
            before = self._ours.pop(op, {})
            known = self._known(op) if ours or before else {}
            others = {version: cls for version, cls in known.items() if cls is not before.get(version)}
            hidden = {**self._hidden.pop(op, {}), **others}
            versions = {**hidden, **ours}
            if versions:
                ops._OP_REGISTRY.setdefault(domain, {})[op_type] = versions
            else:
                ops._OP_REGISTRY.get(domain, {}).pop(op_type, None)
                if not ops._OP_REGISTRY.get(domain, True):
                    del ops._OP_REGISTRY[domain]
        if ours:
            self._ours[op], self._hidden[op] = ours, hidden
        else:
            del self._plugins[op]

    def _put_into_module(self, op: _Op, ours: _Versions) -> None:
        """QONNX before 1.0 looks for an op in the dict `custom_op` of the module that its domain names."""
        domain, op_type = op
        try:
            known: dict[str, Any] = importlib.import_module(domain).custom_op
        except (ImportError, AttributeError):  # then it finds no op of this domain
            return
        if op not in self._ours and op_type in known:
            self._hidden[op] = {1: known[op_type]}
        if classes := ours or self._hidden.pop(op, {}):
            known[op_type] = classes[max(classes)]
        else:
            known.pop(op_type, None)
        if ours:
            self._ours[op] = ours
        else:
            self._ours.pop(op, None)
            del self._plugins[op]

    @staticmethod
    def _known(op: _Op) -> _Versions:
        """What QONNX knows of an op, those versions of its domain's module among it that were not asked for yet."""
        from qonnx.custom_op import registry as ops

        domain, op_type = op
        try:
            ops.get_supported_versions(domain, op_type)
        except Exception:  # unknown, or the domain names a module that fails: then there is nothing to keep
            return {}
        return dict(ops._OP_REGISTRY[domain][op_type])


def _current(versions: _Versions, modules: Collection[str]) -> _Versions:
    """The classes of an op, those of modules that were executed again as they are now."""
    classes = {}
    for version, cls in versions.items():
        if cls.__module__ in modules:
            cls = getattr(sys.modules.get(cls.__module__), cls.__name__, None)
        if is_custom_op(cls):
            classes[version] = cls
    return classes


def _place(plugin: Plugin) -> tuple[_Op, int] | None:
    """The op and the version that a plugin provides, if it does."""
    domain = plugin.metadata.get("domain")
    is_kind = plugin.kind == "kernel" or (plugin.kind == "backend" and domain is not None)
    if not is_kind or isinstance(plugin.target, Lazy) or not is_custom_op(plugin.target):
        return None
    if plugin.target.__module__.rpartition(".")[0] == domain:  # QONNX finds it there by itself
        return None
    named, _ = op_and_version(plugin.name)
    _, version = op_and_version(plugin.target.__name__)
    return (str(domain or DOMAIN), str(plugin.metadata.get("op_type") or named)), version


custom_ops = CustomOps(registry)
