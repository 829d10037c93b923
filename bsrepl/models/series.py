"""The models that the steps of a build left: what each step did, and whether the outputs still agree."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..text.columns import cut
from ..text.styled import StyledSequence, Text
from .collection import model_name

if TYPE_CHECKING:
    from ..graphdiff.difference import Difference
    from .model_diff import ModelDiff
    from .proof.verdict import Verdict

_LONGEST = 40  # characters of what changed, in the table
_BAD = "!"  # marks the first step that is wrong


class Step(NamedTuple):
    """A model of a series."""

    name: str
    changes: str  # since the step before: `11 -> 17 nodes, 2 rewrites`
    graph: dict[str, Any]  # the same as plain JSON values; empty for the first step
    verdict: Verdict | None  # compared with the step before; None if the graph is the same
    whole: Verdict | None  # compared with the first step

    @property
    def is_wrong(self) -> bool:
        """Whether it computes something else than the step before or the first."""
        return any(verdict.is_wrong for verdict in (self.verdict, self.whole) if verdict is not None)

    def to_dict(self) -> dict[str, Any]:
        verdicts = {"verdict": self.verdict, "against_first": self.whole}
        plain = {key: None if verdict is None else verdict.to_dict() for key, verdict in verdicts.items()}
        return {"name": self.name, "changes": self.changes, **plain, "graph": self.graph}


_RENAMED = "renamed only"


class Series(StyledSequence[Step]):
    """The steps of a series, the first one first. True if none was shown to be wrong. Prints as a table."""

    def __init__(self, steps: Sequence[Step], warned: Sequence[str] = ()) -> None:
        super().__init__(steps)
        self._warned = warned  # of what opening the models warned: `lower.onnx has ops of ...`

    def __bool__(self) -> bool:
        return self.first_wrong is None

    @property
    def first_wrong(self) -> Step | None:
        """The first step that computes something else than the one before it or the first one."""
        return next((step for step in self if step.is_wrong), None)

    @property
    def has_changes(self) -> bool:
        """Whether a step changed the graph; names do not count."""
        return any(step.changes not in ("", _RENAMED) for step in self)

    @property
    def verdicts(self) -> list[Verdict]:
        return [verdict for step in self for verdict in (step.verdict, step.whole) if verdict is not None]

    def to_dict(self) -> dict[str, Any]:
        """`{"steps": [{"name", "changes", "verdict", "against_first", "graph"}], "first_wrong": NAME or None}`."""
        wrong = self.first_wrong
        return {"steps": [step.to_dict() for step in self], "first_wrong": wrong.name if wrong else None}

    def rows(self) -> list[tuple[str, ...]]:
        """A heading and a row for each step: a mark, its name, the verdicts, what changed."""
        rows: list[tuple[str, ...]] = [("", "step", "step before", "first step", "what changed")]
        for number, step in enumerate(self):
            verdicts = (_short(step.verdict), _short(step.whole)) if number else ("", "")
            changes = (cut(step.changes, _LONGEST) or "nothing") if number else ""
            rows.append((_BAD if step is self.first_wrong else "", step.name, *verdicts, changes))
        return rows

    def conclusion(self) -> list[str]:
        """The lines below the table: the first step that is wrong, and the verdicts that prove nothing."""
        lines = []
        if (wrong := self.first_wrong) is not None:
            other, verdict = ("step before", wrong.verdict)
            if verdict is None or not verdict.is_wrong:
                other, verdict = ("first step", wrong.whole)
            lines.append(f"{_BAD} {wrong.name} is the first that is wrong, beside the {other}: {verdict!r}")
        reasons: dict[str, list[str]] = {}
        for step in self:
            if step.verdict is not None and not step.verdict and not step.verdict.is_wrong:
                reasons.setdefault(self._reason(step.verdict), []).append(step.name)
        for warning in self._warned:
            name, _, what = warning.partition(" ")
            reasons.setdefault(what, []).append(name.rstrip(":"))
        return lines + [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]

    def _reason(self, verdict: Verdict) -> str:
        """What a verdict says, the same for all models that it says it of."""
        reason = repr(verdict)
        for step in self:
            reason = reason.replace(f" {step.name} has ", " a model has ")
        return reason

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import series_table

        return series_table(self, width)

    def __repr__(self) -> str:
        return "\n".join(["  ".join(row).rstrip() for row in self.rows()] + self.conclusion())


def series(
    sources: Sequence[Any], diff: Callable[[Any, Any], ModelDiff], progress: Callable[[int, str], None]
) -> Series:
    """Compares each model with the one before it and with the first. `diff` compares two models.

    `progress` is called with the number of models compared so far and the name of the last one.
    """
    steps: list[Step] = []
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        for number, source in enumerate(sources):
            steps.append(_step(steps, sources, number, diff))
            progress(number + 1, model_name(source))
    return Series(steps, list(dict.fromkeys(str(message.message) for message in messages)))


def _step(earlier: Sequence[Step], sources: Sequence[Any], number: int, diff: Callable[[Any, Any], ModelDiff]) -> Step:
    name = model_name(sources[number])
    if not number:
        return Step(name, "", {}, None, None)
    compared = diff(sources[number - 1], sources[number])
    whole = compared.verdict if number == 1 else earlier[-1].whole
    if compared and number > 1:
        whole = diff(sources[0], sources[number]).verdict
    return Step(name, _changes(compared.difference), compared.to_dict()["graph"], compared.verdict, whole)


def _changes(difference: Difference) -> str:
    from ..graphdiff.words import headline, in_short

    if difference.is_renamed_only:
        return _RENAMED
    return (in_short(difference) or headline(difference)) if difference else ""


def _short(verdict: Verdict | None) -> str:
    return "same graph" if verdict is None else verdict.short
