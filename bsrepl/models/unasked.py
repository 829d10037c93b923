"""The proof that follows each change of a model without being asked for. What takes longer is told later."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from .held import ModelChange
from .last_failure import LastFailure
from .workbench import Workbench

if TYPE_CHECKING:
    from .process.prover import Pending
    from .proof.verdict import Verdict

_PROBES = 2


class Proof(NamedTuple):
    """A change and the verdict on it; None while it is awaited."""

    change: ModelChange
    verdict: Verdict | None


class UnaskedProofs:
    """Executes a model before and after each change, and keeps a difference for `reproduce`."""

    def __init__(self, workbench: Workbench, failure: LastFailure) -> None:
        self.is_on = True
        self.patience = math.inf  # seconds that a command waits for a verdict
        self._workbench = workbench
        self._failure = failure
        self._pending: list[tuple[ModelChange, Pending]] = []

    def get_ready(self) -> None:
        """Starts what executes models, so that the first proof is as quick as the others."""
        if self.is_on:
            self._workbench.prover.start()

    def proof(self, change: ModelChange) -> Proof | None:
        """The proof of a change, awaited for `patience` seconds; None if there is nothing to compare, or it is off."""
        if not self.is_on or not change.difference:
            return None
        pending = self._workbench.prover.begin(
            change.before, change.after, probe_count=_PROBES, checks_annotations=True,
            **self._workbench.inputs_for(change.name),
        )  # fmt: skip
        try:
            is_ready = pending.wait(self.patience)
        except KeyboardInterrupt:
            pending.close()
            raise
        if is_ready:
            return Proof(change, self._verdict(change, pending))
        self._pending.append((change, pending))
        return Proof(change, None)

    def late(self) -> Iterator[Proof]:
        """The proofs that have come since they were given up waiting for, one for each value that is taken."""
        for change, pending in list(self._pending):
            if pending.wait(0):
                self._pending.remove((change, pending))
                yield Proof(change, self._verdict(change, pending))

    def is_due(self) -> bool:
        """Whether a proof has come that was given up waiting for."""
        return any(pending.wait(0) for _, pending in self._pending)

    def settle(self) -> None:
        """Waits until the models that are being compared may be changed."""
        for _, pending in self._pending:
            pending.send()

    def close(self) -> None:
        """Waits for nothing any more."""
        for _, pending in self._pending:
            pending.close()
        self._pending.clear()

    def _verdict(self, change: ModelChange, pending: Pending) -> Verdict:
        verdict = pending.verdict()
        if verdict.is_wrong:
            passes = [application.transformation for application in change.applied]
            is_whole = bool(passes) and change.applied[0].source is change.before
            self._failure.differed(change.before, change.after, passes if is_whole else (), verdict)
        return verdict
