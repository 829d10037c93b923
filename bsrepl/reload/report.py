"""What a reload did, and what failed, as styled text."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os.path import basename

from ..registry.changes import between
from ..registry.plugin import Key
from ..registry.report import registry_changes
from ..text.format import duration
from ..text.styled import Text, advice, headed, wrapped
from .failure import Failure
from .rebind import Stale
from .reloader import Report

_MOST_FAILURES = 5  # that are told in full at once


def report(told: Report, width: int, seconds: float | None = None) -> Text:
    """What a reload did: the problems, what was mended, the registry's changes."""
    text = problems(told, width)
    for path in told.mended:
        text += [("added", f"{basename(path)} is mended\n")]
    changes = between(told.before, told.after)
    if changes:
        text += registry_changes(changes, told.before, told.after, width, seconds)
    elif told.new == told.executed != []:
        text += [("dim", f"{_listed(told.new)}: no plugin in it yet\n")]
    elif told.executed:
        text += [("dim", f"{_listed(told.executed)} executed again; no plugin changed{_after(seconds)}\n")]
    elif told.gone:
        text += [("dim", f"{_listed(told.gone)} gone; no plugin was in it\n")]
    return text


def problems(told: Report, width: int) -> Text:
    """What files printed while they were executed, warnings, and failures not told before."""
    text: Text = []
    for path, printed in told.output:
        for line in printed.splitlines():
            text += [("path", f"{basename(path)} | "), ("", f"{line}\n")]
    for warning in told.warnings:
        text += _warning(warning, width)
    for failed in told.failures[:_MOST_FAILURES]:
        text += failure(failed, width)
    for failed in told.failures[_MOST_FAILURES:]:
        text += headed("error", "failed", f"{failed.place}  {failed.error.splitlines()[0]}", width)
    if len(told.failures) > _MOST_FAILURES:
        text.append(("bold", f"{len(told.failures)} files failed; errors() tells of each in full\n"))
    return text


def stale(found: Sequence[Stale], width: int) -> Text:
    """What the session holds that stays as it was made."""
    text: Text = []
    for each in found:
        text += headed("warning", "stale", f"{each.holder}  {each.why}; make it anew", width)
    return text


def waiting(paths: Sequence[str], width: int) -> Text:
    """That files are gone or empty, which may be an editor saving, and still count."""
    if not paths:
        return []
    said = f"{_listed(paths)} gone or empty; the previous version counts until that has lasted a second"
    return [("warning", wrapped(said, width))]


def _listed(paths: Sequence[str]) -> str:
    names = [basename(path) for path in paths]
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more files"
    return ", ".join(names)


def _after(seconds: float | None) -> str:
    return "" if seconds is None else f"   {duration(seconds)}"


def _warning(warning: warnings.WarningMessage, width: int) -> Text:
    place = f"{basename(warning.filename)}:{warning.lineno}"
    return headed("warning", "warning", f"{place}  {warning.message}", width)


def failure(failed: Failure, width: int) -> Text:
    """Where a plugin file failed, the error, the source line with a caret, and what was kept."""
    text = headed("error", "failed", f"{failed.place}  {failed.error}", width)
    if failed.source_line:
        text.append(("", f"    {failed.source_line}\n"))
        if failed.column is not None and failed.column <= len(failed.source_line):
            carets = "^" * max(1, min(failed.width, len(failed.source_line) - failed.column))
            text.append(("error", f"    {' ' * failed.column}{carets}\n"))
    if failed.hint:
        text += advice(failed.hint, width)
    if failed.file != failed.path:
        text.append(("", f"  imported by {basename(failed.path)}\n"))
    if failed.threads:
        running = f"  cannot be undone: it started {', '.join(failed.threads)}, which goes on running"
        text.append(("warning", wrapped(running, width, "    ")))
    kept = f"kept the previous version: {_keys(failed.kept)}"
    lost = "nothing of it is registered; errors() has the whole traceback"
    text.append(("", wrapped(f"  {kept if failed.kept else lost}", width, "    ")))
    return text


def _keys(keys: Sequence[Key]) -> str:
    shown = ", ".join(map(str, keys[:6]))
    return f"{shown} and {len(keys) - 6} more" if len(keys) > 6 else shown
