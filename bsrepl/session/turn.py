"""A turn: one command with all that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..registry.changes import Change, changes_between
from ..registry.snapshot import Snapshot

if TYPE_CHECKING:  # importing them would bring onnxruntime into sessions that have no use for it
    from ..models.held import ModelChange
    from ..models.unasked import Proof


class ModelOutcome(NamedTuple):
    """What a command did to the model of one name, and whether the model still computes the same."""

    change: ModelChange
    proof: Proof | None  # None if the models were not to be executed

    @property
    def is_awaited(self) -> bool:
        """Whether the verdict comes later."""
        return self.proof is not None and self.proof.verdict is None


class StoppedAt(NamedTuple):
    """Where a command of several statements raised, after others had run."""

    line: int
    of: int  # lines


class Turn(NamedTuple):
    """One command: its value or its error, what it did to the registry and to models, and how long it took."""

    code: str
    before: Snapshot
    after: Snapshot
    value: Any = None
    error: BaseException | None = None
    stopped_at: StoppedAt | None = None
    printed: str = ""  # what it wrote to standard output, up to a limit
    models: Sequence[ModelOutcome] = ()
    seconds: float = 0.0  # that the user waited
    leaves: SystemExit | None = None  # the command was `sys.exit(N)`, `exit()` or the like, and nothing else
    was_interrupted: bool = False  # while models were compared
    internal: Sequence[Exception] = ()  # what went wrong in bsrepl itself; the command ran all the same
    ends_line: bool = True  # whether what it printed ends with a line end
    stopped_pass: str = ""  # the pass that a Ctrl-C stopped

    @property
    def failed(self) -> bool:
        return self.error is not None

    def changes(self, since: Snapshot | None = None) -> list[Change]:
        """What happened to the registry during the command, or `since` a snapshot that was reported in between."""
        before = self.before if since is None else since
        return changes_between(before, self.after) if before is not self.after else []
