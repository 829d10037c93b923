"""Why a plugin file failed: where, what, the source line, and what was kept."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..errors import PluginFileError
from ..registry.plugin import Key
from ..text.format import file_name


@dataclass(frozen=True)
class Failure:
    """Why the last attempt to execute a file does not count. Holds no frame and no exception, only text."""

    path: str  # the file whose attempt it was
    file: str  # where the error stands: that file, or one that it imports
    line: int | None
    error: str  # type and message
    source_line: str = ""
    column: int | None = None  # of the caret under the source line, from 0
    width: int = 1  # of the caret
    kept: tuple[Key, ...] = ()  # the plugins whose previous version stays
    taken: frozenset[Key] = frozenset()  # the names it claims that other files have
    hint: str | None = None  # what to write instead
    threads: tuple[str, ...] = ()  # those that it started and that still run: they cannot be undone
    group: tuple[str, ...] = field(default=(), compare=False)  # where other files of its group fail
    trace: str = field(default="", compare=False)  # the whole traceback, from the plugin file down

    @property
    def place(self) -> str:
        return file_name(self.file) + (f":{self.line}" if self.line else "")


def failure(
    path: str,
    error: BaseException,
    ours: Iterable[str],
    *,
    kept: Iterable[Key] = (),
    taken: Iterable[Key] = (),
    hint: str | None = None,
    threads: Iterable[str] = (),
) -> Failure:
    """Describes an exception that executing `path` raised; `ours` are the files that can be to blame."""
    summary = traceback.TracebackException.from_exception(error, compact=True)
    blamed = {path, *ours}
    column: int | None = None
    width = 1
    if isinstance(error, SyntaxError) and error.filename in blamed:
        file, line, text = error.filename, error.lineno, error.text or ""
        column = (error.offset or 1) - 1
        if error.end_lineno == line and error.end_offset and error.end_offset > (error.offset or 1):
            width = error.end_offset - (error.offset or 1)
        message = f"{type(error).__name__}: {error.msg}"
    else:
        frames = [frame for frame in summary.stack if frame.filename in blamed]
        file = frames[-1].filename if frames else path
        line = frames[-1].lineno if frames else getattr(error, "line", None)
        text = linecache.getline(file, line) if frames and line else ""
        column, width = _span(frames[-1], text) if frames else (None, 1)
        message = str(error) if isinstance(error, PluginFileError) else _message(summary)
    indent = len(text) - len(text.lstrip())
    return Failure(
        path=path,
        file=file or path,
        line=line,
        error=message,
        source_line=text.strip(),
        column=None if column is None else max(column - indent, 0),
        width=width,
        kept=tuple(kept),
        taken=frozenset(taken),
        hint=hint,
        threads=tuple(threads),
        trace=_trace(summary, blamed),
    )


def one_per_group(
    new: Iterable[Failure], failures: Mapping[str, Failure], groups: Mapping[str, frozenset[str]]
) -> list[Failure]:
    """The failures to tell: of each group the first new one, with where other files of the group fail.

    `failures` are all that count, and `groups` the files that failed together, each by its path.
    """
    first: dict[frozenset[str], Failure] = {}
    for failed in new:
        if failures.get(failed.path) == failed:
            first.setdefault(groups[failed.path], failed)
    return [replace(failed, group=_places(group - {failed.path}, failures)) for group, failed in first.items()]


def held_back(
    saved: Iterable[str],
    reported: Iterable[Failure],
    failures: Mapping[str, Failure],
    groups: Mapping[str, frozenset[str]],
) -> dict[str, tuple[str, ...]]:
    """The files that were saved and do not count, since others of their groups go on failing; with where those do.

    What is `reported` says so itself.
    """
    known = {groups[failed.path] for failed in reported}
    waiting = [path for path in sorted(saved) if path in groups and path not in failures]
    return {path: _places(groups[path], failures) for path in waiting if groups[path] not in known}


def waits(path: str, group: Iterable[str], failures: Mapping[str, Failure]) -> PluginFileError:
    """Why a file that was executed for an importer does not count: others of its group fail, as they did before."""
    causes = [failed for other, failed in failures.items() if other in group and other != path]
    because = f": {causes[0].place} {causes[0].error}" if causes else ""
    return PluginFileError(
        f"{file_name(path)} was not loaded, since a file that it imports or that imports it failed{because}"
    )


def _places(paths: Iterable[str], failures: Mapping[str, Failure]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(failures[path].place for path in sorted(paths) if path in failures))


def _span(frame: traceback.FrameSummary, text: str) -> tuple[int | None, int]:
    """Where in its line a frame was, in characters, as far as this Python knows (from 3.11 on)."""
    start, end = getattr(frame, "colno", None), getattr(frame, "end_colno", None)
    if start is None or end is None or getattr(frame, "end_lineno", None) != frame.lineno:
        return None, 1
    encoded = text.encode()
    column = len(encoded[:start].decode(errors="replace"))
    return column, max(len(encoded[start:end].decode(errors="replace")), 1)


def _message(summary: traceback.TracebackException) -> str:
    return "".join(summary.format_exception_only()).strip()


def _trace(summary: traceback.TracebackException, blamed: set[str]) -> str:
    """The traceback without the frames that only led to the file."""
    first = next((n for n, frame in enumerate(summary.stack) if frame.filename in blamed), len(summary.stack))
    summary.stack[:] = summary.stack[first:]
    return "".join(summary.format())
