"""What is installed as styled text."""

from __future__ import annotations

from ..registry.plugin import BRAINSMITH
from ..text.format import counted
from ..text.styled import Text, headed, wrapped
from .catalogue import Report as Installation


def framework(told: Installation, width: int) -> Text:
    """A framework: its name and version, how much it brings, where it is, what is unavailable, who publishes it."""
    head = f"{told.name} {told.version}" if told.version else told.name
    numbers = ", ".join(counted(count, kind) for kind, count in told.counts.items()) or "nothing yet"
    text = headed("bold", head, numbers, width)
    if told.name == BRAINSMITH and not told.folders:
        text.append(("dim", wrapped("  bsrepl's own and yours; Brainsmith is not installed", width)))
    text += [("path", f"  {folder}\n") for folder in told.folders]
    for why, count in told.unavailable.items():
        text.append(("warning", wrapped(f"  unavailable: {why} ({counted(count, 'plugin')})", width, "    ")))
    for each in told.entry_points:
        said = f"  entry point of {each.distribution}: "
        if each.failure is not None:
            text.append(("error", wrapped(f"{said}{each.failure}", width, "    ")))
        elif each.plugins is None:
            text.append(("dim", wrapped(f"{said}not loaded yet; kernels.{each.name} does", width, "    ")))
        else:
            text.append(("dim", wrapped(f"{said}{counted(len(each.plugins), 'plugin')}", width, "    ")))
    return text
