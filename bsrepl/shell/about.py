"""What `--version` and `--report` print: versions, the platform, settings, the last internal error; nothing private."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from .. import __version__
from ..frameworks.catalogue import version_of
from ..text.format import type_name
from ..text.tracebacks import is_library

_HERE = os.path.dirname(os.path.dirname(__file__))
#: What bsrepl stands on, and the frameworks that it shows.
_DISTRIBUTIONS = (
    "qonnx", "onnx", "onnxruntime", "numpy", "protobuf", "ptpython", "prompt_toolkit", "pygments", "finn", "brainsmith",
)  # fmt: skip
#: Environment variables that change what bsrepl does, and hold nothing private.
_SETTINGS = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL", "PYTHONUTF8", "OMP_NUM_THREADS")


def versions() -> str:
    """`bsrepl 0.2.0` and, on a line of its own, what it stands on."""
    installed = ", ".join(f"{name} {number}" for name in _DISTRIBUTIONS if (number := version_of(name)) is not None)
    return f"bsrepl {__version__}\nPython {platform.python_version()}, {installed}"


def report(config: Path, last_error: Path, environ: Mapping[str, str] = os.environ) -> str:
    """What a report of a problem needs. `config` has the user's settings, `last_error` the last internal error."""
    settings = ", ".join(f"{name}={environ[name]}" for name in _SETTINGS if name in environ)
    lines = [
        versions(),
        f"{platform.platform()}, {platform.python_implementation()} {sys.maxsize.bit_length() + 1} bit",
        f"settings: {settings or 'none'}; config.py {'exists' if config.is_file() else 'does not exist'}",
    ]
    try:
        trace = last_error.read_text(encoding="utf-8", errors="replace").rstrip()
    except OSError:
        lines.append("no internal error of bsrepl was recorded")
    else:
        lines += ["the last internal error:", trace]
    return "\n".join(lines) + "\n"


def keep(error: BaseException, last_error: Path) -> None:
    """Records where an internal error came from, for a report. Where that cannot be done, nothing is recorded."""
    try:
        last_error.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(last_error, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError:
        return
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_where(error))


def _where(error: BaseException) -> str:
    """The frames of an exception and its type. The user's code is not named, nor is the message, which may quote it."""
    frames = [
        f"  {_installed(frame.filename)}:{frame.lineno} in {frame.name}"
        if is_library(frame.filename)
        else "  code of the user"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return "\n".join([*frames, f"  {type_name(error)}"])


def _installed(file: str) -> str:
    """The path of a library's file, from the folder that it is installed in."""
    parts = Path(file).parts
    roots = ("site-packages", "dist-packages", f"python{sys.version_info.major}.{sys.version_info.minor}")
    if file.startswith(_HERE):
        return os.path.relpath(file, os.path.dirname(_HERE))
    starts = [parts.index(root) + 1 for root in roots if root in parts]
    return "/".join(parts[max(starts, default=-1) :])
