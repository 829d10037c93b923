"""Changes of models, and whether they still compute the same, as styled text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text import tracebacks
from ..text.columns import Importance
from ..text.format import duration
from ..text.styled import SIGN_STYLES, Text, fields, headed, table, tight, wrapped
from .proof.report import verdict_lines, warning_lines

if TYPE_CHECKING:  # importing them would load onnxruntime in sessions that do not need it
    from ..graphdiff.difference import Difference
    from .held import ModelChange
    from .history import Log
    from .model_diff import ModelDiff
    from .series import Series
    from .survey import Survey
    from .sweep import Sweep
    from .trace_result import Trace
    from .unasked import Proof
    from .watch import Watch

_MOST_LINES = 60  # of the lanes of a difference


def model_change(change: ModelChange, width: int, shows_time: bool = False) -> Text:
    """`m: LowerConvsToMatMul  mnist-conv   11 -> 17 nodes   2 rewrites, 9 untouched`, and the rewrites."""
    passes = ", ".join(change.passes[:3]) + (", ..." if len(change.passes) > 3 else "")
    subject = "  ".join(filter(None, (passes, change.label)))
    text = graph_change(f"{change.name}:", subject, change.difference, width)
    if not (change.difference or change.difference.is_renamed_only):
        text.append(("dim", "  nothing changed\n"))
    if shows_time and change.applied:
        text.append(("time", wrapped(f"  {_times(change)}", width, "    ")))
    return text + warning_lines(change.defects, width)


def graph_change(head: str, subject: str, difference: Difference, width: int) -> Text:
    """A heading with the numbers, and a line or two for what was removed, inserted and changed."""
    from ..graphdiff import words as graph_words  # only now: many sessions hold no model

    text = headed("bold", head, f"{subject}   {graph_words.headline(difference)}", width)
    for sign, line in graph_words.lines(difference):
        style = SIGN_STYLES.get(sign, "dim")
        text += [(style, f"  {sign} "), ("", wrapped(f"    {line}", width, "      ")[4:])]
    return text


def _times(change: ModelChange) -> str:
    """`apply 2.1 ms (apply returned False), cleanup 8.0 ms, diff 1.2 ms`"""
    apply = sum(application.apply for application in change.applied)
    cleanup = sum(application.cleanup for application in change.applied)
    returned = "" if any(application.claimed for application in change.applied) else " (apply returned False)"
    parts = (tight("apply", duration(apply)) + returned, tight("cleanup", duration(cleanup)))
    return ", ".join([*parts, tight("diff", duration(change.seconds))])


def proof_lines(proof: Proof, width: int) -> Text:
    """Whether a changed model computes the same as before."""
    if proof.verdict is None:
        waiting = "  the models are still being executed; the verdict comes later"
        return [("dim", wrapped(waiting, width, "    "))]
    return verdict_lines(proof.verdict, width)


def late_proof(proof: Proof, width: int) -> Text:
    """The same under a heading, for a proof that comes after the prompt."""
    change = proof.change
    subject = "  ".join(filter(None, (", ".join(change.passes[:3]), change.label)))
    return headed("bold", f"{change.name}:", subject, width) + proof_lines(proof, width)


def trace_table(trace: Trace, width: int) -> Text:
    """A pipeline as a table, a line for each pass, and how it ended."""
    rows = trace.table()
    names = list(rows[0])
    first = [names.index(name) for name in ("pass", "parity", "changed", "nodes") if name in names]
    importance = Importance([*first, *(position for position in range(len(names)) if position not in first)])
    style = "dim" if trace else "error"
    return table(rows, (), width, importance) + [(style, wrapped(line, width)) for line in trace.conclusion()]


def watch_result(watch: Watch, width: int, shows_time: bool) -> Text:
    """The last run of watched passes: what is different from the run before, and whether it is right."""
    run = watch.last
    if run.difference is None:
        where = tracebacks.place(run.trace.error) if run.trace.error is not None else ""
        failure = f"{run.trace.conclusion()[0]}{f' ({where})' if where else ''}"
        kept = "" if run.is_first else "; the last result is kept"
        return [*headed("error", "watch:", f"{failure}{kept}", width - 2)]  # ^C may stand before it
    if run.difference or run.is_first:
        subject = f"{watch.name}{'' if run.is_first else '  against the last result'}"
        text = graph_change("watch:", subject, run.difference, width)
    else:
        text = headed("bold", "watch:", f"{watch.name}   the same result as before", width)
    if shows_time:
        rows = [row for row in run.trace.rows if not row.depth]
        apply, cleanup = sum(row.apply for row in rows), sum(row.cleanup for row in rows)
        text.append(("dim", f"  apply {duration(apply)}, cleanup {duration(cleanup)}\n"))
    text += warning_lines([defect for row in run.trace.rows for defect in row.defects], width)
    return text + (verdict_lines(run.verdict, width) if run.verdict is not None else [])


def series_table(series: Series, width: int) -> Text:
    """The steps of a build as a table, a line for each, and the first one that is wrong."""
    styles = ["error" if step is series.first_wrong else "" for step in series]
    note_style = "dim" if series else "error"
    importance = Importance((1, 2, 0, 3, 4), elastic=4)  # the step and its verdict come first
    return table(series.rows(), series.conclusion(), width, importance, styles=styles, note_style=note_style)


def sweep_table(sweep: Sweep, width: int, shows_time: bool) -> Text:
    """What passes did to many models, a line for each, and how many fail."""
    styles = ["error" if row.is_failed else "" for row in sweep]
    note_style = "dim" if sweep else "error"
    rows = sweep.table(shows_time)
    elastic = rows[0].index("what changed") if "what changed" in rows[0] else None
    importance = Importance(range(len(rows[0])), elastic)  # the times are given up first
    return table(rows, sweep.conclusion(), width, importance, styles=styles, note_style=note_style)


def survey_table(survey: Survey, width: int) -> Text:
    """Which passes would change a model, a line for each, and the outcomes of the others."""
    rows = [(name, "  ".join(filter(None, rest))) for name, *rest in survey.rows()]
    return fields(rows, width, indent=0) + [("dim", wrapped(line, width)) for line in survey.conclusion()]


def history_table(log: Log, width: int, shows_time: bool) -> Text:
    """What commands did to models, a line for each, the last one last."""
    shown = 5 if shows_time else 4
    rows = [row[:shown] for row in (("before it", "verdict", "pass or command", "what changed", "time"), *log.rows())]
    return table(rows, (), width)


def model_diff(diff: ModelDiff, width: int, height: int | None = _MOST_LINES) -> Text:
    """The words of the difference, the verdict, and the lanes of what changed."""
    from ..drawing.report import difference_drawing

    text = diff_words(diff, width)
    lanes = difference_drawing(diff.difference, width, height) if diff else []
    return [*text, ("", "\n"), *lanes] if lanes else text


def diff_words(diff: ModelDiff, width: int) -> Text:
    """The words of a difference, and the verdict."""
    labels = [getattr(model, "model", model).graph.name for model in (diff.before, diff.after)]
    text = graph_change("diff:", " -> ".join(dict.fromkeys(filter(None, labels))), diff.difference, width)
    if diff.verdict is not None:
        text += verdict_lines(diff.verdict, width)
    return text if diff else [*text, ("dim", "  the graphs are the same\n")]
