"""Whether two models compute the same: both are executed on the same inputs, and every output is compared.

This runs in the other process; `prover` has the shell's side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from onnx import ModelProto

from ..errors import ExecutionFailed
from ..graphdiff.difference import Difference, between
from ..graphdiff.view import Tensor
from . import precision, rounding
from .comparison import Comparison
from .contradictions import new_contradictions
from .counterparts import counterparts
from .culprit import Search
from .execution import Executable, Values, inputs_of
from .interface import Interface, interface
from .meaning import meaningless
from .noise import is_noise
from .packing import unpacked
from .trials import Trials, generated_trials, given_trials, with_type
from .verdict import Divergence, Outcome, Verdict

BEFORE, AFTER = "before", "after"  # notes: which model is executed next
_NARROW = 64.0  # times what is allowed, that models in 16 bits may differ by if they agree in float32
_FINEST, _COARSEST = 2e-6, 1e-5  # differences between which the place is looked for where models begin to differ


def verify(
    before: Any,
    after: Any,
    inputs: Sequence[Mapping[Any, Any]] | None = None,
    *,
    expected: Sequence[Mapping[Any, Any]] = (),
    shapes: Mapping[str, Any] | None = None,
    probe_count: int = 4,
    seed: int = 0,
    tolerance: float | None = None,
    checks_annotations: bool = False,
    least_step: float = 0.0,
    note: Callable[[str | Verdict], object] = lambda _: None,
) -> Verdict:
    """Executes two models, `ModelProto`s or QONNX's `ModelWrapper`s, and compares every output.

    `inputs` are sets of values, by the names of the inputs or by their places. Without them, about `probe_count` sets
    are generated: those recorded with the sample, then seeded ones that honour shapes and datatype annotations; dynamic
    dimensions have two sizes larger than one, or those in `shapes`. `tolerance` is relative to the largest magnitude of
    a channel; without it, a difference counts if it is no rounding. `expected` are the outputs for each set of
    `inputs`: then the model after is compared with them. `least_step` is the smallest step from 1.0 of the type that
    weights were stored in, if it is a narrower one than the models have now.

    `note` is called with what is executed next, and with the verdict as soon as it is known but for details.
    """
    old, new = (getattr(model, "model", model) for model in (before, after))
    step = max(precision.epsilon(old), precision.epsilon(new), least_step)
    if precision.needs_widening(old) or precision.needs_widening(new):
        old, new = precision.widened(old), precision.widened(new)
    try:
        named = interface(old, new)
        note(BEFORE)
        if inputs is None:
            trials = generated_trials(old, new, dict(named.inputs), probe_count, seed, shapes or {})
        else:
            trials = given_trials(old, inputs)
        verification = _Verification(old, new, named, trials, expected, tolerance, step, note)
        verdict = verification.verdict()
    except ExecutionFailed as error:
        return Verdict(Outcome.UNPROVEN, why=str(error))
    if checks_annotations and verdict.outcome is not Outcome.BROKEN:
        note(verdict)
        return replace(verdict, contradictions=verification.contradictions())
    return verdict


def verify_packed(parts: Sequence[bytes], note: Callable[[object], None], **options: Any) -> Verdict:
    """The verdict on two models that come in parts, as `packing.packed` gives them."""
    return verify(*unpacked(parts), note=note, **options)


class _Verification:
    """Two models, and what the first of them computes."""

    def __init__(
        self,
        before: ModelProto,
        after: ModelProto,
        named: Interface,
        trials: Trials,
        expected: Sequence[Mapping[Any, Any]],
        tolerance: float | None,
        step: float,
        note: Callable[[str | Verdict], object],
    ) -> None:
        self._models = before, after
        self._named = named
        self._trials = trials
        self._tolerance = tolerance
        self._step = step  # the smallest step from 1.0 of the type in which weights are stored
        self._note = note
        self._results = [trial.outputs for trial in trials.trials]
        if expected:
            outputs = [value.name for value in before.graph.output]
            self._results = [_by_name(outputs, values) for values in expected]

    @cached_property
    def _difference(self) -> Difference:
        return between(*self._models)

    @cached_property
    def _pairs(self) -> dict[Tensor, Tensor]:
        return counterparts(self._difference)

    def _theirs(self, inputs: Values) -> Values:
        """A set of inputs for the model after."""
        declared = {value.name: value for value in inputs_of(self._models[1])}
        return {theirs: with_type(inputs[mine], declared[theirs]) for mine, theirs in self._named.inputs}

    def verdict(self) -> Verdict:
        """The verdict. Raises ExecutionFailed if the outputs cannot be compared."""
        after = self._models[1]
        comparison = Comparison(max(map(precision.epsilon, self._models)), why=self._named.why)
        self._note(AFTER)
        try:
            execute = Executable(after)
            computed = [execute(self._theirs(trial.inputs)) for trial in self._trials.trials]
        except ExecutionFailed as error:
            return Verdict(Outcome.BROKEN, why=str(error), notes=self._notes, inputs=self._trials.trials[0].inputs)
        for was, now in zip(self._results, computed, strict=True):
            comparison.add(self._named.outputs, was, now)
        verdict = Verdict(
            Outcome.DIFFERENT,
            comparison.absolute,
            comparison.relative,
            comparison.argmax_equal,
            comparison.sets,
            comparison.why,
            self._notes,
            inputs=self._trials.trials[comparison.worst].inputs,
        )
        if comparison.is_within(self._tolerance):
            return self._meaningful(self._precise(verdict, comparison))
        self._note(verdict)
        return self._meaningful(self._explained(verdict, comparison))

    @property
    def _notes(self) -> list[str]:
        return [*self._named.notes, *([f"tried with {self._trials.sizes}"] if self._trials.sizes else [])]

    def _meaningful(self, verdict: Verdict) -> Verdict:
        """The verdict, unless equal outputs show nothing."""
        outputs = [mine for mine, _ in self._named.outputs]
        if verdict and (reason := meaningless(self._models[0], outputs, self._results)):
            return replace(verdict, outcome=Outcome.UNPROVEN, why=f"{reason}, which shows nothing")
        return verdict

    def _precise(self, verdict: Verdict, comparison: Comparison) -> Verdict:
        """OK, if models that compute in 16 bits agree in float32 as well."""
        if self._tolerance is None and comparison.epsilon > np.finfo(np.float32).eps:
            return self._in_float32(verdict)
        return replace(verdict, outcome=Outcome.OK)

    def _explained(self, verdict: Verdict, comparison: Comparison) -> Verdict:
        """The verdict on outputs that differ: whether it is rounding, and where it begins if it is not."""
        if self._tolerance is None and not comparison.why:
            if comparison.epsilon > np.finfo(np.float32).eps:
                if comparison.excess() <= _NARROW:
                    return self._in_float32(verdict)
            else:
                quantised = self._quantised(verdict)
                if quantised is not None:
                    return quantised
                if is_noise(
                    comparison, self._models[0], self._named.outputs, *self._inputs_and_results(), self._folded_step
                ):
                    return replace(verdict, outcome=Outcome.OK)
        return replace(verdict, first=self._first(verdict))

    @property
    def _folded_step(self) -> float:
        """How far weights may have been rounded: a pass that rewrites nodes stores products of weights."""
        return self._step if self._difference.rewrites else float(np.finfo(np.float32).eps)

    def _inputs_and_results(self) -> tuple[list[Values], list[Values]]:
        return [trial.inputs for trial in self._trials.trials], self._results

    def _in_float32(self, verdict: Verdict) -> Verdict:
        """The verdict on two models that compute in 16 bits, widened to float32."""
        inputs = [{name: _wide(value) for name, value in trial.inputs.items()} for trial in self._trials.trials]
        before, after = map(precision.widened, self._models)
        wide = verify(before, after, inputs, least_step=self._step)
        if wide:
            return replace(verdict, outcome=Outcome.OK, why="in float32 they agree" if verdict.relative else "")
        if wide.outcome is Outcome.UNPROVEN:
            return replace(verdict, outcome=Outcome.OK)
        return replace(wide, why="; ".join(filter(None, [wide.why, "computed in float32"])), inputs=verdict.inputs)

    def _quantised(self, verdict: Verdict) -> Verdict | None:
        """The verdict with the quantisers held together; None if the models have none in common."""
        both = rounding.quantisers(self._difference, self._pairs, self._models[0])
        if not both:
            return None
        sets = [(trial.inputs, self._theirs(trial.inputs)) for trial in self._trials.trials]
        try:
            held = rounding.held(*self._models, both, self._named.outputs, sets)
        except ExecutionFailed:
            return None
        if held.agrees:
            edges = ", ".join(f"{count} at {name}" for name, count in held.edges.most_common(4))
            more = f", and at {len(held.edges) - 4} more quantisers" if len(held.edges) > 4 else ""
            why = f"values on a rounding edge: {edges}{more}; everything else agrees"
            return replace(verdict, outcome=Outcome.ROUNDING, why=why)
        if held.guilty is not None:
            name, _, (mine, theirs) = held.guilty
            return replace(verdict, first=Divergence(mine, theirs, name, held.comparison.relative))
        return replace(verdict, first=self._first(verdict, both, held.comparison))

    def _first(
        self, verdict: Verdict, both: Sequence[rounding.Quantiser] = (), comparison: Comparison | None = None
    ) -> Divergence | None:
        """Where the models begin to differ; with the quantisers `both` held together."""
        inputs, theirs = verdict.inputs, self._theirs(dict(verdict.inputs))
        tensors = [(mine[1], other[1]) for mine, other in self._pairs.items() if not mine[0] and not other[0]]
        before, after = (list(dict.fromkeys(names)) for names in zip(*tensors, strict=True))
        relative = comparison.relative if comparison is not None else verdict.relative
        try:
            values = Executable(self._models[0], _produced(self._models[0], before))(inputs)
            wanted = _produced(self._models[1], after)
            if both:
                sets = [(dict(inputs), theirs)]
                others = rounding.held(*self._models, both, self._named.outputs, sets, wanted).values
            else:
                others = Executable(self._models[1], wanted)(theirs)
        except ExecutionFailed:  # onnxruntime cannot return a tensor inside; the verdict stands without it
            return None
        threshold = min(max(relative / 30, _FINEST), _COARSEST)
        return Search(self._difference, self._pairs, values, others, threshold).begin()

    def contradictions(self) -> list[str]:
        """The shapes and datatypes that the values contradict since the change."""
        (trial, *_) = self._trials.trials
        try:
            return new_contradictions(self._difference, *self._models, trial.inputs, self._theirs(trial.inputs))
        except ExecutionFailed:  # it cannot return all tensors
            return []


def _by_name(outputs: Sequence[str], values: Mapping[Any, Any]) -> Values:
    return {outputs[key] if isinstance(key, int) else key: np.asarray(value) for key, value in values.items()}


def _wide(value: Any) -> Any:
    return value.astype(np.float32) if value.dtype.itemsize == 2 and value.dtype.kind not in "iub" else value


def _produced(model: ModelProto, names: Sequence[str]) -> list[str]:
    produced = {name for node in model.graph.node for name in node.output}
    return [name for name in names if name in produced]
