"""A verdict: what executing two models on the same inputs showed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from ...text.format import counted
from ...text.styled import Styled, Text

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Outcome(Enum):
    """What was shown, with the words for it."""

    OK = "OK"
    ROUNDING = "OK up to rounding"  # only values on a rounding edge of a quantiser differ
    DIFFERENT = "DIFFERENT"
    BROKEN = "BROKEN"  # the model could be executed before and cannot now
    UNPROVEN = "UNPROVEN"


_HEADLINES = {
    Outcome.OK: "OK  same outputs",
    Outcome.ROUNDING: "OK up to rounding",
    Outcome.DIFFERENT: "DIFFERENT  other outputs",
    Outcome.BROKEN: "BROKEN  it could be executed before and cannot now",
    Outcome.UNPROVEN: "UNPROVEN",
}


class Divergence(NamedTuple):
    """The first tensor that differs though all that it is computed from agrees."""

    before: str  # the tensor's name
    after: str
    node: str  # the node that produces it, or the rewrite: `MatMul MatMul_0`, `Relu Relu_0, now Elu`
    relative: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "tensor_before": self.before,
            "tensor_after": self.after,
            "node": self.node,
            "relative_difference": _finite(self.relative),
        }


@dataclass(frozen=True, repr=False)
class Verdict(Styled):
    """What executing two models on the same inputs showed. True if it was shown that they compute the same."""

    outcome: Outcome
    absolute: float = 0.0  # the largest difference of two values
    relative: float = 0.0  # that, relative to the largest magnitude of the output
    argmax_equal: bool | None = None  # None if no output has more than one value along its last axis
    probes: int = 0  # sets of inputs
    why: str = ""  # what differs besides the values, why it is broken, unproven, or no more than rounding
    notes: Sequence[str] = ()  # what else there is to know: outputs in another order, sizes that were tried
    first: Divergence | None = None
    inputs: Mapping[str, NDArray[Any]] = field(default_factory=dict, compare=False)  # on which they differ the most
    contradictions: Sequence[str] = ()  # shapes and datatypes that the values contradict since the change
    seconds: float = field(default=0.0, compare=False)  # that it took

    def __bool__(self) -> bool:
        return self.outcome in (Outcome.OK, Outcome.ROUNDING)

    @property
    def is_wrong(self) -> bool:
        """Whether it was shown that the models do not compute the same."""
        return self.outcome in (Outcome.DIFFERENT, Outcome.BROKEN)

    @property
    def short(self) -> str:
        """`OK rel 7e-08`, `BROKEN`"""
        measured = self.outcome in (Outcome.OK, Outcome.DIFFERENT)
        return f"{self.outcome.value} rel {self.relative:.0e}" if measured else self.outcome.value

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain JSON values; numbers that JSON does not have, as of outputs that are NaN, are None."""
        first = self.first
        return {
            "outcome": self.outcome.value,
            "agrees": bool(self),
            "summary": repr(self),
            "largest_difference": _finite(self.absolute),
            "relative_difference": _finite(self.relative),
            "same_argmax": self.argmax_equal,
            "input_sets": self.probes,
            "why": self.why,
            "notes": list(self.notes),
            "first": first and first.to_dict(),
            "contradictions": list(self.contradictions),
            "seconds": self.seconds,
        }

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import verdict_text

        return verdict_text(self, width)

    def __repr__(self) -> str:
        """`OK  same outputs: largest difference 4.9e-04 (relative 7e-08), same argmax, 4 inputs`"""
        headline = _HEADLINES[self.outcome]
        if self.outcome in (Outcome.BROKEN, Outcome.UNPROVEN):
            return "; ".join([f"{headline}: {self.why}", *self.notes])
        parts = [f"largest difference {self.absolute:.1e} (relative {self.relative:.0e})"]
        if self.argmax_equal is not None:
            parts.append("same argmax" if self.argmax_equal else "other argmax")
        parts.append(counted(self.probes, "input"))
        sentences = [f"{headline}: {', '.join(parts)}", *filter(None, [self.why]), *self.notes]
        if self.first is not None:
            first = self.first
            tensor = first.before if first.before == first.after else f"{first.before} (now {first.after})"
            sentences.append(f"first at {tensor}, from {first.node}: relative {first.relative:.0e}")
        return "; ".join(sentences)


def undecided(verdict: Verdict, reason: str) -> Verdict:
    """A verdict on outputs that differ, if it cannot be told whether that is rounding."""
    differ = f"the outputs differ by {verdict.absolute:.1e} (relative {verdict.relative:.0e})"
    return replace(verdict, outcome=Outcome.UNPROVEN, why=f"{differ}, {reason}")


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
