"""What a worker process of `multiprocessing` runs first, when it does not begin as a copy of this one.

With the start methods `spawn` and `forkserver` a worker begins without the plugin files and what commands defined, and
one that cannot unpickle its task dies and is started again for ever. So the worker gets the sources that are live, and
imports them as the shell does, decorators included. `multiprocessing` runs this file as the worker's main module.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_MARK = "bsrepl worker"


class LiveCode(NamedTuple):
    """The code of a session: plain values, which can be pickled."""

    sources: dict[str, bytes]  # of the plugin files and their helpers, by their paths
    names: dict[str, str]  # of their modules, by their paths
    packaged: list[str]  # those of them that are modules of packages: what is on disk fails
    definitions: str  # the imports, classes and functions of the commands


class Arguments(list[str]):
    """`sys.argv` of a session. `multiprocessing` sends it to each worker that it starts: with it goes the live code.

    So nothing has to be patched, and nothing imported as long as nobody starts a worker.
    """

    def __init__(self, code: Callable[[], LiveCode]) -> None:
        super().__init__([""])
        self._code = code

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        context = sys.modules.get("multiprocessing.context")
        if context is None or context.get_spawning_popen() is None:
            return list, (list(self),)
        return list, (["", _MARK, tuple(self._code()), list(self)],)


def prepare(live: LiveCode) -> dict[str, Any]:
    """Makes the live code importable in this process. Returns the names of its main module."""
    from bsrepl.frameworks.catalogue import Installed
    from bsrepl.registry.store import registry
    from bsrepl.reload.files.signatures import read_once
    from bsrepl.reload.imports.development import Development
    from bsrepl.reload.imports.importer import PluginImporter
    from bsrepl.shell.places import index_file
    from bsrepl.shell.preloaded import PRELOADED

    Installed(registry, index_file())
    importer = PluginImporter(
        lambda path: live.sources[path] if path in live.sources else read_once(path),
        live.sources.__contains__,
        PRELOADED,
        Development(files=live.packaged),
        lambda path: path not in live.packaged,
    )
    importer.name({path: name for path, name in live.names.items() if path not in live.packaged})
    importer.install()
    return {**PRELOADED, "__name__": "__main__"}


def become(live: LiveCode) -> None:
    """Makes this process one in which what the session defines can be unpickled. It should have no other use."""
    names = vars(sys.modules["__main__"])
    names.update(prepare(live))
    _define(live, names)


def _define(live: LiveCode, names: dict[str, Any]) -> str:
    """Runs the definitions of commands. Returns why one of them failed: it uses a value that is not here."""
    failure = ""
    for statement in ast.parse(live.definitions).body:
        try:
            exec(compile(ast.Module([statement], []), "<session>", "exec", dont_inherit=True), names)
        except Exception as error:
            failure = f": {type(error).__name__}: {error}"
    return failure


def provide(live: LiveCode, values: Mapping[str, Any], modules: list[str], ops: list[tuple[str, str]]) -> None:
    """Makes custom ops, given by domain and op type, known in this process: those of plugin modules, and of commands.

    `values` are those that the definitions of commands may use. Raises LookupError if an op cannot be recreated here.
    """
    from bsrepl.frameworks.qonnx import ops as custom_ops
    from bsrepl.registry.plugin import Origin
    from bsrepl.registry.store import record, registry

    names = {**prepare(live), **values}
    for module in modules:
        importlib.import_module(module)
    failure = _define(live, names)
    registered = [plugin.target for plugin in registry.snapshot.plugins("kernel")]  # by decorators, with their domains
    for name, value in list(names.items()):
        is_ours = custom_ops.is_custom_op(value) and value.__name__ == name and value.__module__ == "__main__"
        if is_ours and value not in registered:
            record(custom_ops.undecorated(value, Origin("<session>", 0)))
    missing = [op_type for domain, op_type in ops if (domain, op_type) not in custom_ops.custom_ops.placed]
    if missing:
        raise LookupError(f"{', '.join(missing)} exists in this session alone; save it in a plugin file{failure}")


def _begin() -> Mapping[str, Any]:
    *_, code, arguments = sys.argv
    sys.argv[:] = arguments
    live = LiveCode(*code)
    names = prepare(live)
    _define(live, names)  # a task may not need the one that fails; a worker that dies is started again for ever
    return names


if __name__ == "__mp_main__" and sys.argv[1:2] == [_MARK]:  # the first is what runpy says it is
    globals().update(_begin())
