"""What is installed as styled text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry.plugin import BRAINSMITH
from ..text.format import counted
from ..text.styled import Text, headed, wrapped
from .catalogue import Installation

if TYPE_CHECKING:
    from .wanted_qonnx import WantedQonnx

_SOURCE = "git+https://github.com/fastmachinelearning/qonnx.git"
_MOST = 5  # missing names that are listed


def framework(installation: Installation, width: int, why_slow: str | None = None) -> Text:
    """A framework: its name and version, how much it brings, where it is, what is unavailable, who publishes it.

    `why_slow` is why its own code runs where bsrepl has a quicker one.
    """
    head = f"{installation.name} {installation.version}" if installation.version else installation.name
    numbers = ", ".join(counted(count, kind) for kind, count in installation.counts.items()) or "nothing yet"
    text = headed("bold", head, numbers, width)
    if installation.name == BRAINSMITH and not installation.folders:
        text.append(("dim", wrapped("  bsrepl's own and yours; Brainsmith is not installed", width)))
    text += [("path", f"  {folder}\n") for folder in installation.folders]
    if why_slow is not None:
        text.append(
            ("warning", wrapped(f"  its own cleanup and look-ups run, in quadratic time: {why_slow}", width, "    "))
        )
    for why, count in installation.unavailable.items():
        text.append(("warning", wrapped(f"  unavailable: {why} ({counted(count, 'plugin')})", width, "    ")))
    for entry_point in installation.entry_points:
        begin = f"  entry point of {entry_point.distribution}: "
        if entry_point.failure is not None:
            text.append(("error", wrapped(f"{begin}{entry_point.failure}", width, "    ")))
        elif entry_point.plugins is None:
            text.append(("dim", wrapped(f"{begin}not loaded yet; kernels.{entry_point.name} does", width, "    ")))
        else:
            text.append(("dim", wrapped(f"{begin}{counted(len(entry_point.plugins), 'plugin')}", width, "    ")))
    return text


def another_qonnx(wanted: WantedQonnx, width: int) -> Text:
    """That a framework was written for another QONNX than the installed one, how that is known, and what to install."""
    names = [f"{origin}: {name}" for name, origin in wanted.missing[:_MOST]]
    more = len(wanted.missing) - len(names)
    lines = [
        f"  needs another QONNX than the installed one, which lacks what {wanted.framework} imports:",
        *(f"    {name}" for name in names),
        *([f"    and {counted(more, 'more name')}"] if more else []),
    ]
    if wanted.commit:
        lines.append(f'  install that: pip install --no-deps "qonnx @ {_SOURCE}@{wanted.commit}"')
    else:
        lines.append(f"  install that: the fetch-repos.sh of {wanted.framework} names its commit")
    return [("warning", "".join(wrapped(line, width, "      ") for line in lines))]
