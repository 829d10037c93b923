"""The proof that follows each change of a model without being asked for, as long as it is quick."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .held import ModelChange
from .workbench import Workbench

if TYPE_CHECKING:
    from .proof import Proof

_PATIENCE = 1.0  # seconds that a comparison may take without being asked for


class UnaskedProofs:
    """Executes a model before and after a change, and keeps a difference for `reproduce`.

    `clock` measures in seconds.
    """

    def __init__(self, workbench: Workbench, clock: Callable[[], float]) -> None:
        self.is_on = True
        self._workbench = workbench
        self._clock = clock
        self._slow: set[str] = set()  # the names of models that take too long

    def proof(self, change: ModelChange) -> Proof | None:
        """The proof of a change; None if it is switched off or too slow, or there is nothing to compare."""
        is_wanted = self.is_on and change.name not in self._slow
        if not is_wanted or change.before is None or change.difference.is_renamed_only:
            return None
        from .proof import proof  # only now: it loads onnxruntime

        result = proof(change.difference, change.before, change.after, self._clock)
        if result.verdict is not None and not result.verdict:
            passes = [application.transformation for application in change.applied]
            is_whole = bool(passes) and change.applied[0].source is change.before
            self._workbench.differed(change.before, change.after, passes if is_whole else (), result.verdict)
        if result.seconds > _PATIENCE:
            self._slow.add(change.name)
        return result

    def is_slow(self, name: str) -> bool:
        """Whether the models of a name are compared on request only from now on."""
        return name in self._slow
