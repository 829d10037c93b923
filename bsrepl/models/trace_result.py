"""The result of a pipeline of passes: a row for each pass, and how it ended."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..text.columns import columns
from ..text.format import duration
from ..text.styled import Styled, Text

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from ..graphdiff.difference import Difference
    from .proof.verdict import Verdict


class Row(NamedTuple):
    """The effect of one pass."""

    name: str
    depth: int  # 0, or more for a pass that another one applied
    claimed: bool | None  # whether `apply` returned True; None for a step
    difference: Difference | None  # None for a nested pass
    iterations: int
    apply: float  # seconds
    cleanup: float
    compare: float
    parity: Verdict | None  # None if the models were not executed
    defects: list[str]


class Culprit(NamedTuple):
    """A pass after which a model computes something else than before it."""

    before: ModelWrapper
    applied: Any
    after: ModelWrapper
    verdict: Verdict


class Trace(Styled):
    """The result of a pipeline. Prints as a table; true if every pass worked and none changed what is computed."""

    def __init__(self, model: ModelWrapper, passes: Sequence[Any], *, proves: bool) -> None:
        self.rows: list[Row] = []
        #: The model after the last pass that worked.
        self.model = model
        self.passes = len(passes)
        self.failed = ""  # the name of the pass that failed
        self.stopped_at: Any = None  # that pass
        self.error: BaseException | None = None
        self.culprit: Culprit | None = None  # the first pass that changed what is computed
        self.modules: set[str] = set()  # that define the passes, and the passes that these apply
        self.proves = proves  # whether models were to be executed
        self.whole: Verdict | None = None  # on the last model, compared with the first one
        self.blamed = ""  # the name of the first pass that changed what is computed, if it was searched for

    def __bool__(self) -> bool:
        is_wrong = any(row.parity is not None and row.parity.is_wrong for row in self.rows)
        return self.error is None and not is_wrong and not self.blamed

    def table(self) -> list[tuple[str, ...]]:
        """A heading and a row for each pass: changed, nodes, rewrites, parity, times; empty columns are left out."""
        rows = list(map(_cells, self.rows))
        used = [number for number in range(len(_HEADING)) if any(row[number] for row in rows) or not rows]
        return [tuple(row[number] for number in used) for row in (_HEADING, *rows)]

    def conclusion(self) -> list[str]:
        """The lines below the table: where it stopped, which pass is to blame, what is wrong now."""
        lines = []
        if self.error is not None:
            number = 1 + sum(not row.depth for row in self.rows if row.difference is not None)
            why = ": ".join(filter(None, (type(self.error).__name__, str(self.error))))
            lines.append(f"stopped at {self.failed}, pass {number} of {self.passes}: {why}")
            lines.append("trace.model is the model before that pass")
        if self.blamed:
            lines.append(f"{self.blamed} is the first pass after which the model computes something else")
        lines += [f"{row.name}: {row.parity!r}" for row in self.rows if row.parity is not None and not row.parity]
        lines += self._costs()
        lines += [f"{row.name}: {defect}" for row in self.rows for defect in row.defects]
        if self.whole is not None:
            lines.append(f"the last model, compared with the first one: {self.whole!r}")
        return lines + self._proven()

    def _costs(self) -> Iterator[str]:
        """A line for each pass that changed parameters, MACs or bit operations."""
        from ..graphdiff.words import cost_change

        for row in self.rows:
            if row.difference is not None and (change := cost_change(row.difference)):
                yield f"{row.name}: {change}"

    def _proven(self) -> list[str]:
        """A line that says what was proven."""
        rows = [row for row in self.rows if not row.depth]
        if not rows or not self.proves:
            return []
        verdicts = Counter(row.parity.outcome.value for row in rows if row.parity is not None)
        parts = [f"{count} {outcome}" for outcome, count in verdicts.items()]
        left = len(rows) - sum(verdicts.values())
        if left:
            parts.append(f"{left} not executed, as that takes over a second; parity=True executes all")
        return [f"proof of {len(rows)} {'pass' if len(rows) == 1 else 'passes'}: {', '.join(parts)}"]

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import trace_table

        return trace_table(self, width)

    def __repr__(self) -> str:
        width = shutil.get_terminal_size().columns
        lines = ["  ".join(cells).rstrip() for cells in columns(self.table(), width)]
        return "\n".join([*lines, *self.conclusion()])


_HEADING = ("pass", "changed", "nodes", "rewrites", "parity", "apply", "cleanup", "diff")


def _cells(row: Row) -> tuple[str, ...]:
    name = f"{'  ' * row.depth}{row.name}"
    if row.iterations > 1:
        name += f" x{row.iterations}"
    if row.difference is None:
        return name, "", "", "", "", duration(row.apply), duration(row.cleanup) if row.cleanup else "", ""
    changed = "yes" if row.difference else "renamed" if row.difference.is_renamed_only else "no"
    if row.claimed is not None and row.claimed is not bool(row.difference or row.difference.is_renamed_only):
        changed += f" (returned {row.claimed})"
    old, new = row.difference.old.node_count, row.difference.new.node_count
    nodes = str(new) if old == new else f"{old} -> {new}"
    rewrites = str(len(row.difference.rewrites) or "")
    cleanup = duration(row.cleanup) if row.claimed is not None else ""
    parity = "" if row.parity is None else row.parity.short
    return name, changed, nodes, rewrites, parity, duration(row.apply), cleanup, duration(row.compare)
