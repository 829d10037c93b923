"""A plugin: one registered class or function, with where it came from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

from ..errors import UnavailablePlugin
from ..text.format import file_name
from .unavailable import missing, reason

#: Each kind of plugin and the namespace that people reach it by.
NAMESPACES = {"transform": "tfm", "kernel": "kernels", "backend": "backends", "step": "steps"}
KINDS = tuple(NAMESPACES)

#: The framework of the user's own plugins and of the built-in ones; its plugins need no prefix.
BRAINSMITH = "brainsmith"
#: Which framework a short name means when several have it; the others follow in alphabetical order.
PRECEDENCE = (BRAINSMITH, "finn", "qonnx")
#: The words that are something else in a namespace: its methods and its frameworks.
WORDS = frozenset({"all", "find", "for_kernel", "frameworks", "missing", *PRECEDENCE})


def precedence(framework: str) -> tuple[int, str]:
    """A sorting key: the frameworks of `PRECEDENCE` first, then the rest by name."""
    return (PRECEDENCE.index(framework) if framework in PRECEDENCE else len(PRECEDENCE), framework)


class Key(NamedTuple):
    """What a plugin is registered under; two plugins with one key are two claims to one name."""

    kind: str
    framework: str
    name: str

    @property
    def qualified(self) -> str:
        """`FoldBias` for a plugin of brainsmith, `qonnx:FoldConstants` for one of another framework."""
        return self.name if self.framework == BRAINSMITH else f"{self.framework}:{self.name}"

    def __str__(self) -> str:
        """What to type: `tfm.FoldBias`, `tfm.qonnx.FoldConstants`, `tfm["not-a-name"]`."""
        namespace = NAMESPACES[self.kind]
        if not self.name.isidentifier() or self.name in WORDS or not self.framework.isidentifier():
            return f'{namespace}["{self.qualified}"]'
        return ".".join([namespace, *([] if self.framework == BRAINSMITH else [self.framework]), self.name])


class Origin(NamedTuple):
    """The place a plugin was defined at.

    `file` is a path, or the name that a command of the session was compiled under, as in `<command 3>`.
    """

    file: str
    line: int

    @property
    def is_file(self) -> bool:
        return not self.file.startswith("<")

    def __str__(self) -> str:
        return f"{file_name(self.file)}:{self.line}"


@dataclass(slots=True)
class Lazy:
    """An object that has not been imported yet."""

    module: str
    attribute: str
    needs: tuple[str, ...] = ()  # the packages that importing the module takes, as far as they are known
    #: Why the last attempt to import it failed, and the module that was missing if it was that.
    _failure: tuple[str, str | None] | None = field(default=None, compare=False, repr=False)

    def load(self) -> Any:
        """Imports the module that defines the object, and nothing else.

        Raises UnavailablePlugin if that fails, with the exception as its cause.
        """
        try:
            loaded = getattr(import_module(self.module), self.attribute)
        except Exception as error:
            why = reason(error)
            self._failure = why, error.name if isinstance(error, ModuleNotFoundError) else None
            raise UnavailablePlugin(f"{self.attribute} is unavailable: {why}") from error
        self._failure = None
        return loaded

    @property
    def is_loaded(self) -> bool:
        return self.attribute in getattr(sys.modules.get(self.module), "__dict__", ())

    def unavailable(self, is_installed: Callable[[str], bool]) -> str | None:
        """Why it cannot be imported, as far as is known: an attempt failed, or a package is not there."""
        if self.is_loaded:
            return None
        why, module = self._failure or (None, None)
        if why is not None and (module is None or not is_installed(module.partition(".")[0])):
            return why
        absent = [package for package in self.needs if not is_installed(package)]
        return missing(*absent) if absent else None


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Plugin:
    """One registered class or function. Compared by identity: executing a file again makes new plugins."""

    key: Key
    target: Any  # the class or function itself, or a Lazy that imports it
    origin: Origin
    metadata: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return self.key.kind

    @property
    def framework(self) -> str:
        return self.key.framework

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def stage(self) -> str | None:
        stage = self.metadata.get("stage")
        return None if stage is None else str(stage)

    @property
    def is_loaded(self) -> bool:
        """Whether taking it imports nothing."""
        return not isinstance(self.target, Lazy) or self.target.is_loaded

    def unavailable(self, is_installed: Callable[[str], bool]) -> str | None:
        """Why it cannot be taken, as far as is known; None of one that can, or of which nothing is known."""
        return self.target.unavailable(is_installed) if isinstance(self.target, Lazy) else None

    @property
    def module(self) -> str:
        target = self.target
        return target.module if isinstance(target, Lazy) else str(getattr(target, "__module__", "?"))

    def load(self) -> Any:
        """The class or function, imported if need be. Raises UnavailablePlugin."""
        return self.target.load() if isinstance(self.target, Lazy) else self.target

    def __repr__(self) -> str:
        return f"<{self.kind} {self.key} from {self.origin}>"
