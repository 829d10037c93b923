"""The result of one look at the disk: a value that is not changed once it is returned."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..registry.changes import changes_between
from ..registry.snapshot import Snapshot
from .failure import Failure
from .follow.successors import Replaced


class Report(NamedTuple):
    """What a look at the disk changed. False if there is nothing to tell."""

    before: Snapshot
    after: Snapshot
    executed: Sequence[str]  # files that are live now
    new: Sequence[str]  # those of them that were not live before
    gone: Sequence[str]
    fixed: Sequence[str]  # files that failed before
    failures: Sequence[Failure]  # those that were not reported before, one of each group
    tried: Sequence[str]  # files that were executed and do not count
    held_back: Mapping[str, tuple[str, ...]]  # files that were saved and wait for others, with where those still fail
    replaced: Sequence[Replaced]
    output: Sequence[tuple[str, str]]  # what files printed while they were executed
    warnings: Sequence[warnings.WarningMessage]

    def __bool__(self) -> bool:
        files = (self.executed, self.gone, self.failures, self.held_back, self.fixed, self.replaced)
        is_eventful = any(files) or self.output or self.warnings
        return bool(is_eventful or (self.before is not self.after and changes_between(self.before, self.after)))
