"""What happened to models, and whether they still compute the same, as styled text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..text import tracebacks
from ..text.columns import columns
from ..text.format import duration
from ..text.styled import Text, asides, headed, wrapped

if TYPE_CHECKING:  # importing them would bring onnxruntime into sessions that have no use for it
    from ..graphdiff.difference import Difference
    from .held import ModelChange
    from .proof import Proof
    from .survey import Survey
    from .trace_result import Trace
    from .verify import Verdict
    from .watch import Watch

_SIGN_STYLES = {"+": "added", "~": "changed", "-": "removed"}


def model_change(change: ModelChange, width: int, shows_time: bool = False) -> Text:
    """`m: LowerConvsToMatMul  mnist-conv   11 -> 17 nodes   2 rewrites, 9 untouched`, and what they are."""
    passes = ", ".join(change.passes[:3]) + (", ..." if len(change.passes) > 3 else "")
    said = "  ".join(filter(None, (passes, change.label)))
    text = graph_change(f"{change.name}:", said, change.difference, width)
    if shows_time and change.applied:
        text.append(("time", wrapped(f"  {_taken(change)}", width, "    ")))
    return text + findings(change.findings, width)


def graph_change(head: str, said: str, difference: Difference, width: int) -> Text:
    """A heading with the numbers, and a line or two for what was removed, inserted and changed."""
    from ..graphdiff import words as graph_words  # only now: many sessions hold no model

    text = headed("bold", head, f"{said}   {graph_words.headline(difference)}", width)
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


def watch(on: Watch, width: int, shows_time: bool) -> Text:
    """What watched passes did when they ran last: what is different from the run before, and whether it is right."""
    run = on.last
    if run.difference is None:
        where = tracebacks.place(run.trace.error) if run.trace.error is not None else ""
        said = f"{run.trace.conclusion()[0]}{f' ({where})' if where else ''}"
        kept = "" if run.is_first else "; the last result is kept"
        return [*headed("error", "watch:", f"{said}{kept}", width)]
    if run.difference or run.is_first:
        head = f"{on.name}{'' if run.is_first else '  against the last result'}"
        text = graph_change("watch:", head, run.difference, width)
    else:
        text = headed("bold", "watch:", f"{on.name}   the same result as before", width)
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
