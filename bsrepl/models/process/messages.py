"""What the shell and the process that executes models send to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

NOTE, RESULT, FAILURE, END = "note", "result", "failure", "end"  # what a message is


class Limits(NamedTuple):
    """What a task may take; both hold before anything of it is executed."""

    seconds: float
    memory: int  # bytes of data, beyond those of the process itself


class Note(NamedTuple):
    """What a task says while it runs, and how many seconds after its start."""

    seconds: float
    content: Any


class Start(NamedTuple):
    """The first message to a task."""

    limits: Limits
    path: list[str]  # sys.path of the shell
    folder: str
    prepare: bytes  # a function, pickled, that makes what is defined in the shell alone known; or None
    task: bytes  # the task, pickled
    length: int  # of the data: so many messages follow, each with the bytes that a part of it takes


#: What a task is: it gets the parts of the data, and a function that sends a note.
Task = Callable[[list[memoryview], Callable[[object], None]], object]
