"""Where bsrepl keeps what outlives a session, after the XDG Base Directory Specification 0.8."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from zlib import crc32


def config_file() -> Path:
    """`config.py`, with the user's settings."""
    return _base("XDG_CONFIG_HOME", ".config") / "config.py"


def history_file() -> Path:
    """The commands of earlier sessions."""
    return _base("XDG_STATE_HOME", ".local/state") / "history"


def error_file() -> Path:
    """Where the last internal error came from, for a report."""
    return _base("XDG_STATE_HOME", ".local/state") / "last-error"


def index_file() -> Path:
    """What was found out of the packages of this environment; it may be deleted at any time."""
    environment = crc32(sys.prefix.encode(errors="surrogateescape"))
    return _base("XDG_CACHE_HOME", ".cache") / f"index-{environment:08x}.json"


def _base(variable: str, otherwise: str) -> Path:
    folder = os.environ.get(variable, "")
    if not os.path.isabs(folder):  # as the specification wants it
        folder = os.path.join(os.path.expanduser("~"), otherwise)
    return Path(folder, "bsrepl")
