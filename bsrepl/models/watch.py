"""Passes that run again on the same model each time one of their files is saved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence, Set
from copy import deepcopy
from typing import Any, NamedTuple

from qonnx.core.modelwrapper import ModelWrapper

from ..frameworks.qonnx.observing import definition_of, name_of
from ..graphdiff.difference import Difference, between
from ..text.styled import Styled, Text
from .proof.verdict import Verdict
from .trace import Prove, trace
from .trace_result import Trace


class Run(NamedTuple):
    """The result of running the passes once."""

    trace: Trace
    difference: Difference | None  # from the last result, for the first run from the model; None if a pass failed
    is_first: bool
    verdict: Verdict | None  # whether the result computes the same as the model


class Watch(Styled):
    """Passes on a model. `run` runs them again on the model as it was when the watch began.

    `source` is that model, `model` the result of the last run that worked.
    """

    def __init__(self, model: ModelWrapper, passes: Sequence[Any], clock: Callable[[], float], prove: Prove) -> None:
        self.source = deepcopy(model)
        self.passes = list(passes)  # a list, in which a class that is executed again is replaced
        self._clock = clock
        self._prove = prove
        self._modules: set[str] = set()  # that define the passes, and the passes that these apply
        self.model = self.source
        self.is_on = True
        self.last = self.run()

    @property
    def name(self) -> str:
        return ", ".join(map(name_of, self.passes))

    def stop(self) -> None:
        """Ends the watch: the passes do not run again after a save."""
        self.is_on = False

    def concerns(self, modules: Set[str]) -> bool:
        """Whether one of these modules defines one of the passes, or a pass that they apply."""
        return not self._modules.isdisjoint(modules)

    def lost(self) -> str:
        """Why the passes cannot run again as they are on disk now; empty if they can."""
        for transformation in self.passes:
            if not _is_live(definition_of(transformation)):
                return f"{name_of(transformation)} is no longer what its file defines; call watch again"
        return ""

    def run(self) -> Run:
        """Runs the passes and compares the result with that of the last run that worked."""
        result = trace(self.source, self.passes, clock=self._clock)
        self._modules |= result.modules
        is_first = self.model is self.source
        if result.error is not None:
            self.last = Run(result, None, is_first, None)
            return self.last
        difference = between(self.model, result.model)
        verdict = self._prove(self.source, result.model) if difference or is_first else None
        self.model = result.model
        self.last = Run(result, difference, is_first, verdict)
        return self.last

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import watch_result

        return watch_result(self, width, shows_time)

    def __repr__(self) -> str:
        return f"<watch on {self.name}{'' if self.is_on else ', stopped'}>"


def _is_live(definition: Any) -> bool:
    """Whether a class or function is what its module holds now. One that was defined in a function counts as live."""
    holder = sys.modules.get(definition.__module__)
    if "<locals>" in definition.__qualname__:
        return True
    for part in definition.__qualname__.split("."):
        holder = getattr(holder, part, None)
    return holder is definition
