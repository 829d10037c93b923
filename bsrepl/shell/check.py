"""The report of `--check`: what each plugin file registers, or why it fails; which step of a lesson does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..registry.plugin import Plugin
from ..reload import report as reload_report
from ..reload.failure import Failure
from ..reload.outcome import Report
from ..reload.reloader import Reloader
from ..teach import lesson_text
from ..teach.guide import Problem
from ..teach.lesson import Lesson
from ..text.format import counted, safe_repr
from ..text.styled import Text


class Played(NamedTuple):
    """A lesson that was played by itself."""

    path: str
    lesson: Lesson | None  # None if the file is none
    problems: Sequence[Problem] = ()
    error: str = ""  # why it is none

    @property
    def ok(self) -> bool:
        return self.lesson is not None and not self.problems


def is_ok(reloader: Reloader, lessons: Sequence[Played]) -> bool:
    """Whether nothing fails."""
    return not reloader.failures and all(played.ok for played in lessons)


def as_text(reloader: Reloader, report: Report, lessons: Sequence[Played], width: int) -> Text:
    """A line for each lesson and each file, what its plugins are, and the failures in full."""
    text: Text = []
    for played in lessons:
        if played.lesson is None:
            text += [("error", "failed"), ("", f" {played.error}\n")]
        else:
            text += lesson_text.check_report(played.lesson, played.problems, width)
    if lessons and not reloader.plugin_files:
        return text
    text += reload_report.problems(report, width)
    for path, plugins in sorted(reloader.files.items()):
        if path not in reloader.failures:
            text += [("added", "ok"), ("", f" {path}  {', '.join(str(plugin.key) for plugin in plugins)}\n")]
    failed = len(reloader.failures)
    total = len(reloader.plugin_files)
    text.append(("error" if failed else "bold", f"{counted(total, 'plugin file')}, {failed} failed\n"))
    return text


def as_json(reloader: Reloader, report: Report, lessons: Sequence[Played]) -> str:
    """`{"ok": ..., "files": [{"path", "ok", "plugins", "error"}], "lessons": [...], "warnings": [...]}`.

    A lesson is `{"path", "ok", "steps", "results": [{"step", "title", "line", "ok", "messages"}], "problems": [{"step",
    "line", "message"}], "error"}`; the messages of a step say what came instead.
    """
    files = []
    live = reloader.files
    for path in sorted({*reloader.plugin_files, *live, *reloader.failures}):
        failed = reloader.failures.get(path)
        files.append(
            {
                "path": path,
                "ok": failed is None and path in live,
                "plugins": [_plugin(plugin) for plugin in live.get(path, ())],
                "error": _failure(failed) if failed else None,
            }
        )
    warned = [
        {"file": warning.filename, "line": warning.lineno, "message": str(warning.message)}
        for warning in report.warnings
    ]
    whole = {"ok": is_ok(reloader, lessons), "files": files, "lessons": list(map(_lesson, lessons)), "warnings": warned}
    return json.dumps(whole, indent=2)


def _lesson(played: Played) -> dict[str, Any]:
    return {
        "path": played.path,
        "ok": played.ok,
        "steps": len(played.lesson.steps) if played.lesson is not None else 0,
        "results": _results(played),
        "problems": [
            {"step": problem.number, "line": problem.step.line, "message": problem.message}
            for problem in played.problems
        ],
        "error": played.error or None,
    }


def _results(played: Played) -> list[dict[str, Any]]:
    """Of each step, whether it holds."""
    results: list[dict[str, Any]] = []
    title = ""
    for number, step in enumerate(played.lesson.steps if played.lesson is not None else (), 1):
        title = step.title or title
        messages = [problem.message for problem in played.problems if problem.number == number]
        results.append({"step": number, "title": title, "line": step.line, "ok": not messages, "messages": messages})
    return results


def _plugin(plugin: Plugin) -> dict[str, Any]:
    return {
        "kind": plugin.kind,
        "name": plugin.name,
        "framework": plugin.framework,
        "line": plugin.origin.line,
        "metadata": {field: _plain(value) for field, value in plugin.metadata.items()},
    }


def _failure(failed: Failure) -> dict[str, Any]:
    return {"file": failed.file, "line": failed.line, "message": failed.error, "source": failed.source_line}


def _plain(value: Any) -> Any:
    """A metadata value as JSON has it; what JSON has no word for as its repr."""
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return safe_repr(value)
