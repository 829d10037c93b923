"""Two models beside each other: the difference of their graphs, drawn as lanes, and whether they compute the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..text.styled import Styled, Text

if TYPE_CHECKING:
    from ..graphdiff.difference import Difference
    from .verdict import Verdict


class ModelDiff(Styled):
    """The difference of two models and the verdict. False if the graphs are the same; prints as words and as lanes."""

    def __init__(self, before: Any, after: Any, difference: Difference, verdict: Verdict | None) -> None:
        self.before = before
        self.after = after
        self.difference = difference
        self.verdict = verdict  # None if the graphs are the same

    def __bool__(self) -> bool:
        return bool(self.difference)

    def to_dict(self) -> dict[str, Any]:
        """The difference as plain JSON values, with the verdict in words."""
        return {**self.difference.to_dict(), "verdict": self._verdict}

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import model_diff

        return model_diff(self, width)

    def __repr__(self) -> str:
        return "\n".join(filter(None, [str(self.difference), self._verdict]))

    @property
    def _verdict(self) -> str:
        return repr(self.verdict) if self.verdict is not None else ""
