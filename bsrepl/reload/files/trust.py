"""Whether a file may be executed: nobody but the user and root can have changed it, or the way to it.

The rule is that of ssh for its files (OpenSSH, `safe_path`), with two refinements: symbolic links are followed one by
one, because whoever can replace a link decides what is executed; and a group whose only member is the user, as many
distributions give to each of theirs, may write.
"""

from __future__ import annotations

import os
import stat
import struct
from functools import lru_cache
from os.path import dirname, isabs, join

_MOST_LINKS = 40  # as Linux has it (path_resolution(7))
_ACL = "system.posix_acl_access"
_ACL_USER, _ACL_GROUP, _ACL_MASK = 0x02, 0x08, 0x10  # linux/posix_acl.h
_ACL_WRITE = 0x02


def doubt(path: str, user: int) -> str | None:
    """Why a file should not be executed without asking, and what to type; None if it may be.

    Every folder and every symbolic link on the way to the real file is looked at, from the root on. A folder with the
    sticky bit, like /tmp, protects what is in it. Raises OSError if the file does not exist.
    """
    waiting = [part for part in reversed(join(os.getcwd(), path).split("/")) if part not in ("", ".")]
    place, links = "/", 0
    reason = _reason(place, os.lstat(place), user)
    while waiting and reason is None:
        part = waiting.pop()
        if part == "..":
            place = dirname(place)
            continue
        entry = f"{place}/{part}" if place != "/" else f"/{part}"
        status = os.lstat(entry)
        if not stat.S_ISLNK(status.st_mode):
            place = entry
            reason = _reason(place, status, user)
            continue
        links += 1
        if links > _MOST_LINKS:
            return f"{entry} is a symbolic link that leads nowhere"
        if status.st_uid not in (user, 0):
            return f"the symbolic link {entry} belongs to another user, {status.st_uid}"
        target = os.readlink(entry)
        place = "/" if isabs(target) else place
        waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
    return reason


def _reason(path: str, status: os.stat_result, user: int) -> str | None:
    """Why one file or folder on the way is in doubt."""
    if status.st_uid not in (user, 0):
        return f"{path} belongs to another user, {status.st_uid}"
    is_protected = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if is_protected:
        return None
    if status.st_mode & stat.S_IWOTH:
        return f"anyone may write to {path}; chmod o-w {path}"
    if status.st_mode & stat.S_IWGRP:
        writers = _acl_writers(path, user)
        if writers:
            return f"{writers} may write to {path} by its access control list; setfacl -b {path}"
        if not _is_own_group(status.st_gid, user):
            return f"the group {status.st_gid} may write to {path}; chmod g-w {path}"
    return None


@lru_cache(maxsize=64)
def _is_own_group(group: int, user: int) -> bool:
    """Whether nobody but the user and root is in a group."""
    import grp  # only now: few files can be written by their group
    import pwd

    try:
        own = pwd.getpwuid(user).pw_name
        members = set(grp.getgrgid(group).gr_mem)
    except KeyError:
        return False
    members |= {entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == group}
    return members <= {own, "root"}


def _acl_writers(path: str, user: int) -> str:
    """Those besides the user that an access control list lets write; empty if there is no list."""
    if not hasattr(os, "getxattr"):
        return ""
    try:
        packed = os.getxattr(path, _ACL)
    except OSError:
        return ""
    entries = [struct.unpack_from("<HHI", packed, place) for place in range(4, len(packed) - 7, 8)]
    mask = next((permissions for tag, permissions, _ in entries if tag == _ACL_MASK), _ACL_WRITE)
    names = []
    for tag, permissions, number in entries:
        if permissions & mask & _ACL_WRITE:
            if tag == _ACL_USER and number not in (user, 0):
                names.append(f"user {number}")
            if tag == _ACL_GROUP and not _is_own_group(number, user):
                names.append(f"group {number}")
    return " and ".join(names)
