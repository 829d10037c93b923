"""What is measured, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .developing import developing
from .finding import discovering
from .graphs import diffing
from .keystrokes import completing, typing
from .large import large
from .passes import passing
from .proving import proving
from .reading import access
from .registries import commands, growing
from .reloads import depending, reloading, saving, watching
from .rows import Effort, Row
from .soak import soaking
from .startup import prompt

GROUPS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "prompt": prompt,
    "typing": typing,
    "completing": completing,
    "access": access,
    "growing": growing,
    "discovery": discovering,
    "watching": watching,
    "saving": saving,
    "reloading": reloading,
    "depending": depending,
    "developing": developing,
    "soaking": soaking,
    "commands": commands,
    "diffing": diffing,
    "passing": passing,
    "proving": proving,
    "large": large,
}


def measured(name: str, is_quick: bool) -> list[Row]:
    return list(GROUPS[name](Effort(is_quick)))
