"""The result of executing one file, before anybody decides whether it counts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import ModuleType

from ..registry.plugin import Plugin


@dataclass
class Execution:
    """One file that was executed, or the attempt."""

    path: str
    source: bytes = b""
    module: ModuleType | None = None
    plugins: tuple[Plugin, ...] = ()
    depends: set[str] = field(default_factory=set)  # the files it imports, and those that would change what it imports
    error: BaseException | None = None
    is_cause: bool = False  # whether the error is its own, not that of a file that it imports
    output: str = ""  # what it printed while it was executed
    threads: tuple[threading.Thread, ...] = ()  # those that were started meanwhile
