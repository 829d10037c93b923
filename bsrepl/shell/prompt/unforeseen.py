"""Whatever goes wrong in bsrepl while the prompt waits: it is kept until it can be told, once each."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...text.tracebacks import is_library

_T = TypeVar("_T")


class Unforeseen:
    """Exceptions that nobody caught, in the order in which they came. Safe to use from several threads."""

    def __init__(self) -> None:
        self._waiting: list[BaseException] = []
        self._known: set[tuple[type[BaseException], str, int]] = set()

    def add(self, error: BaseException) -> None:
        """Keeps an exception, unless one of its type came from the same line before: a bar is drawn at each key."""
        frames = traceback.extract_tb(error.__traceback__)
        place = (type(error), frames[-1].filename, frames[-1].lineno or 0) if frames else (type(error), "", 0)
        if place not in self._known:
            self._known.add(place)
            self._waiting.append(error)

    def take(self) -> list[BaseException]:
        """The exceptions that were not taken yet."""
        errors, self._waiting = self._waiting, []
        return errors

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def guarded(self, function: Callable[[], _T], otherwise: _T) -> _T:
        """What a function returns; if it raises, that is kept, and the value is `otherwise`."""
        try:
            return function()
        except Exception as error:
            self.add(error)
            return otherwise

    def from_loop(self, loop: Any, context: dict[str, Any]) -> None:
        """The exception handler of the event loop, which the tasks of commands share."""
        task = context.get("task") or context.get("future")
        if isinstance(task, asyncio.Task) and not _is_ours(task):
            loop.default_exception_handler(context)
            return
        error = context.get("exception")
        self.add(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))


def _is_ours(task: asyncio.Task[Any]) -> bool:
    """Whether a task belongs to the prompt."""
    file = getattr(getattr(task.get_coro(), "cr_code", None), "co_filename", "")
    return is_library(file)


class GuardedCompleter(Completer):
    """Completes as another completer does; one that raises has no completions."""

    def __init__(self, completer: Completer, unforeseen: Unforeseen) -> None:
        self._completer = completer
        self._unforeseen = unforeseen

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        return self._guarded(iter(self._completer.get_completions(document, complete_event)))

    def _guarded(self, completions: Iterator[Completion]) -> Iterator[Completion]:
        while True:
            try:
                completion = next(completions, None)
            except Exception as error:
                self._unforeseen.add(error)
                return
            if completion is None:
                return
            yield completion
