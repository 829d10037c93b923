"""What is on disk, and whether it has changed since it was last looked at. Pure but for stat, listdir and read.

A file counts as unchanged only while modification time, change time, size and inode all stay equal; a later time is no
proof (`cp -p`, `mv x.bak x`), an equal one none while the file is so young that an edit may share its clock tick. Such
a file is UNSETTLED: it is read again at each look until it is two seconds old. Git calls this the racy index.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from os.path import isfile, join
from typing import NamedTuple

from ...errors import PluginFileError, UntrustedFile
from ...text.format import file_name
from ...text.patterns import late_pattern
from .trust import doubt

#: Tells one state of a path from another: st_mtime_ns, st_ctime_ns, st_size, st_ino. None: the path does not exist.
Signature = tuple[int, ...] | None

#: Equal to no state of any path: whoever keeps it looks again.
UNSETTLED: Signature = ()

_SETTLES_AFTER = 2_000_000_000  # ns; coarser than the clock tick of any file system in use
_ATTEMPTS = 5  # at reading a file between two writes
_DECORATOR = late_pattern(rb"^\s*@(?:transform|kernel|backend|step|kernel_inference|plugin)\b", re.MULTILINE)
LARGEST = 16 * 1024 * 1024  # bytes; a plugin file is written by hand


class Contents(NamedTuple):
    """The bytes of a file and the signature that they were read under."""

    data: bytes
    signature: Signature


def suspects(seen: Mapping[str, Signature]) -> list[str]:
    """The paths that may no longer be as they were seen, at the cost of a stat each."""
    look = os.stat
    paths = []
    for path, signature in seen.items():
        try:
            now = look(path)
        except (OSError, ValueError):
            if signature is not None:
                paths.append(path)
            continue
        if signature != (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino):
            paths.append(path)
    return paths


def signature(path: str, now: int) -> Signature:
    """The signature of a file or folder at wall-clock time `now`, in ns; UNSETTLED if it changed just before."""
    try:
        return _signature(os.stat(path), now)
    except (OSError, ValueError):
        return None


def read(path: str, now: int, *, trusted: bool = False) -> Contents:
    """Reads a plugin file, never blocking, at wall-clock time `now`, in ns.

    Raises FileNotFoundError if it does not exist, and PluginFileError, with the reason, if it is not a readable regular
    file, is larger than any plugin file, or, unless it is `trusted`, may have been written by somebody else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            return _contents(path, descriptor, now, trusted)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except NotADirectoryError:  # a file has taken the place of its folder
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise PluginFileError(f"{file_name(path)} cannot be read: {error.strerror}") from None


def read_once(path: str, *, trusted: bool = False) -> bytes:
    """The bytes of a file that is to be executed and not watched: settings, a startup file, a lesson.

    Raises as `read` does.
    """
    return read(path, 0, trusted=trusted).data


def _contents(path: str, descriptor: int, now: int, trusted: bool) -> Contents:
    data = b""
    for _ in range(_ATTEMPTS):
        before = os.fstat(descriptor)
        if stat.S_ISDIR(before.st_mode):  # the file is gone, and a folder has its name
            raise FileNotFoundError(path)
        if not stat.S_ISREG(before.st_mode):
            raise PluginFileError(f"{file_name(path)} is not a regular file")
        if before.st_size > LARGEST:
            megabytes = before.st_size / 1_000_000
            raise PluginFileError(f"{file_name(path)} has {megabytes:.0f} MB; too large for a plugin file")
        reason = None if trusted else doubt(path, os.getuid())
        if reason is not None:
            raise UntrustedFile(f"{file_name(path)} is not executed: {reason}; or start with --trust")
        data = os.pread(descriptor, before.st_size + 1, 0)
        after = os.fstat(descriptor)
        if len(data) == after.st_size and _identity(before) == _identity(after):
            return Contents(data, _signature(after, now))
    return Contents(data, UNSETTLED)  # it is still being written to: what it holds now, and another look soon


def plugin_files(folder: str) -> tuple[list[str], list[str]]:
    """The plugin files of a folder: each `*.py` in it, and the `__init__.py` of each package in it.

    Names that start with `_` or `.` are helpers, or what editors leave behind. The second list has the `__init__.py`
    that would make a package of each subfolder without one: the folder itself does not change when it appears.
    Raises OSError if the folder does not exist.
    """
    present: list[str] = []
    future: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(("_", ".")):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:  # a link that leads to itself; executing it will say so
                is_folder = False
            if not is_folder:
                if entry.name.endswith(".py"):
                    present.append(entry.path)
            elif entry.name.isidentifier():
                init = join(entry.path, "__init__.py")
                (present if isfile(init) else future).append(init)
    return sorted(present), sorted(future)


def modules_with_plugins(folder: str) -> list[str]:
    """The modules of a package that use a decorator of bsrepl, as far as their text tells; `__init__.py` left out."""
    paths = []
    try:
        with os.scandir(folder) as entries:
            names = [entry.path for entry in entries if entry.name.endswith(".py") and entry.name[0] not in "_."]
        for path in sorted(names):
            with open(path, "rb") as file:
                if _DECORATOR.search(file.read(LARGEST)):
                    paths.append(path)
    except OSError:
        return []
    return paths


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _signature(status: os.stat_result, now: int) -> Signature:
    # Both times: the clock may go backwards, and the change time cannot be set by anybody.
    young = max(status.st_ctime_ns, status.st_mtime_ns) > now - _SETTLES_AFTER
    return UNSETTLED if young else _identity(status)
