"""Every value that the shell prints, as styled text: the only place that knows words, columns and widths.

Styled text is a list of (style, text) pairs. Colour never carries meaning alone, and all of it is ASCII but for what
the user wrote. The board, which is larger than the rest together, is in `board_text.py`.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os.path import basename
from typing import TYPE_CHECKING

from . import tracebacks
from .changes import Change, between
from .counted import counted, duration
from .failure import Failure
from .installed import Report as Installation
from .models import ModelChange
from .namespaces import Listing, summary
from .pipeline import Trace
from .plugin import BRAINSMITH, KINDS, NAMESPACES, Key
from .rebind import Stale
from .registry import Snapshot
from .reload import Report
from .table import columns, cut

if TYPE_CHECKING:
    from .graphdiff import Difference
    from .proof import Proof
    from .rerun import Watch
    from .survey import Survey
    from .verify import Verdict

#: (style, text) pairs; the styles are those of `terminal.STYLES`.
Text = list[tuple[str, str]]

_SIGN_STYLES = {"+": "added", "~": "changed", "-": "removed"}
PLURALS = {"transform": "transforms", "kernel": "kernels", "backend": "backends", "step": "steps"}
_MOST_FAILURES = 5  # that are told in full at once
_MOST_CHANGES = 40  # lines; `changes()` has them all


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
        text += _headed("error", "failed", f"{failed.place}  {failed.error.splitlines()[0]}", width)
    if len(told.failures) > _MOST_FAILURES:
        text.append(("bold", f"{len(told.failures)} files failed; errors() tells of each in full\n"))
    return text


def stale(found: Sequence[Stale], width: int) -> Text:
    """What the session holds that stays as it was made."""
    text: Text = []
    for each in found:
        text += _headed("warning", "stale", f"{each.holder}  {each.why}; make it anew", width)
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
    return _headed("warning", "warning", f"{place}  {warning.message}", width)


def _headed(style: str, head: str, said: str, width: int) -> Text:
    """A styled word and what it is about, wrapped between words and indented below the first line."""
    return [(style, head), ("", wrapped(f"{head} {said}", width)[len(head) :])]


def wrapped(said: str, width: int, indent: str = "  ") -> str:
    """The lines of a text, each wrapped between words; a word that is longer than a line is left whole."""
    wrapped: list[str] = []
    for number, line in enumerate(said.splitlines() or [""]):
        begin = indent if number else ""
        wrapped += textwrap.wrap(
            line,
            max(width, 20),
            initial_indent=begin,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        ) or [""]
    return "\n".join(wrapped) + "\n"


def failure(failed: Failure, width: int) -> Text:
    """Where a plugin file failed, the error, the source line with a caret, and what was kept."""
    text = _headed("error", "failed", f"{failed.place}  {failed.error}", width)
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


def asides(said: Sequence[str], width: int) -> Text:
    """What was done on the way."""
    return [("dim", wrapped("; ".join(said), width))] if said else []


def advice(hint: str, width: int) -> Text:
    """What to write instead of what failed."""
    return _headed("warning", "hint", hint, width)


def _keys(keys: Sequence[Key]) -> str:
    shown = ", ".join(map(str, keys[:6]))
    return f"{shown} and {len(keys) - 6} more" if len(keys) > 6 else shown


def registry_changes(
    changes: Sequence[Change], before: Snapshot, after: Snapshot, width: int, seconds: float | None = None
) -> Text:
    """A line for each change, and one with the counts."""
    shown = changes[:_MOST_CHANGES]
    text = change_lines(shown, width)
    if len(changes) > len(shown):
        text.append(("dim", f"  and {len(changes) - len(shown)} more; changes() lists them all\n"))
    return text + counts(before, after, width, "" if seconds is None else f"reload {duration(seconds)}")


def change_lines(changes: Sequence[Change], width: int) -> Text:
    """`+ tfm.CustomOptimizer  stage=optimization  plugin_example.py:3`, aligned; details below if narrow."""
    text: Text = []
    rows = [(change, str(change.plugin.key), _details(change), _place(change)) for change in changes]
    widest = max((len(name) for _, name, _, _ in rows), default=0)
    details_widest = max((len(details) for _, _, details, _ in rows), default=0)
    aligned = 2 + widest + 2 + details_widest + 2 + max((len(place) for *_, place in rows), default=0) <= width
    for change, name, details, place in rows:
        style = _SIGN_STYLES[change.sign]
        one_line = 2 + len(name) + 2 + (len(details) + 2 if details else 0) + len(place) <= width
        if aligned:
            middle = f"{details.ljust(details_widest)}  " if details_widest else ""
            text += [(style, f"{change.sign} {name.ljust(widest)}"), ("", f"  {middle}")]
            text += [("path", place), ("", "\n")]
        elif one_line or not details:
            text += [(style, f"{change.sign} {name}"), ("", f"  {details}  " if details else "  ")]
            text += [("path", place), ("", "\n")]
        else:
            text += [
                (style, f"{change.sign} {name}"),
                ("", "  "),
                ("path", place),
                ("", f"\n    {details}\n"),
            ]
    return text


def _details(change: Change) -> str:
    if change.sign == "+":
        return summary(change.plugin)
    return ", ".join(change.details)


def _place(change: Change) -> str:
    origin = change.plugin.origin
    return basename(origin.file) if change.sign == "-" else str(origin)


def counts(before: Snapshot, after: Snapshot, width: int, timing: str = "") -> Text:
    """`transforms 64 -> 65   kernels 14   backends 0   steps 6          reload 3.1 ms`"""
    parts = [_count(kind, before.count(kind), after.count(kind)) for kind in KINDS]
    line = "  " + "   ".join(parts)
    if len(line) > width:  # only what changed, or on lines of their own
        parts = [part for part in parts if "->" in part] or parts
        line = (
            "\n".join(f"  {part}" for part in parts)
            if sum(map(len, parts)) + 3 * len(parts) > width
            else ("  " + "   ".join(parts))
        )
    if not timing:
        return [("dim", f"{line}\n")]
    last = len(line.rpartition("\n")[2])
    gap = max(min(width, 100) - last - len(timing), 3)
    joint = "\n  " if last + 3 + len(timing) > width else " " * gap
    return [("dim", f"{line}{joint}{timing}\n")]


def _count(kind: str, before: int, after: int) -> str:
    numbers = str(after) if before == after else f"{before} -> {after}"
    return f"{PLURALS[kind]} {numbers}"


def value(text: str, cut_off: str) -> Text:
    """A value, and what was cut off it."""
    note = f"... {cut_off}; _ holds all of it\n"
    return [("", f"{text}\n"), *([("dim", note)] if cut_off else [])]


def listing(found: Listing, width: int) -> Text:
    """The plugins that were found, as a table."""
    text: Text = [] if found else [("warning", f"{found.otherwise}\n")]
    for cells in columns(found.rows(), width):
        styled = zip(("bold", "", "path"), cells, strict=False)
        text += [part for style, cell in styled for part in ((style, cell), ("", "  "))]
        text[-1] = ("", "\n")
    return text + ([("warning", f"{found.note}\n")] if found.note else [])


def framework(told: Installation, width: int) -> Text:
    """A framework: its name and version, how much it brings, where it is, what is unavailable, who publishes it."""
    head = f"{told.name} {told.version}" if told.version else told.name
    numbers = ", ".join(counted(count, kind) for kind, count in told.counts.items()) or "nothing yet"
    text = _headed("bold", head, numbers, width)
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


def model_change(change: ModelChange, width: int, shows_time: bool = False) -> Text:
    """`m: LowerConvsToMatMul  mnist-conv   11 -> 17 nodes   2 rewrites, 9 untouched`, and what they are."""
    passes = ", ".join(change.passes[:3]) + (", ..." if len(change.passes) > 3 else "")
    said = "  ".join(filter(None, (passes, change.label)))
    text = graph_change(f"{change.name}:", said, change.difference, width)
    if shows_time and change.applied:
        text.append(("dim", wrapped(f"  {_taken(change)}", width, "    ")))
    return text + findings(change.findings, width)


def graph_change(head: str, said: str, difference: Difference, width: int) -> Text:
    """A heading with the numbers, and a line or two for what was removed, inserted and changed."""
    from . import graph_words  # only now: many sessions hold no model

    text = _headed("bold", head, f"{said}   {graph_words.headline(difference)}", width)
    for sign, line in graph_words.lines(difference):
        style = _SIGN_STYLES.get(sign, "dim")
        text += [(style, f"  {sign} "), ("", wrapped(f"    {line}", width, "      ")[4:])]
    return text


def _taken(change: ModelChange) -> str:
    """`apply 2.1 ms (says no change), cleanup 8.0 ms, diff 1.2 ms`"""
    claims = any(each.claimed for each in change.applied)
    apply, cleanup = (
        sum(times) for times in zip(*((each.apply, each.cleanup) for each in change.applied), strict=True)
    )
    said = "" if claims else " (says no change)"
    return f"apply {duration(apply)}{said}, cleanup {duration(cleanup)}, diff {duration(change.seconds)}"


def findings(found: Sequence[str], width: int) -> Text:
    """What is wrong with a model now."""
    return [("warning", wrapped(f"  ! {finding}", width, "    ")) for finding in found]


def proof(proven: Proof, width: int) -> Text:
    """Whether a model computes what it did before, and what is written on it that is not so."""
    if proven.verdict is None:
        return asides([f"  not verified: {proven.why_not}"], width)
    return findings(proven.findings, width) + verdict(proven.verdict, width)


def verdict(found: Verdict, width: int) -> Text:
    """Whether two models compute the same."""
    return [("added" if found else "error", wrapped(f"  {found!r}", width, "    "))]


def trace(done: Trace, width: int) -> Text:
    """A pipeline as a table, a line for each pass, and how it ended."""
    heading, *rows = columns(done.table(), width)
    text: Text = [("bold", "  ".join(heading).rstrip() + "\n")]
    text += [("", "  ".join(cells).rstrip() + "\n") for cells in rows]
    style = "dim" if done else "error"
    return text + [(style, wrapped(said, width)) for said in done.conclusion()]


def workbench_value(value: object, width: int, shows_time: bool) -> Text | None:
    """What `watch` and `passes` give, as text; None of anything else."""
    # By name: importing the classes would bring onnxruntime into sessions that have no use for it.
    kind = f"{type(value).__module__}.{type(value).__name__}"
    if kind == f"{__package__}.rerun.Watch":
        return watch(value, width, shows_time)  # type: ignore[arg-type]
    if kind == f"{__package__}.survey.Survey":
        return survey(value, width)  # type: ignore[arg-type]
    return None


def watch(on: Watch, width: int, shows_time: bool) -> Text:
    """What watched passes did when they ran last: what is different from the run before, and whether it is right."""
    run = on.last
    if run.difference is None:
        where = tracebacks.place(run.trace.error) if run.trace.error is not None else ""
        said = f"{run.trace.conclusion()[0]}{f' ({where})' if where else ''}"
        kept = "" if run.is_first else "; the last result is kept"
        return [*_headed("error", "watch:", f"{said}{kept}", width)]
    if run.difference or run.is_first:
        head = f"{on.name}{'' if run.is_first else '  against the last result'}"
        text = graph_change("watch:", head, run.difference, width)
    else:
        text = _headed("bold", "watch:", f"{on.name}   the same result as before", width)
    if shows_time:
        rows = [row for row in run.trace.rows if not row.depth]
        times = (sum(row.apply for row in rows), sum(row.cleanup for row in rows))
        text.append(("dim", f"  apply {duration(times[0])}, cleanup {duration(times[1])}\n"))
    text += findings([each for row in run.trace.rows for each in row.findings], width)
    return text + (proof(run.proof, width) if run.proof is not None else [])


def survey(done: Survey, width: int) -> Text:
    """Which passes would change a model: a line for each, and what came of the others."""
    text: Text = []
    for cells in columns(done.rows(), width) if done.rows() else ():
        text += [("bold", cells[0]), ("", "  " + "  ".join(cells[1:]).rstrip() + "\n")]
    return text + [("dim", wrapped(said, width)) for said in done.conclusion()]


def progress(done: int, total: int, name: str, width: int) -> Text:
    """`12 of 65  tfm.qonnx.FoldConstants`, on a line of its own that the next one takes the place of."""
    return [] if done == total else [("dim", cut(f"{done} of {total}  {name}", width - 1))]


def fields(found: Sequence[tuple[str, str]], width: int) -> Text:
    """Named values, one a line, the names aligned; a long value goes on below, under its beginning."""
    indent = max((len(name) for name, _ in found), default=0) + 4
    text: Text = []
    for name, value in found:
        lines = textwrap.wrap(value, max(width - indent, 16), break_long_words=False, break_on_hyphens=False) or ["-"]
        text += [
            ("bold", f"  {name.ljust(indent - 4)}"),
            ("", "  " + ("\n" + " " * indent).join(lines) + "\n"),
        ]
    return text


def help_page(commands: Mapping[str, str]) -> Text:
    """What the shell preloads, and a line on each of its commands."""
    text: Text = [("bold", "Plugins\n"), ("", _REACHING), ("bold", "Commands\n")]
    widest = max(map(len, commands), default=0)
    for name, said in commands.items():
        text += [("path", f"  {name}()".ljust(widest + 6)), ("", f"{said}\n")]
    return [*text, ("bold", "Besides Python\n"), ("", _SYNTAX)]


_REACHING = """\
  tfm, kernels, backends, steps    tfm.FoldConstants, tfm["qonnx:FoldConstants"], tfm.qonnx.FoldConstants
  find, all                        tfm.find(stage="cleanup"), tfm.find("identity"), kernels.all()
  for_kernel                       backends.for_kernel("MVAU"), its default, and what is missing
  transform, kernel, backend, step, kernel_inference, framework_transform, plugin, register_op    the decorators
