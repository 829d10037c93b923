"""What `reproduce` writes down: the last pass that raised, or the last that changed what a model computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ReproductionError

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

    from .proof.verdict import Verdict
    from .reproduction import Lookup, Reproduction, SourceOf
    from .trace_result import Trace
    from .watch import Watch


class LastFailure:
    """Keeps it. `source_of` and `lookup` are as in `reproduction`."""

    def __init__(self, source_of: SourceOf, lookup: Lookup) -> None:
        self._source_of = source_of
        self._lookup = lookup
        self._last: Reproduction | ReproductionError = ReproductionError(
            "there is nothing to reproduce: no pass has failed, and no outputs have differed"
        )

    def reproduction(self) -> Reproduction:
        """What was kept last. Raises ReproductionError if there is none, or it cannot be written down."""
        if isinstance(self._last, ReproductionError):
            raise self._last
        return self._last

    def raised(self, model: ModelWrapper, passes: Sequence[Any], error: BaseException, cfg: Any = None) -> None:
        """Passes raised an exception on a model."""
        self._keep(f"{type(error).__name__}: {error}", model, passes, cfg=cfg)

    def differed(
        self, before: ModelWrapper, after: ModelWrapper, passes: Sequence[Any], verdict: Verdict, cfg: Any = None
    ) -> None:
        """A model differs from the one that passes returned."""
        self._keep(repr(verdict), before, passes, cfg=cfg, after=after, inputs=verdict.inputs)

    def traced(self, trace: Trace, cfg: Any = None) -> None:
        """Passes were traced; one of them may have raised, or be the culprit."""
        if trace.error is not None:
            self.raised(trace.model, [trace.stopped_at], trace.error, cfg)
        elif trace.culprit is not None:
            culprit = trace.culprit
            self.differed(culprit.before, culprit.after, [culprit.applied], culprit.verdict, cfg)

    def watched(self, watch: Watch) -> None:
        """A watch has run."""
        self.traced(watch.last.trace)
        verdict = watch.last.verdict
        if verdict is not None and verdict.is_wrong:
            self.differed(watch.source, watch.model, watch.passes, verdict)

    def _keep(self, message: str, model: ModelWrapper, passes: Sequence[Any], **more: Any) -> None:
        from .reproduction import reproduction  # only now: it loads onnxruntime

        try:
            self._last = reproduction(message, model, passes, source_of=self._source_of, lookup=self._lookup, **more)
        except ReproductionError as error:
            self._last = error
