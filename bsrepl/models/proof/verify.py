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

from ...errors import ExecutionFailed
from ...text.format import counted
from ..feeds.fitting import expected_outputs, with_type
from ..feeds.meaning import meaningless
from ..feeds.trials import Trial, Trials, generated_trials, given_trials
from ..runtime.branches import opened
from ..runtime.execution import Executable, Values, inputs_of, without_inputs
from ..runtime.packing import unpacked
from . import precision
from .chance import chance
from .comparison import Comparison
from .contradictions import new_contradictions
from .interface import Interface, interface
from .judgement import Judgement
from .verdict import Outcome, Verdict, undecided

BEFORE, AFTER = "before", "after"  # notes: which model is executed next
_COARSE = 64.0  # times what is allowed, that models in 16 bits may differ by if they agree in float32


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
        new = without_inputs(new, named.unread)
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


def verify_packed(parts: list[memoryview], note: Callable[[object], None], **options: Any) -> Verdict:
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
        self._is_expected = bool(expected)
        if expected:
            self._results = [expected_outputs(before, values) for values in expected]
        self._sets = [(trial.inputs, self._theirs(trial.inputs)) for trial in trials.trials]
        self._judgement = Judgement(self._models, named.outputs, self._sets, self._results, step)

    def _theirs(self, inputs: Values) -> Values:
        """A set of inputs for the model after."""
        declared = {value.name: value for value in inputs_of(self._models[1])}
        return {theirs: with_type(inputs[mine], declared[theirs]) for mine, theirs in self._named.inputs}

    def verdict(self) -> Verdict:
        """The verdict. Raises ExecutionFailed if the outputs cannot be compared."""
        comparison = Comparison(max(map(precision.epsilon, self._models)), why=self._named.why)
        self._note(AFTER)
        self._trials.release()  # so that one large model at a time takes memory
        try:
            execute = Executable(self._models[1])
            computed = [execute(theirs) for _, theirs in self._sets]
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
        verdict = self._meaningful(self._decided(verdict, comparison))
        is_proof = self._tolerance is None and not self._is_expected
        if verdict.is_wrong and (drawn := chance(self._models[0], self._named.outputs, verdict.inputs)):
            return replace(verdict, outcome=Outcome.UNPROVEN, why=drawn)
        return self._shown(verdict, comparison, execute, computed) if verdict and is_proof else verdict

    @property
    def _notes(self) -> list[str]:
        return [*self._named.notes, *([f"tried with {self._trials.sizes}"] if self._trials.sizes else [])]

    def _meaningful(self, verdict: Verdict) -> Verdict:
        """The verdict, unless equal outputs show nothing."""
        outputs = [mine for mine, _ in self._named.outputs]
        if verdict and (reason := meaningless(self._models[0], outputs, self._results)):
            return replace(verdict, outcome=Outcome.UNPROVEN, why=f"{reason}, which shows nothing")
        return verdict

    def _shown(
        self, verdict: Verdict, comparison: Comparison, execute: Executable, computed: Sequence[Values]
    ) -> Verdict:
        """The verdict on equal outputs, unless they do not show a change: then other inputs are tried, which may."""
        late = "the outputs agree; whether they show every change took too much time or memory to find out"
        self._note(replace(verdict, outcome=Outcome.UNPROVEN, why=late))
        execute.release()  # cutting models takes memory again
        worst = comparison.worst if comparison.absolute else None
        known = [((a, was), (b, now)) for (a, b), was, now in zip(self._sets, self._results, computed, strict=True)]
        idle = self._judgement.idle(known)
        change = idle or self._unshown(worst)
        if not change:
            return verdict
        self._note(hidden := replace(verdict, outcome=Outcome.UNPROVEN, why=f"{change}; no output shows it"))
        count = verdict.probes
        for trial in self._trials.further:
            count += 1
            theirs = self._theirs(trial.inputs)
            now = self._computed(theirs, execute)
            if now is None or not self._agrees(trial, now):
                only = Trials([trial], self._trials.sizes)
                other = _Verification(*self._models, self._named, only, (), None, self._step, lambda _: None).verdict()
                if other.is_wrong:
                    return other
            if now is not None:
                known.append(((trial.inputs, trial.outputs), (theirs, now)))
        if idle:
            change = self._judgement.idle(known) or self._unshown(worst)
        if not change:
            return replace(verdict, probes=count)
        why = f"{change}; no output shows it for {counted(count, 'set')} of inputs; inputs(m, ...) takes others"
        return replace(hidden, why=why)

    def _unshown(self, worst: int | None) -> str:
        """A change that equal outputs do not show; empty if there is none."""
        if self._opened is None:
            return self._judgement.unshown(worst)
        return "" if self._opened else self._opened.why.partition("; no output")[0]

    @cached_property
    def _opened(self) -> Verdict | None:
        """The verdict on the branches that Ifs take, each in the place of its If; None if none of them changed."""
        if self._tolerance is not None or self._is_expected or not self._judgement.is_in_branch:
            return None
        found = None
        try:
            for models, sets in opened(self._models, self._sets):
                if models[0] != models[1]:
                    other = verify(*models, [inputs for inputs, _ in sets], least_step=self._step)
                    if other.outcome is Outcome.BROKEN:  # these can be executed
                        return None
                    found = other if found is None or other.is_wrong or (found and not other) else found
        except ExecutionFailed:
            return None
        return found

    @staticmethod
    def _computed(theirs: Values, execute: Executable) -> Values | None:
        """What the model after computes for further inputs; None if it cannot."""
        try:
            return execute(theirs)
        except ExecutionFailed:
            return None

    def _agrees(self, trial: Trial, now: Values) -> bool:
        comparison = Comparison(max(map(precision.epsilon, self._models)))
        try:
            comparison.add(self._named.outputs, trial.outputs, now)
        except ExecutionFailed:
            return False
        return comparison.is_within()

    def _decided(self, verdict: Verdict, comparison: Comparison) -> Verdict:
        """The verdict on outputs that can be compared."""
        if self._tolerance is not None and comparison.is_within(self._tolerance):
            return replace(verdict, outcome=Outcome.OK)
        if comparison.epsilon > np.finfo(np.float32).eps and comparison.excess() <= _COARSE and not comparison.why:
            return self._in_float32(verdict, comparison.is_within())
        if not (comparison.absolute or comparison.why):
            return replace(verdict, outcome=Outcome.OK)
        late = "and there was no time to tell whether that is rounding"
        self._note(verdict if comparison.why else undecided(verdict, late))
        if self._opened is not None:
            return replace(verdict, outcome=self._opened.outcome, why=self._opened.why, first=self._opened.first)
        is_within = comparison.is_within()
        is_strict = self._tolerance is not None or (self._is_expected and not is_within)  # both may be in error
        try:
            return self._judgement.of_differing(verdict, comparison, is_strict=is_strict)
        except ExecutionFailed:  # onnxruntime cannot return a tensor inside; the outputs alone are judged
            if is_within:
                return replace(verdict, outcome=Outcome.OK)
            is_noise = not comparison.why and self._judgement.is_noise(comparison)
            closed = "which may be rounding, but nothing inside the models can be compared"
            return undecided(verdict, closed) if is_noise else verdict

    def _in_float32(self, verdict: Verdict, is_within: bool) -> Verdict:
        """The verdict on two models that compute in 16 bits, widened to float32."""
        inputs = [precision.widened_values(trial.inputs) for trial in self._trials.trials]
        before, after = map(precision.widened, self._models)
        wide = verify(before, after, inputs, least_step=self._step)
        if wide:
            return replace(verdict, outcome=Outcome.OK, why="in float32 they agree" if verdict.relative else "")
        if wide.outcome is Outcome.UNPROVEN:  # without probes: it cannot be executed in float32
            is_same = is_within and not wide.probes
            return replace(verdict, outcome=Outcome.OK if is_same else wide.outcome, why=wide.why)
        return replace(wide, why="; ".join(filter(None, [wide.why, "computed in float32"])), inputs=verdict.inputs)

    def contradictions(self) -> list[str]:
        """The shapes and datatypes that the values contradict since the change."""
        inputs = self._trials.trials[0].inputs
        try:
            return new_contradictions(self._judgement.difference, *self._models, inputs, self._theirs(inputs))
        except ExecutionFailed:  # it cannot return all tensors
            return []
