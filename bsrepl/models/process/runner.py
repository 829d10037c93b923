"""The other process, in which models are executed: it imports what that needs, and forks for each task.

A fork ends with its task, whatever that did: what it allocated, imported or broke ends with it. The process closes all
that it has when the socket to the shell is closed, so it is never left behind.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import select
import signal
import socket
import sys
import time
import traceback
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection

from ...graphdiff.collecting import without_collecting
from .handover import mapped
from .messages import END, FAILURE, NOTE, RESULT, Note, Start, Task


def serve(number: int) -> None:
    """Forks for each socket that comes through the socket of this number, until that is closed."""
    prepare_for_tasks()
    gc.freeze()  # looking for garbage in them would copy what forks share with this process
    with without_collecting():  # which counts what is frozen, once for all tasks
        gc.set_threshold(100_000)
    warnings.simplefilter("ignore")  # about forks beside the threads of numpy, among other things
    control = socket.socket(fileno=number)
    woken, waker = socket.socketpair()
    for end in (woken, waker):
        end.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    tasks: dict[int, tuple[int, socket.socket]] = {}  # by the number of its socket: the process, the socket
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        for ready, event in poll.poll():
            if ready == control.fileno():
                _, numbers, _, _ = socket.recv_fds(control, 1, 2)
                if not numbers:
                    for process, _ in tasks.values():
                        _end(process)
                    return
                task = socket.socket(fileno=numbers[0])
                process = os.fork()
                if not process:
                    control.close()
                    _work(Connection(task.detach()), numbers[1])
                os.close(numbers[1])
                tasks[task.fileno()] = process, task
                poll.register(task, 0)  # a closed socket is always told
            elif ready == woken.fileno():
                woken.recv(4096)
            elif ready in tasks and event & (select.POLLHUP | select.POLLERR):
                _end(tasks[ready][0])
                poll.unregister(ready)  # it would be told again and again until the task has ended
        for ready, (process, task) in list(tasks.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                del tasks[ready]
                with suppress(KeyError):
                    poll.unregister(task)
                _report_end(Connection(task.detach()), status)


def prepare_for_tasks() -> None:
    """Does once what each task would do for itself: imports, and what ONNX and onnxruntime set up at first."""
    from onnx import ModelProto, TensorProto, helper

    from ..proof.verify import verify

    with suppress(ImportError):  # one that cannot be imported is told by the task that needs it
        import qonnx.custom_op.general  # noqa: F401

    def smallest(op_type: str) -> ModelProto:
        value, output = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y"))
        graph = helper.make_graph([helper.make_node(op_type, ["x"], ["y"])], "smallest", [value], [output])
        return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])

    verify(smallest("Relu"), smallest("Relu"))
    verify(smallest("Relu"), smallest("Neg"))


def _end(process: int) -> None:
    """Ends a task and the processes that it started."""
    try:
        os.killpg(process, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has no group yet, or has ended
        os.kill(process, signal.SIGKILL)


def _report_end(connection: Connection, status: int) -> None:
    with connection:
        try:
            connection.send((END, os.waitstatus_to_exitcode(status)))
        except OSError:  # nobody waits for it
            pass


def _work(connection: Connection, data: int) -> None:
    """Runs the task that comes through a connection, on the data in a file. Never returns."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        _run(connection, data)
    except BaseException:  # the connection is closed: the shell has ended, or waits no longer
        os._exit(1)
    os._exit(0)


def _run(connection: Connection, file: int) -> None:
    start: Start = connection.recv()
    began = time.monotonic()

    def note(content: object) -> None:
        connection.send((NOTE, Note(time.monotonic() - began, content)))

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, start.limits.seconds)
    _limit_memory(start.limits.memory)
    sys.path[:] = start.path
    with suppress(OSError):  # it was deleted; what is executed rarely needs it
        os.chdir(start.folder)
    try:
        data = mapped(file, [connection.recv() for _ in range(start.length)])
        if prepare := pickle.loads(start.prepare):
            prepare()
        task: Task = pickle.loads(start.task)
        connection.send((RESULT, task(data, note)))
    except BaseException as error:
        connection.send((FAILURE, (type(error).__name__, str(error), "".join(traceback.format_exception(error)))))


def _limit_memory(size: int) -> None:
    """Lets what is allocated from now on fail beyond a size. Linux counts private memory, other systems all or none."""
    try:
        with open("/proc/self/statm", "rb") as statistics:
            used = int(statistics.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")  # data and stack
    except OSError:
        used = 0
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = used + size
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
