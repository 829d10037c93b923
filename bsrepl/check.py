"""The report of `--check`: what each plugin file registers, or why it fails."""

from __future__ import annotations

import json
from typing import Any

from . import render
from .failure import Failure
from .plugin import Plugin
from .reload import Reloader, Report
from .safe_repr import safe_repr


def as_text(reloader: Reloader, report: Report, width: int) -> render.Text:
    """A line for each file, what its plugins are, and the failures in full."""
    text = render.problems(report, width)
    for path, loaded in sorted(reloader.loaded.items()):
        if path not in reloader.failures:
            plugins = loaded.plugins
            text += [("added", "ok"), ("", f" {path}  {', '.join(str(plugin.key) for plugin in plugins)}\n")]
    failed = len(reloader.failures)
    total = len(reloader.plugin_files)
    text.append(("error" if failed else "bold", f"{total} plugin files, {failed} failed\n"))
    return text


def as_json(reloader: Reloader, report: Report) -> str:
    """`{"ok": ..., "files": [{"path", "ok", "plugins", "error"}], "warnings": [...]}`."""
    files = []
    for path in sorted({*reloader.plugin_files, *reloader.loaded, *reloader.failures}):
        failed = reloader.failures.get(path)
        loaded = reloader.loaded.get(path)
        files.append(
            {
                "path": path,
                "ok": failed is None and loaded is not None,
                "plugins": [_plugin(plugin) for plugin in loaded.plugins] if loaded else [],
                "error": _failure(failed) if failed else None,
            }
        )
    said = [{"file": each.filename, "line": each.lineno, "message": str(each.message)} for each in report.warnings]
    return json.dumps({"ok": not reloader.failures, "files": files, "warnings": said}, indent=2)


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
        return [_plain(each) for each in value]
    return safe_repr(value)
