"""What a worker process of `multiprocessing` runs first, when it does not begin as a copy of this one.

With the start methods `spawn` and `forkserver` a worker begins without the plugin files and what commands defined, and
one that cannot unpickle its task dies and is started again for ever. So the worker gets the sources that are live, and
imports them as the shell does, decorators included. `multiprocessing` runs this file as the worker's main module.
"""

from __future__ import annotations

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


def _begin() -> Mapping[str, Any]:
    """Makes the live code importable in this process. Returns the names of its main module."""
    from bsrepl.frameworks.catalogue import Installed
    from bsrepl.registry.store import registry
    from bsrepl.reload.development import Development
    from bsrepl.reload.importer import PluginImporter
    from bsrepl.shell.places import index_file
    from bsrepl.shell.preloaded import PRELOADED

    *_, code, arguments = sys.argv
    sys.argv[:] = arguments
    live = LiveCode(*code)
    Installed(registry, index_file())
    importer = PluginImporter(
        live.sources.__getitem__,
        live.sources.__contains__,
        PRELOADED,
        Development(files=live.packaged),
        lambda path: path not in live.packaged,
    )
    importer.name({path: name for path, name in live.names.items() if path not in live.packaged})
    importer.install()
    names: dict[str, Any] = {**PRELOADED, "__name__": "__main__"}
    exec(compile(live.definitions, "<session>", "exec", dont_inherit=True), names)
    return names


if __name__ == "__mp_main__" and sys.argv[1:2] == [_MARK]:  # the first is what runpy says it is
    globals().update(_begin())
