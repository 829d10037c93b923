"""The result of executing one file, before anybody decides whether it counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, ModuleType

from ...frameworks.brainsmith.installed import definition_line
from ...frameworks.qonnx import ops as custom_ops
from ...registry.plugin import Origin, Plugin


@dataclass
class Execution:
    """One file that was executed, or the attempt."""

    path: str
    source: bytes = b""
    module: ModuleType | None = None
    code: CodeType | None = None
    plugins: tuple[Plugin, ...] = ()
    depends: set[str] = field(default_factory=set)  # the files it imports, and those that would change what it imports
    error: BaseException | None = None
    is_cause: bool = False  # whether the error is its own, not that of a file that it imports
    output: str = ""  # what it printed while it was executed
    threads: tuple[threading.Thread, ...] = ()  # those that were started meanwhile

    @property
    def is_to_blame(self) -> bool:
        """Whether the file, if it does not count, is the cause of that, and not a file that it imports."""
        return self.error is None or self.is_cause


def undecorated_ops(module: ModuleType, source: bytes, known: Sequence[Plugin]) -> Iterator[Plugin]:
    """The custom ops of a module that no decorator registered: kernels all the same."""
    taken = {id(plugin.target) for plugin in known}
    for op in custom_ops.of_module(module):
        if id(op) not in taken:
            yield custom_ops.undecorated(op, Origin(str(module.__file__), definition_line(source, op.__name__)))
