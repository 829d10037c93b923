"""The passes that models go through, noted as they are applied: by a command, by a step, by another pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from onnx import ModelProto
    from qonnx.core.modelwrapper import ModelWrapper


@dataclass
class Application:
    """One pass, applied by one call of `ModelWrapper.transform`."""

    transformation: Any
    depth: int  # 1, or more of a pass that another one applied
    source: ModelWrapper  # the model that it was applied to
    result: ModelWrapper | None = None  # None as long as it has not ended, or if it raised
    calls: int = 0  # of `apply`
    claimed: bool = False  # whether any of them said that it changed something
    apply: float = 0.0  # seconds, with what the passes took that it applied itself
    cleanup: float = 0.0  # seconds
    dropped: list[str] = field(default_factory=list)  # the nodes that the cleanup took out

    @property
    def name(self) -> str:
        return name_of(self.transformation)


def name_of(transformation: Any) -> str:
    """The name of a pass: of its class, or of the function that it is."""
    if isinstance(transformation, partial):
        return name_of(transformation.func)
    return str(getattr(transformation, "__name__", type(transformation).__name__))


def definition_of(transformation: Any) -> Any:
    """The class of a pass, or the function that it is."""
    if isinstance(transformation, partial):
        return definition_of(transformation.func)
    return transformation if hasattr(transformation, "__qualname__") else type(transformation)


def after_cleanup(model: ModelWrapper, clean: Callable[[ModelWrapper], ModelWrapper]) -> tuple[ModelWrapper, list[str]]:
    """The model that a cleanup makes of one, and the names of the nodes that it lost on the way.

    QONNX's cleanup sorts the nodes, and one that nothing leads to and that leads nowhere does not come back.
    """
    before = list(model.graph.node)
    result = clean(model)
    if len(result.graph.node) >= len(before):
        return result, []
    kept = {tensor for node in result.graph.node for tensor in node.output}
    return result, [node.name or node.op_type for node in before if kept.isdisjoint(node.output)]


def leading_to(model: Any, applications: Sequence[Application]) -> list[Application]:
    """The passes that made a model, one applied to what the other returned; those that they applied left out."""
    chain: list[Application] = []
    for application in reversed(applications):
        if application.depth == 1 and application.result is model:
            chain.append(application)
            model = application.source
    return chain[::-1]


class Observations(NamedTuple):
    """What happened to models."""

    applications: list[Application]  # in the order in which they began
    opened: list[tuple[ModelWrapper, ModelProto | None]]  # models outside of passes, and copies of them as they began


def _cleaned(
    model: ModelWrapper,
    cleanup: Callable[[ModelWrapper], ModelWrapper],
    application: Application,
    clock: Callable[[], float],
) -> ModelWrapper:
    """The model after a cleanup, which the application of a pass called for; its time and losses are noted there."""
    started = clock()
    result, dropped = after_cleanup(model, cleanup)
    application.cleanup += clock() - started
    application.dropped += dropped
    return result


@contextmanager
def observed(clock: Callable[[], float], *, copies: bool = False) -> Iterator[Observations]:
    """While this lasts, each pass that is applied is noted, those of a cleanup left out, and each model that is opened.

    With `copies`, of the latter a copy is kept. QONNX does what it does without this; `clock` measures in seconds.
    """
    try:
        from qonnx.core.modelwrapper import ModelWrapper  # only now: it brings numpy and onnx along
    except ImportError:  # as of an older one beside a newer onnx: there is nothing to note, and the command says why
        yield Observations([], [])
        return

    transform, cleanup, begin = ModelWrapper.transform, ModelWrapper.cleanup, ModelWrapper.__init__
    seen = Observations([], [])
    running: list[Application] = []
    is_cleaning = False

    @wraps(transform)
    def transform_noted(self: ModelWrapper, transformation: Any, *arguments: Any, **options: Any) -> ModelWrapper:
        if is_cleaning or isinstance(transformation, (type, Observed)):
            return transform(self, transformation, *arguments, **options)
        application = Application(transformation, len(running) + 1, self)
        seen.applications.append(application)
        running.append(application)
        try:
            observing = Observed(transformation, application, clock)
            application.result = transform(self, observing, *arguments, **options)
            return application.result
        finally:
            running.pop()

    @wraps(cleanup)
    def cleanup_noted(self: ModelWrapper) -> ModelWrapper:
        nonlocal is_cleaning
        was, is_cleaning = is_cleaning, True
        try:
            return _cleaned(self, cleanup, running[-1], clock) if running else cleanup(self)
        finally:
            is_cleaning = was

    @wraps(begin)
    def begin_noted(self: ModelWrapper, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        if not running and not is_cleaning:
            seen.opened.append((self, deepcopy(self.model) if copies else None))

    ModelWrapper.transform, ModelWrapper.cleanup, ModelWrapper.__init__ = transform_noted, cleanup_noted, begin_noted
    try:
        yield seen
    finally:
        ModelWrapper.transform, ModelWrapper.cleanup, ModelWrapper.__init__ = transform, cleanup, begin


class Observed:
    """A pass whose calls of `apply` are noted."""

    def __init__(self, transformation: Any, application: Application, clock: Callable[[], float]) -> None:
        self.transformation = transformation
        self.application = application
        self._clock = clock

    def apply(self, model: ModelWrapper) -> Any:
        self.application.calls += 1
        started = self._clock()
        try:
            returned = self.transformation.apply(model)
        finally:
            self.application.apply += self._clock() - started
        if isinstance(returned, tuple) and len(returned) == 2 and returned[1]:
            self.application.claimed = True
        return returned

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transformation, name)
