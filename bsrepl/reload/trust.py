"""Whether a file may be executed without asking, just because of where it is."""

from __future__ import annotations

import os
import stat


def doubt(path: str, file: os.stat_result, folder: os.stat_result, user: int) -> str | None:
    """Why a file should not be executed without asking; None if it may be.

    Somebody else may have written it if anyone may write to it or to its folder (one with the sticky bit, like /tmp,
    protects the files in it), or if it or its folder belongs to another user who is not root.
    """
    anyone = stat.S_IWOTH
    if file.st_mode & anyone:
        return f"anyone may write to it; chmod o-w {path}"
    if folder.st_mode & anyone and not folder.st_mode & stat.S_ISVTX:
        return f"anyone may write to its folder; chmod o-w {os.path.dirname(path)}"
    for what, status in (("it", file), ("its folder", folder)):
        if status.st_uid not in (user, 0):
            return f"{what} belongs to another user, {status.st_uid}"
    return None
