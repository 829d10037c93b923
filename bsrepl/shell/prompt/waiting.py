"""What goes on while the prompt waits: looks at the files, proofs that come late, what threads print."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.patch_stdout import StdoutProxy

from ..console import Console
from .signals import interruptible
from .unforeseen import Unforeseen


class Waiting:
    """Looks at the files every `interval` seconds, in a thread: a disk that does not answer delays no key.

    `after_look` is called when something was told.
    """

    def __init__(
        self, console: Console, unforeseen: Unforeseen, interval: float, after_look: Callable[[], None]
    ) -> None:
        self._console = console
        self._unforeseen = unforeseen
        self.interval = interval
        self._after_look = after_look
        self._thread: threading.Thread | None = None  # that asks whether a look is due
        self._streams = sys.stdout, sys.stderr  # what is printed on while the prompt is not on the screen
        #: Whether plugin files are being executed.
        self.is_looking = False

    async def now_and_then(self) -> None:
        """Runs for as long as the prompt waits."""
        while True:
            await asyncio.sleep(self.interval)
            if await self._is_due():
                await run_in_terminal(self._look)
            if self._unforeseen.guarded(self._console.proofs.is_due, False):
                await run_in_terminal(self._tell_late_proofs)
            if self._unforeseen:
                await run_in_terminal(self.tell_unforeseen)

    def finish(self) -> None:
        """Waits until the thread has looked at the files: two looks at a time would each see half of a change."""
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def printing_above(self) -> Iterator[None]:
        """While this lasts, what is printed appears above the prompt, line by line."""
        self._streams = sys.stdout, sys.stderr
        if not sys.stdout.isatty():
            yield
            return
        with StdoutProxy(raw=True) as proxy, redirect_stdout(proxy), redirect_stderr(proxy):
            yield

    def _is_due(self) -> asyncio.Future[bool]:
        """Whether a look is due, asked in a thread that the end of the process does not wait for."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()

        def ask() -> None:
            is_due = self._unforeseen.guarded(self._console.reloader.is_due, False)
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_answer, answer, is_due)

        self._thread = threading.Thread(target=ask, daemon=True)
        self._thread.start()
        return answer

    def tell_unforeseen(self) -> None:
        """Tells what went wrong in bsrepl itself while the prompt waited."""
        for error in self._unforeseen.take():
            self._console.tell_internal(error)

    def _tell_late_proofs(self) -> None:
        with self._console.guarded():
            self._console.tell_late_proofs()

    def _look(self) -> None:
        self.is_looking = True
        try:
            out, err = self._streams
            with interruptible(), redirect_stdout(out), redirect_stderr(err):
                self._console.look(looked=True)
                with self._console.guarded():
                    self._console.tour.show()
        finally:
            self.is_looking = False
        self._after_look()


def _answer(future: asyncio.Future[bool], answer: bool) -> None:
    if not future.done():  # the prompt has ended
        future.set_result(answer)
