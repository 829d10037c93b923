"""The standard streams of a process: closed ones, a script that is not text, output that cannot be written."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress

_FAILED = 1
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def ensure_streams() -> None:
    """Opens the standard streams that are closed, as a daemon or a hook may leave them: Python has None for these."""
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115  # open as long as the program runs
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


def script() -> str:
    """The text of standard input. Raises ValueError if it is not UTF-8, as Python source is."""
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="strict")  # whatever the locale makes of it
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise ValueError(f"standard input is not UTF-8: byte 0x{byte:02x} in line {line}") from None


def status_of(run: Callable[[], int]) -> int:
    """The exit status of what is run; 1 if standard output cannot be written. A line says so, unless the program that
    read it has ended."""
    try:
        status = run()
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_output()
        return _FAILED
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _give_up_output()
        with suppress(OSError):
            print(f"bsrepl: standard output cannot be written: {error.strerror}", file=sys.stderr)
        return _FAILED
    return status


def _give_up_output() -> None:
    """Python writes what it still holds at exit, and would complain."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
