"""What it means that the outputs of two models differ: a piece is wrong, or rounding has gone on to the outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from onnx import ModelProto

from ...errors import ExecutionFailed
from ...graphdiff.difference import Difference, between
from ...graphdiff.view import Tensor
from ..runtime.execution import Values
from . import rounding
from .comparison import Comparison
from .counterparts import counterparts
from .culprit import place, region
from .cut_points import comparable
from .idle import Known
from .noise import is_noise
from .regions import Cuts, Disagreement, Pieces
from .unshown import Changes
from .verdict import Divergence, Outcome, Verdict

_NARROW = 4.0  # steps that a product of weights in 16 bits may be rounded by
_SAME_NODE = 1e-3  # relative; onnxruntime may execute a node in another way where its neighbours are others
_SLIGHT = 3e-5  # relative; a larger difference of a rewrite is not measured against its rounding
_HIDDEN = 1e-2  # relative; a piece that differs by more, and of which the outputs show nothing, is hidden from them
_NEARLY = 4.0  # times what is allowed, up to which outputs that differ show nothing
_SMALL = 1e-4  # relative; a larger difference that comes of rounding is told as that


class Judgement:
    """Judges two models. `sets` are the sets of inputs of both, `results` what the first one computes for them.

    `outputs` are the names of the outputs in both; `step` is the smallest step from 1.0 of the type in which weights
    are stored.
    """

    def __init__(
        self,
        models: tuple[ModelProto, ModelProto],
        outputs: Sequence[tuple[str, str]],
        sets: Sequence[tuple[Values, Values]],
        results: Sequence[Values],
        step: float,
    ) -> None:
        self._models = models
        self._outputs = outputs
        self._sets = sets
        self._results = results
        self._step = step

    @cached_property
    def difference(self) -> Difference:
        return between(*self._models)

    @cached_property
    def _pairs(self) -> dict[Tensor, Tensor]:
        return counterparts(self.difference)

    @cached_property
    def _tensors(self) -> list[tuple[Tensor, Tensor]]:
        return comparable(self.difference, self._pairs)

    def of_differing(self, verdict: Verdict, comparison: Comparison, *, is_strict: bool) -> Verdict:
        """The verdict on models whose outputs differ: OK if every piece agrees, unless it `is_strict`.

        Raises ExecutionFailed.
        """
        cuts = Cuts(*self._models, self._tensors)
        for number in self._telling(comparison.worst):
            pieces = cuts.pieces(*self._sets[number])
            wrong = list(filter(self._is_wrong, pieces.disagreements()))
            if not is_strict:
                wrong = [piece for piece in wrong if not self._is_rounding(piece, pieces)]
            guilty = pieces.unexplained(wrong)
            if guilty is None and wrong and (is_strict or comparison.why):
                guilty = wrong[0]
            if guilty is not None and not comparison.why and self._drop(cuts.misshapen):
                return self.of_differing(verdict, comparison, is_strict=is_strict)
            is_large = any(piece.relative > _HIDDEN for piece in wrong) and not (is_strict or comparison.why)
            if guilty is not None and is_large and comparison.excess() <= _NEARLY:
                return replace(verdict, outcome=Outcome.OK)  # that the outputs do not show it is found out next
            if guilty is not None:
                return replace(verdict, first=self._divergence(guilty))
        if is_strict or comparison.why:
            return verdict
        return self._rounded(verdict, comparison, pieces, {piece.pair for piece in wrong})

    def _telling(self, worst: int) -> list[int]:
        """Two sets of inputs, by their numbers: one on which the outputs differ the most, and one of small values,
        beside which those of a bias are not lost."""
        shapes = [{name: np.shape(value) for name, value in inputs.items()} for inputs, _ in self._sets]
        alike = [number for number, shape in enumerate(shapes) if shape == shapes[worst]]  # cuts of others take time
        sizes = {number: max(map(_magnitude, self._sets[number][0].values()), default=0.0) for number in alike}
        smallest = min(alike, key=lambda number: sizes[number] or np.inf)
        return sorted({smallest, worst}, key=worst.__eq__)  # the worst one last

    def unshown(self, worst: int | None) -> str:
        """A change that equal outputs do not show; empty if there is none. `worst` is as in a comparison, or None."""
        if not self.difference:
            return ""
        sets = self._sets if worst is None else [self._sets[number] for number in self._telling(worst)]
        changes = self._changes
        what = changes.unshown(sets, self._is_wrong, _NARROW * self._step)
        if (what or changes.is_uncut) and self._drop(changes.mismatched):
            return self.unshown(worst)
        return what

    def idle(self, known: Sequence[tuple[Known, Known]]) -> str:
        """A sub-graph that changed and had no effect for what is known of both models; empty if there is none."""
        return self._changes.idle(known) if self.difference else ""

    @property
    def is_in_branch(self) -> bool:
        """Whether a branch of an If changed."""
        return bool(self.difference) and self._changes.is_in_branch

    @cached_property
    def _changes(self) -> Changes:
        return Changes(self._models, self.difference, self._pairs, self._tensors)

    def _drop(self, pairs: Collection[tuple[Tensor, Tensor]]) -> bool:
        """Cuts the models no more at pairs of tensors whose shapes or data types show that they are no counterparts.

        Returns whether there are any, besides the outputs.
        """
        outputs = {theirs for _, theirs in self._outputs}
        kept = [pair for pair in self._tensors if pair not in pairs or pair[1][1] in outputs]
        if len(kept) == len(self._tensors):
            return False
        self._tensors, self._changes = kept, Changes(self._models, self.difference, self._pairs, kept)
        return True

    def _is_wrong(self, piece: Disagreement) -> bool:
        """Whether a piece disagrees by more than weights were rounded by, and executing the same node differs."""
        difference = self.difference
        old, new = region(difference, self._pairs, piece.before, piece.after)
        is_one = len(old) == len(new) == 1 and difference.match.forward.get(*old) == min(new)
        is_same = is_one and not any(edit.new in new for edit in difference.edited)
        return piece.relative > max(_NARROW * self._narrow_step, _SAME_NODE if is_same else 0.0)

    def _is_rounding(self, piece: Disagreement, pieces: Pieces) -> bool:
        """Whether a rewrite disagrees by little, and by no more than its rounding: that of long sums, or of sums that
        cancel."""
        old, new = region(self.difference, self._pairs, piece.before, piece.after)
        if len(old) == len(new) == 1 or piece.relative > _SLIGHT:
            return False
        return pieces.is_rounding(piece, float(np.finfo(np.float32).eps))

    def _divergence(self, wrong: Disagreement) -> Divergence:
        where = place(self.difference, self._pairs, wrong.before, wrong.after)
        return Divergence(wrong.before[1], wrong.after[1], where, wrong.relative)

    def _rounded(
        self, verdict: Verdict, comparison: Comparison, pieces: Pieces, explained: Collection[tuple[Tensor, Tensor]]
    ) -> Verdict:
        """The verdict if every piece agrees, but for those that make up for each other: OK, or OK up to rounding if
        that has become visible."""
        if comparison.is_within():
            return replace(verdict, outcome=Outcome.OK)
        quantisers = rounding.quantised(self.difference, self._tensors)
        is_noise = self.is_noise(comparison)
        if is_noise and comparison.relative <= _SMALL:
            return replace(verdict, outcome=Outcome.OK)
        if not quantisers and not is_noise:
            explained = explained if pieces.judges([theirs for _, theirs in self._outputs]) else ()
            wrong = [piece for piece in pieces.disagreements(is_fine=True) if piece.pair not in explained]
            if wrong:
                return replace(verdict, first=self._divergence(wrong[0]))
        try:
            counts = rounding.edges(*self._models, quantisers, self._sets) if quantisers else Counter()
        except ExecutionFailed:
            counts = Counter()
        edges = ", ".join(f"{count} at {name}" for name, count in counts.most_common(4))
        more = f", and at {len(counts) - 4} more quantisers" if len(counts) > 4 else ""
        agrees = "every node and every rewrite agrees, given the same values"
        why = f"values on a rounding edge: {edges}{more}; everything else agrees" if edges else agrees
        return replace(verdict, outcome=Outcome.ROUNDING, why=why)

    def is_noise(self, comparison: Comparison) -> bool:
        """Whether the outputs differ by no more than rounding."""
        step = self._narrow_step or min(comparison.epsilon, float(np.finfo(np.float32).eps))
        inputs = [values for values, _ in self._sets]
        return is_noise(comparison, self._models[0], self._outputs, inputs, self._results, step)

    @property
    def _narrow_step(self) -> float:
        """How far weights may have been rounded in 16 bits: a pass that rewrites nodes stores products of weights."""
        return self._step if self._step > np.finfo(np.float32).eps and self.difference.rewrites else 0.0


def _magnitude(value: Any) -> float:
    is_float = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return float(np.abs(value).max(initial=0)) if is_float else 0.0
