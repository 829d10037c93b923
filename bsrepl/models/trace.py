"""Running a pipeline of passes on a model: the effect of each pass, its time, and whether the outputs stay the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from ..errors import EndlessPass
from ..frameworks.qonnx.observing import Application, after_cleanup, definition_of, name_of, observed
from ..graphdiff.defects import defects
from ..graphdiff.difference import between
from ..graphdiff.view import View
from ..graphdiff.viewing import view
from .proof.verdict import Verdict
from .trace_result import Culprit, Row, Trace

_ITERATIONS = 1_000  # calls of `apply`, at most
_IDLE = 3  # calls in a row that may return True and change nothing
#: Gives the verdict on a model before and a model after.
Prove = Callable[[ModelWrapper, ModelWrapper], Verdict]

_QUICK = 1.0  # seconds that a comparison may take, for the next pass to be compared without being asked for


def trace(
    model: ModelWrapper,
    passes: Sequence[Any],
    *,
    cfg: Any = None,
    parity: bool | None = None,
    blame: bool = False,
    clock: Callable[[], float],
    prove: Prove | None = None,
) -> Trace:
    """Applies passes one after the other: transformations, classes of them, or steps. The model itself is not changed.

    With `parity`, `prove` compares the models before and after each pass; by default, as long as that takes less than a
    second. `blame` compares with the first model as well, and finds the first pass that broke it by bisection. Without
    `prove` nothing is compared. A pass that raises or never ends stops the trace; the model before it is kept.
    """
    result = Trace(model, passes, proves=prove is not None and parity is not False)
    models = [model]
    for transformation in passes:
        result.modules.add(definition_of(transformation).__module__)
        with observed(clock) as seen:
            try:
                row, after = _applied(result.model, transformation, cfg, clock)
            except (Exception, KeyboardInterrupt) as error:
                result.rows += map(_nested, seen.applications)
                result.failed, result.stopped_at, result.error = name_of(transformation), transformation, error
                break
            finally:
                result.modules.update(definition_of(other.transformation).__module__ for other in seen.applications)
        verdict: Verdict | None = None
        if prove is not None and parity is not False:
            started = clock()
            verdict = prove(result.model, after)
            if parity is None and clock() - started > _QUICK:
                parity = False
        if verdict is not None and verdict.is_wrong and result.culprit is None:
            result.culprit = Culprit(result.model, transformation, after, verdict)
        result.rows += [row._replace(parity=verdict), *map(_nested, seen.applications)]
        result.model = after
        if blame:
            models.append(after)
    if prove is not None and len(models) > 1:
        result.whole = prove(models[0], models[-1])
        if result.whole.is_wrong:
            result.culprit = _culprit(models, passes, prove)
            result.blamed = name_of(result.culprit.applied)
    return result


def _applied(
    model: ModelWrapper, transformation: Any, cfg: Any, clock: Callable[[], float]
) -> tuple[Row, ModelWrapper]:
    """One pass applied to a copy of the model: its row, without a verdict, and the new model."""
    working = deepcopy(model)
    name = name_of(transformation)
    started = clock()
    iterations, claimed = 1, None
    dropped: list[str] = []
    if is_pass(transformation):
        instance = transformation() if isinstance(transformation, type) else transformation
        working, iterations, claimed = _iterated(working, instance, name)
        applied = clock()
        working, dropped = after_cleanup(working, ModelWrapper.cleanup)
    else:
        working = transformation(working, cfg) if takes_config(transformation) else transformation(working)
        applied = clock()
    tidied = clock()
    if not isinstance(working, ModelWrapper):
        raise TypeError(f"{name} returned a {type(working).__name__}, not a model")
    difference = between(model, working)
    compared = clock()
    seconds = (applied - started, tidied - applied, compared - tidied)
    return Row(name, 0, claimed, difference, iterations, *seconds, None, defects(difference, dropped)), working


def _nested(application: Application) -> Row:
    """The row of a pass that another pass applied."""
    seconds = (application.apply, application.cleanup)
    return Row(application.name, application.depth, None, None, application.calls, *seconds, 0.0, None, [])


def _iterated(model: ModelWrapper, instance: Any, name: str) -> tuple[ModelWrapper, int, bool]:
    """Calls `apply` until it returns False. Raises EndlessPass if it goes in circles."""
    claimed = False
    earlier: View | None = None  # before the last call but one
    before: View | None = None  # before the last call
    idle = 0
    for number in range(1, _ITERATIONS + 1):
        try:
            model, goes_on = instance.apply(model)
        except KeyboardInterrupt as interrupt:
            if earlier is None or before is None:
                raise
            raise EndlessPass(_circling(name, number, earlier, before, "interrupted")) from interrupt
        if not goes_on:
            return model, number, claimed
        claimed = True
        now = view(model.model)
        if before is not None:
            idle = 0 if between(before, now) else idle + 1
            if idle == _IDLE:
                raise EndlessPass(f"{name}.apply keeps returning True although it no longer changes anything")
        if number == _ITERATIONS:
            raise EndlessPass(_circling(name, number, before or now, now, "stopped"))
        earlier, before = before, now
    raise AssertionError  # the loop returns or raises


def _circling(name: str, number: int, before: View, after: View, how: str) -> str:
    difference = between(before, after)
    nodes = [after.nodes[node] for node in (*difference.inserted, *(edit.new for edit in difference.edited))]
    named = ", ".join(dict.fromkeys(node.name or node.op_type for node in nodes[:6])) or "nothing"
    return f"{how} after {name}.apply was called {number} times; the last call changed {named}"


def is_pass(candidate: Any) -> bool:
    """Whether something is a transformation, or a class of them, and not a step."""
    is_class = isinstance(candidate, type) and issubclass(candidate, Transformation)
    return is_class or callable(getattr(candidate, "apply", None))


def takes_config(step: Any) -> bool:
    """Whether a step takes a configuration besides the model."""
    try:
        parameters = list(inspect.signature(step).parameters.values())
    except (TypeError, ValueError):
        return True
    positional = [given for given in parameters if given.kind in (given.POSITIONAL_ONLY, given.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 1 or any(given.kind is given.VAR_POSITIONAL for given in parameters)


def _culprit(models: Sequence[ModelWrapper], passes: Sequence[Any], prove: Prove) -> Culprit:
    """The first pass after which the model is wrong, by bisection: after the last one it is."""
    good, bad = 0, len(models) - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if prove(models[0], models[middle]).is_wrong:
            bad = middle
        else:
            good = middle
    return Culprit(models[good], passes[good], models[bad], prove(models[good], models[bad]))
