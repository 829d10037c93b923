"""Writing files whole or not at all: a full disk leaves neither half of one nor a temporary one."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_whole(path: Path, content: bytes, *, follows_links: bool = True) -> None:
    """Writes a file, in the place of one that is there. Raises OSError; then everything is as it was.

    What is not a regular file, such as /dev/stdout, is written to directly. A link is replaced if it is not to be
    followed.
    """
    target = Path(os.path.realpath(path)) if follows_links else path
    try:
        before = target.stat() if follows_links else None
    except FileNotFoundError:
        before = None
    if before is not None and not stat.S_ISREG(before.st_mode):
        target.write_bytes(content)
        return
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, stat.S_IMODE(before.st_mode) if before is not None else 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files, by their paths in a folder, all of them or none. Raises OSError; then the folder is as it was."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=folder, prefix=".new."))
    try:
        for name, content in files.items():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(content)
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged / name, folder / name)
    except BaseException:
        if is_new:
            shutil.rmtree(folder)
        raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
