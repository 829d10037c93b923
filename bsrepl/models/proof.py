"""What executing a changed model shows: whether it computes what it did, and what is written on it that is not so."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

from qonnx.core.modelwrapper import ModelWrapper

from ..errors import ExecutionFailed
from ..graphdiff.difference import Difference
from ..text.columns import cut
from .contradictions import new_contradictions
from .verify import Verdict, verify

_PROBES = 2
_MOST = 200  # characters of why a model cannot be executed


class Proof(NamedTuple):
    """What came of executing a model before and after a change."""

    verdict: Verdict | None  # None if a model cannot be executed
    why_not: str  # one line
    findings: list[str]  # shapes and datatypes that the values contradict now, and did not before
    seconds: float

    @property
    def is_same(self) -> bool:
        """Whether both computed the same, and nothing new is wrong."""
        return self.verdict is not None and bool(self.verdict) and not self.findings


def proof(difference: Difference, before: ModelWrapper, after: ModelWrapper, clock: Callable[[], float]) -> Proof:
    """Executes two models, of which `difference` is the difference, on the same few inputs. `clock` is in seconds."""
    started = clock()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that are not as annotated: the findings have them
            verdict = verify(before, after, probe_count=_PROBES)
            findings = new_contradictions(difference, before, after)
    except ExecutionFailed as error:
        return Proof(None, cut(" ".join(str(error).split()), _MOST), [], clock() - started)
    return Proof(verdict, "", findings, clock() - started)
