"""The source that tracebacks and `inspect.getsource` show: the one that runs, whatever is on disk."""

from __future__ import annotations

import linecache
from importlib.util import decode_source


def show_source(path: str, source: bytes) -> None:
    """Makes these bytes the source that is shown for a path."""
    try:
        is_plain = source.isascii() and b"\r" not in source and b"coding" not in source[:200]
        text = source.decode("ascii") if is_plain else decode_source(source)
    except (SyntaxError, UnicodeDecodeError):
        return
    lines = [line + "\n" for line in text.split("\n")]  # as linecache has them: the last one ends like the others
    linecache.cache[path] = (len(source), None, lines if lines[-1] != "\n" else lines[:-1], path)