"""
_SYNTAX = """\
  x?  show(x)    x??  source(x)    !command  the system shell    command;  its value is not shown
"""


def timing(seconds: float) -> Text:
    return [("dim", f"{duration(seconds)}\n")]


def banner(snapshot: Snapshot, version: str, watched: int, width: int) -> Text:
    """What a session begins with."""
    numbers = ", ".join(f"{snapshot.count(kind)} {PLURALS[kind]}" for kind in KINDS if snapshot.count(kind))
    files = f"; {counted(watched, 'plugin file')} watched" if watched else ""
    names = f"{', '.join(NAMESPACES.values())} are there; help() lists what else is."
    return [*_headed("bold", f"bsrepl {version}", f" {numbers}{files}", width), ("dim", wrapped(names, width, ""))]


def status_bar(
    snapshot: Snapshot, *, watched: int, failing: Sequence[Failure], last_reload: float | None, mode: str, width: int
) -> Text:
    """One line: the editing mode, what fails, the counts, the files and the last reload, as there is room for it."""
    parts: Text = [("status", f" {mode} ")] if mode else []
    if failing:
        parts.append(("status.failing", f" {len(failing)} failing: {failing[0].place} "))
    parts.append(("status", " " + " ".join(f"{NAMESPACES[kind]} {snapshot.count(kind)}" for kind in KINDS) + " "))
    if watched:
        parts.append(("status", f" {counted(watched, 'file')} watched "))
    if last_reload is not None:
        parts.append(("status", f" reload {duration(last_reload)} "))
    while len(parts) > 1 and sum(len(text) for _, text in parts) > width:
        parts.pop()
    return [(style, cut(text, width)) for style, text in parts]


def plain(text: Iterable[tuple[str, str]]) -> str:
    return "".join(part for _, part in text)
