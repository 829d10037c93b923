"""Whether Git is writing the files: it locks its index before the first and replaces it after the last."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from os.path import dirname, exists, isdir, isfile, join, normpath

_PATIENCE = 0.5  # seconds for a checkout to end
_PAUSE = 0.002
_ABANDONED = 10.0  # seconds after which a lock is one that waits for an editor, or that a crash left behind


def is_worth_a_look(changed: Iterable[str]) -> bool:
    """Waits while Git writes files around those that changed. Returns whether more may have changed meanwhile."""
    indexes: dict[str, int] = {}  # and when the last of the changed files beside it was written or deleted
    for path in changed:
        index = _index_of(dirname(path))
        if index is not None:
            indexes[index] = max(indexes.get(index, 0), _changed_at(path))
    return any(_has_written(index, at) for index, at in indexes.items())


def is_final(path: str) -> bool:
    """Whether Git has written its index since a file became empty or disappeared: nobody is about to write it again."""
    index = _index_of(dirname(path))
    return index is not None and not exists(f"{index}.lock") and _changed_at(path) <= _written(index)


def _has_written(index: str, changed_at: int) -> bool:
    """Whether Git has written its index since a file was changed; if it is about to, that is waited for."""
    lock = f"{index}.lock"
    end = time.monotonic() + _PATIENCE
    was_locked = False
    while _is_held(lock) and time.monotonic() < end:
        was_locked = True
        time.sleep(_PAUSE)
    return was_locked or _written(index) >= changed_at


def _index_of(folder: str) -> str | None:
    """The index of the repository that a folder lies in; None if it lies in none."""
    while not os.access(mark := f"{folder.rstrip('/')}/.git", os.F_OK):
        if folder == dirname(folder):
            return None
        folder = dirname(folder)
    if isdir(mark):
        return join(mark, "index")
    return _elsewhere(folder, mark) if isfile(mark) else None


def _elsewhere(folder: str, mark: str) -> str | None:
    """The index that the file `.git` of another working tree, or of a submodule, points to."""
    try:
        with open(mark, encoding="utf-8", errors="surrogateescape") as file:
            key, _, place = file.readline().rstrip("\n").partition(": ")
    except OSError:
        return None
    return normpath(join(folder, place, "index")) if key == "gitdir" else None


def _changed_at(path: str) -> int:
    """When a file was written last, or deleted: that is when the folder was written in which it lay."""
    while not (at := _written(path)) and path != dirname(path):
        path = dirname(path)
    return at


def _written(path: str) -> int:
    try:
        return os.stat(path).st_ctime_ns
    except (OSError, ValueError):
        return 0


def _is_held(lock: str) -> bool:
    try:
        return time.time() - os.stat(lock).st_mtime < _ABANDONED
    except (OSError, ValueError):
        return False
