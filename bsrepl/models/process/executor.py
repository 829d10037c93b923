"""The shell's side of the other process: starts it, gives it tasks, waits for what they return."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Protocol

from ...errors import TaskEnded
from . import handover
from .messages import END, FAILURE, NOTE, RESULT, Limits, Note, Start, Task

if TYPE_CHECKING:  # many sessions hold no model, and need none of what these import
    from ..runtime.packing import Packed

_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2  # bytes: half of the machine's
_GRACE = 5.0  # seconds after its limit in which a task has to have ended

# What GNU's malloc reads, see mallopt(3). A task ends soon, and what one session gives back is for the next one: asking
# the system for each page again takes a tenth of the time of a large proof.
_ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**30)}

_START = "import sys; sys.path[:] = {path!r}; from bsrepl.models.process.runner import serve; serve({socket})"


class Process(Protocol):
    """What has been launched, as `subprocess.Popen` is."""

    def poll(self) -> int | None: ...
    def wait(self) -> int: ...


def launched(control: socket.socket) -> Process:
    """A process of its own that serves a socket, and imports what this one would."""
    return subprocess.Popen(
        [sys.executable, "-c", _START.format(path=sys.path, socket=control.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[control.fileno()],
        env={**_ALLOCATION, **os.environ},
        cwd="/",  # the session's folder may have been deleted: Python 3.13.0 cannot start there
        start_new_session=True,  # a Ctrl-C is for the shell
    )


class Executor:
    """Runs tasks in another process, which is started with the first one, or by `start`, and is kept."""

    #: What starts it.
    launch: Callable[[socket.socket], Process] = staticmethod(launched)

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._process: Process | None = None

    def start(self) -> None:
        """Starts the process, if there is none. It gets ready while the shell goes on."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = self.launch(theirs)

    def begin(self, task: Task, data: Packed, limit: float, prepare: Callable[[], object] | None = None) -> Job:
        """Begins a task, which is called with the parts of the data and with a function that sends notes.

        It may take `limit` seconds. `prepare` is called before: it makes what is defined in the shell alone known.
        """
        self.start()
        assert self._control is not None
        import pickle  # only now: many sessions execute no model

        pickled = pickle.dumps(prepare), pickle.dumps(task)
        ours, theirs = socket.socketpair()
        with theirs:
            file = handover.nameless()
            socket.send_fds(self._control, [b"t"], [theirs.fileno(), file.fileno()])
        start = Start(Limits(limit, _MEMORY), list(sys.path), _folder(), *pickled, data.length)
        return Job(ours, start, data.parts, file)

    def close(self) -> None:
        """Ends the process, with all that it does."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.wait()
            self._process = None

    def __del__(self) -> None:
        """A worker's thread of some pool ends without a word; its process is to end with it."""
        self.close()


class Job:
    """A task in the other process. Closing it ends the task."""

    def __init__(self, ours: socket.socket, start: Start, parts: Iterator[bytes], file: IO[bytes]) -> None:
        from multiprocessing.connection import Connection

        self._socket = ours
        self._connection = Connection(os.dup(ours.fileno()))
        self._limits = start.limits
        self._deadline = time.monotonic() + start.limits.seconds + _GRACE
        self.notes: list[Note] = []  # that it has sent so far
        self._result: Any = None
        self._failure: TaskEnded | None = None
        self._unsent = ""  # why the task has not got its data
        self.is_finished = False
        self._sender = threading.Thread(target=self._send, args=(start, parts, file), daemon=True)
        self._sender.start()

    def _send(self, start: Start, parts: Iterator[bytes], file: IO[bytes]) -> None:
        """Sends what the task needs, in a thread: a large model takes a while, and the process may be starting."""
        try:
            with file:
                self._connection.send(start)
                for part in parts:
                    self._connection.send(handover.add(file, part))
        except ConnectionError:  # the task has ended before it had all of it, which its end tells
            pass
        except OSError as error:
            self._unsent = f"the data cannot be written for it: {error}"
            self._socket.shutdown(socket.SHUT_WR)  # the task ends

    def send(self) -> None:
        """Waits until the task has all that it needs: from then on, the data may be changed."""
        self._sender.join()

    def wait(self, seconds: float) -> bool:
        """Waits so many seconds at most. Returns whether the task has ended."""
        until = time.monotonic() + seconds
        while not self.is_finished:
            if not self._connection.poll(max(min(until, self._deadline) - time.monotonic(), 0)):
                now = time.monotonic()
                if now >= self._deadline:
                    self._finish(self._ended_by(-signal.SIGALRM))
                elif now >= until:
                    return False
                continue
            try:
                self._take(*self._connection.recv())
            except (EOFError, OSError):
                self._finish(TaskEnded("the process that executes models has ended"))
        return True

    def _take(self, kind: str, content: Any) -> None:
        """Takes a message of the task, or of the process that started it."""
        if kind == NOTE:
            self.notes.append(content)
        elif kind == RESULT:
            self._result = content
            self._finish(None)
        elif kind == FAILURE:
            name, message, trace = content
            self._finish(TaskEnded(f"{name}: {message}", trace=trace))
        elif kind == END:
            self._finish(self._ended_by(content))

    def result(self) -> Any:
        """What the task returned; waits for it. Raises TaskEnded if it raised, crashed, or reached a limit."""
        self.wait(math.inf)
        if self._failure is not None:
            raise self._failure
        return self._result

    def close(self) -> None:
        """Ends the task, if it has not ended."""
        self.is_finished = True
        with suppress(OSError):  # the other side has closed it
            self._socket.shutdown(socket.SHUT_RDWR)
        self._sender.join()
        self._socket.close()
        self._connection.close()

    def _finish(self, failure: TaskEnded | None) -> None:
        self._failure = TaskEnded(self._unsent) if failure is not None and self._unsent else failure
        self.close()

    def _ended_by(self, status: int) -> TaskEnded:
        if status == -signal.SIGALRM:
            return TaskEnded(f"it took longer than {self._limits.seconds:g} s", is_late=True)
        if status == -signal.SIGKILL:
            return TaskEnded("its process was killed, as the system does when memory runs out")
        if status < 0:
            return TaskEnded(f"its process crashed ({_signal_name(-status)})")
        return TaskEnded(f"its process ended with status {status}")


def _signal_name(number: int) -> str:
    """The name of a signal; those for programs of real time have none."""
    return next((known.name for known in signal.Signals if known == number), f"signal {number}")


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "/"
