"""Two models beside each other: the difference of their graphs, drawn as lanes, and whether they compute the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import UntrustedModel
from ..text.styled import Styled, Text
from .proof.hardware import beyond_simulation
from .proof.verdict import Outcome, Verdict
from .trust import TRUSTING
from .workbench import load

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from ..graphdiff.difference import Difference


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
        """`{"graph": ..., "verdict": ...}` as plain JSON values; the verdict is None if the graphs are the same."""
        verdict = None if self.verdict is None else self.verdict.to_dict()
        return {"graph": self.difference.to_dict(), "verdict": verdict}

    @property
    def has_changes(self) -> bool:
        """Whether the graphs differ."""
        return bool(self)

    @property
    def verdicts(self) -> list[Verdict]:
        return [] if self.verdict is None else [self.verdict]

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import model_diff

        return model_diff(self, width)

    def _repr_html_(self) -> str:
        from ..text.html import WIDTH, html, image
        from .pictures import svg
        from .report import diff_words

        picture = svg(self) if self else None
        return super()._repr_html_() if picture is None else html(diff_words(self, WIDTH)) + image(picture)

    def __repr__(self) -> str:
        return "\n".join([str(self.difference), *map(repr, self.verdicts)])


def compared(
    before: Any, after: Any, prove: Callable[[Any, Any], Verdict], *, proves_equal_graphs: bool = False
) -> ModelDiff:
    """Two models, given as `load` takes them, beside each other. `prove` gives the verdict on them.

    Equal graphs need none, unless it is asked for. Models that could run code of their choice are compared, and not
    executed: UNPROVEN.
    """
    from ..graphdiff.difference import between  # only now: many sessions hold no model

    (old, why_not_old), (new, why_not_new) = map(_opened, (before, after))
    difference = between(old, new)
    if not (difference or proves_equal_graphs):
        return ModelDiff(old, new, difference, None)
    if why := why_not_old or why_not_new:
        return ModelDiff(old, new, difference, Verdict(Outcome.UNPROVEN, why=why))
    return ModelDiff(old, new, difference, beyond_simulation(prove(old, new), old, new))


def _opened(source: Any) -> tuple[ModelWrapper, str]:
    """A model, and why it must not be executed."""
    try:
        return load(source), ""
    except UntrustedModel as error:
        return load(source, trust=True), str(error).removesuffix(TRUSTING)
