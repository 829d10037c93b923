"""Passes that run again from the same model each time a file of theirs was saved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence, Set
from copy import deepcopy
from typing import Any, NamedTuple

from qonnx.core.modelwrapper import ModelWrapper

from ..frameworks.qonnx.observing import definition_of, name_of
from ..graphdiff.difference import Difference, between
from ..text.styled import Styled, Text
from .proof import Proof, proof
from .trace import trace
from .trace_result import Trace

_PATIENCE = 1.0  # seconds that a proof may take to be made again after the next save


class Run(NamedTuple):
    """What came of running the passes once."""

    trace: Trace
    difference: Difference | None  # from the result of the last run, of the first from the model; None if it failed
    is_first: bool
    proof: Proof | None  # that the result computes what the model does


class Watch(Styled):
    """Passes on a model. `run` runs them again, from the model as it was when the watch began.

    `source` is that model, `model` what came of it when they last worked.
    """

    def __init__(self, model: ModelWrapper, passes: Sequence[Any], clock: Callable[[], float]) -> None:
        self.source = deepcopy(model)
        self.passes = list(passes)  # a list, in which a class that is executed again is exchanged
        self._clock = clock
        self._modules: set[str] = set()  # where the passes are from, and those that they apply themselves
        self._proves = True
        self.model = self.source
        self.is_on = True
        self.last = self.run()

    @property
    def name(self) -> str:
        return ", ".join(map(name_of, self.passes))

    def stop(self) -> None:
        """Does not run again after a save."""
        self.is_on = False

    def concerns(self, modules: Set[str]) -> bool:
        """Whether any of the passes is from one of these modules, or applies a pass that is."""
        return not self._modules.isdisjoint(modules)

    def lost(self) -> str:
        """Why the passes cannot run again as they are on disk now; empty if they can."""
        for each in self.passes:
            if not _is_live(definition_of(each)):
                return f"{name_of(each)} is no longer what its file defines; call watch again"
        return ""

    def run(self) -> Run:
        """Runs the passes and compares the result with that of the last run that worked."""
        done = trace(self.source, self.passes, parity=False, clock=self._clock)
        self._modules |= done.modules
        is_first = self.model is self.source
        if done.error is not None:
            self.last = Run(done, None, is_first, None)
            return self.last
        difference = between(self.model, done.model)
        proven = None
        if self._proves and (difference or is_first):
            whole = difference if is_first else between(self.source, done.model)
            proven = proof(whole, self.source, done.model, self._clock)
            self._proves = proven.seconds <= _PATIENCE
        self.model = done.model
        self.last = Run(done, difference, is_first, proven)
        return self.last

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import watch

        return watch(self, width, shows_time)

    def __repr__(self) -> str:
        return f"<watch on {self.name}{'' if self.is_on else ', stopped'}>"


def _is_live(definition: Any) -> bool:
    """Whether a class or function is what its module holds now. One that is not at the top of a module counts as it."""
    holder = sys.modules.get(definition.__module__)
    if "<locals>" in definition.__qualname__:
        return True
    for part in definition.__qualname__.split("."):
        holder = getattr(holder, part, None)
    return holder is definition
