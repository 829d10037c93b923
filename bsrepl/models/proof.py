"""What executing a changed model shows: whether it computes the same, and its shapes and datatypes are right."""

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
    """The result of executing a model before and after a change."""

    verdict: Verdict | None  # None if a model cannot be executed
    why_not: str  # one line: why there is no verdict, or why shapes and datatypes were not checked
    contradictions: list[str]  # shapes and datatypes that the values contradict since the change
    seconds: float

    @property
    def is_same(self) -> bool:
        """Whether both computed the same, and nothing is contradicted."""
        return self.verdict is not None and bool(self.verdict) and not self.contradictions


def proof(difference: Difference, before: ModelWrapper, after: ModelWrapper, clock: Callable[[], float]) -> Proof:
    """Executes two models, whose difference is `difference`, on the same few inputs. `clock` measures in seconds."""
    started = clock()
    verdict: Verdict | None = None
    contradictions: list[str] = []
    why_not = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about values that are not as annotated: the contradictions have them
            verdict = verify(before, after, probe_count=_PROBES)
            contradictions = new_contradictions(difference, before, after)
    except ExecutionFailed as error:
        why_not = cut(" ".join(str(error).split()), _MOST)
    return Proof(verdict, why_not, contradictions, clock() - started)
