"""A reload as styled text: what it changed, and what failed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..registry.changes import changes_between
from ..registry.plugin import Key
from ..registry.report import registry_changes
from ..text.format import counted, duration, file_name
from ..text.styled import Text, advice, asides, headed, wrapped
from .failure import Failure
from .follow.stale import Stale
from .imports.packages import FollowedPackage
from .outcome import Report

if TYPE_CHECKING:
    from .reloader import Reloader

_MOST_FAILURES = 5  # that are reported in full at once
_MOST_STALE = 5
_MOST_NAMES = 10


def report(outcome: Report, width: int, seconds: float | None = None) -> Text:
    """The problems, the files that were fixed, and the changes of the registry."""
    text = problems(outcome, width)
    for path in outcome.fixed:
        text += [("added", f"{file_name(path)} is fixed\n")]
    changes = changes_between(outcome.before, outcome.after)
    if changes:
        text += registry_changes(changes, outcome.before, outcome.after, width, seconds)
    elif outcome.new == outcome.executed != []:
        text += [("dim", f"{_listed(outcome.new)}: no plugin in it yet\n")]
    elif outcome.executed:
        text += [("dim", f"{_listed(outcome.executed)} executed again; no plugin changed{_after(seconds)}\n")]
    elif outcome.gone:
        text += [("dim", f"{_listed(outcome.gone)} deleted; it contained no plugin\n")]
    return text


def problems(outcome: Report, width: int) -> Text:
    """What files printed while they were executed, warnings, and failures that were not reported before."""
    text: Text = []
    for path, printed in outcome.output:
        for line in printed.splitlines():
            text += [("path", f"{file_name(path)} | "), ("", f"{line}\n")]
    for warning in outcome.warnings:
        text += _warning(warning, width)
    for failed in outcome.failures[:_MOST_FAILURES]:
        text += failure(failed, width)
    for failed in outcome.failures[_MOST_FAILURES:]:
        text += headed("error", "failed", f"{failed.place}  {failed.error.splitlines()[0]}", width)
    if len(outcome.failures) > _MOST_FAILURES:
        text.append(("bold", f"{len(outcome.failures)} files failed; errors() shows each in full\n"))
    for places in dict.fromkeys(outcome.held_back.values()):
        paths = [path for path, others in outcome.held_back.items() if others == places]
        message = f"{_listed(paths)} saved, but not live; still failing: {_listed(places)}; see errors()"
        text.append(("warning", wrapped(message, width)))
    return text


def stale(objects: Sequence[Stale], width: int) -> Text:
    """What the session holds that keeps the old code."""
    text: Text = []
    for item in objects[:_MOST_STALE]:
        text += headed("warning", "stale", f" {item.holder}: {item.why}", width)
    rest = objects[_MOST_STALE:]
    if rest:
        names = list(dict.fromkeys(re.split(r"[.\[( ]", item.holder)[0] for item in rest))
        more = f" and {len(names) - _MOST_NAMES} more names" if len(names) > _MOST_NAMES else ""
        listed = f"in {', '.join(names[:_MOST_NAMES])}{more}"
        text += headed("warning", "stale", f" {len(rest)} more objects keep the old code: {listed}", width)
    return text


def waiting(paths: Sequence[str], width: int) -> Text:
    """That files are gone or empty, which may be an editor saving, and still count."""
    if not paths:
        return []
    message = f"{_listed(paths)} missing or empty; the previous version is kept for one second"
    return [("warning", wrapped(message, width))]


def watched_files(reloader: Reloader, width: int) -> Text:
    """The files that are watched and what each is, a line a file."""
    states: dict[str, list[str]] = {}
    for path in reloader.plugin_files:
        count = counted(len(reloader.files.get(path, ())), "plugin")
        states[path] = ["failed" if path in reloader.failures else count]
    states |= {path: ["helper"] for path in reloader.helpers}
    for package in reloader.packages:
        for path in package.folders:  # of a single module it is the file, which may be a plugin file
            states.setdefault(path, []).append(followed(package))
    if not states:
        return asides(["no file is watched; start with bsrepl PATH"], width)
    lines = (headed("path", path, f" {', '.join(known)}", width) for path, known in states.items())
    return [part for line in lines for part in line]


def followed(package: FollowedPackage) -> str:
    """`under development, 21 of 83 modules imported`."""
    return f"under development, {package.imported} of {counted(package.modules, 'module')} imported"


def failure(failed: Failure, width: int) -> Text:
    """Where a plugin file failed, the error, the source line with a caret, a hint, and what was kept."""
    text = headed("error", "failed", f"{failed.place}  {failed.error}", width)
    if failed.source_line:
        text.append(("", f"    {failed.source_line}\n"))
        if failed.column is not None and failed.column <= len(failed.source_line):
            carets = "^" * max(1, min(failed.width, len(failed.source_line) - failed.column))
            text.append(("error", f"    {' ' * failed.column}{carets}\n"))
    if failed.hint:
        text += advice(failed.hint, width)
    if failed.group:
        others = f"  {counted(len(failed.group), 'more file')} of its group failed: {_listed(failed.group)}"
        text.append(("", wrapped(f"{others}; errors() shows each in full", width, "    ")))
    if failed.file != failed.path:
        text.append(("", f"  imported by {file_name(failed.path)}\n"))
    if failed.threads:
        running = f"  cannot be undone: it started {', '.join(failed.threads)}, still running"
        text.append(("warning", wrapped(running, width, "    ")))
    kept = f"kept the previous version: {_keys(failed.kept)}"
    lost = "nothing of it is registered; errors() shows the whole traceback"
    text.append(("", wrapped(f"  {kept if failed.kept else lost}", width, "    ")))
    return text


def undecorated(names: Mapping[str, Sequence[str]], width: int) -> Text:
    """The classes of files, by their paths, that look like passes and are no plugins."""
    text: Text = []
    for path, classes in names.items():
        hint = f"{', '.join(classes)} in {file_name(path)} has apply() and no decorator; write @transform above it"
        text += headed("warning", "hint", hint, width)
    return text


def _listed(paths: Sequence[str]) -> str:
    names = [file_name(path) for path in paths]
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more files"
    return ", ".join(names)


def _after(seconds: float | None) -> str:
    return "" if seconds is None else f"   {duration(seconds)}"


def _warning(warning: warnings.WarningMessage, width: int) -> Text:
    place = f"{file_name(warning.filename)}:{warning.lineno}"
    return headed("warning", "warning", f"{place}  {warning.message}", width)


def _keys(keys: Sequence[Key]) -> str:
    shown = ", ".join(map(str, keys[:6]))
    return f"{shown} and {len(keys) - 6} more" if len(keys) > 6 else shown
