"""Verdicts as styled text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...text.styled import Text, wrapped

if TYPE_CHECKING:
    from .verdict import Verdict

_OUTCOME_STYLES = {"OK": "added", "OK up to rounding": "added", "UNPROVEN": "warning"}


def verdict_lines(verdict: Verdict, width: int) -> Text:
    """Whether two models compute the same, and which shapes and datatypes are wrong since the change."""
    return [*warning_lines(verdict.contradictions, width), *verdict_text(verdict, width, "  ")]


def verdict_text(verdict: Verdict, width: int, indent: str = "") -> Text:
    """Whether two models compute the same, alone."""
    style = _OUTCOME_STYLES.get(verdict.outcome.value, "error")
    return [(style, wrapped(f"{indent}{verdict!r}", width, f"{indent}  "))]


def warning_lines(defects: Sequence[str], width: int) -> Text:
    """What is wrong with a model now, one a line."""
    return [("warning", wrapped(f"  ! {defect}", width, "    ")) for defect in defects]
