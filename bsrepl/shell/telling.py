"""A turn as styled text: the value, the changes of the registry, what happened to models, in this order."""

from __future__ import annotations

from typing import Any

from ..models import report as models_report
from ..models.history import AWAITED
from ..registry.report import registry_changes
from ..registry.snapshot import Snapshot
from ..session import details
from ..session.turn import ModelOutcome, Turn
from ..text import values as display
from ..text.format import safe_repr, type_name
from ..text.onnx_values import is_model
from ..text.patterns import late_pattern
from ..text.styled import Styled, Text, abridged, asides, headed

_APPLIED = late_pattern(r"(?P<name>[A-Za-z_]\w*)\.transform\(")


def value_text(value: Any, snapshot: Snapshot, width: int, shows_time: bool) -> Text:
    """A value; one that cannot be shown is told as that, not as an error of the command."""
    if issubclass(type(value), Styled):
        text: Text = value.styled(width, shows_time)
        return text
    try:
        text = abridged(*display.shown(value, width))
    except Exception as error:  # the value's own doing, as `__len__` that raises
        return headed("warning", f"<{type_name(value)}", f"object that cannot be shown: {safe_repr(error)}>", width)
    if (backends := details.backends_of(value, snapshot)) is not None:
        text += asides([backends], width)
    return text


def unkept(turn: Turn) -> str | None:
    """What to write so that the model that a command transformed is the result; None of any other command."""
    applied = _APPLIED.match(turn.code)
    if applied is None or turn.error is not None or not is_model(turn.value):
        return None
    name = applied["name"]
    return f"{name} itself is as it was; to keep the result: {name} = {name}.transform(...)"


def changes_text(turn: Turn, reported: Snapshot, width: int) -> Text:
    """What happened to the registry, as far as it was not reported while the command ran."""
    changes = turn.changes(reported)
    return registry_changes(changes, reported, turn.after, width) if changes else []


def models_text(turn: Turn, width: int, shows_time: bool) -> Text:
    """What happened to the models that names hold, and whether they still compute the same."""
    text: Text = []
    for outcome in turn.models:
        text += models_report.model_change(outcome.change, width, shows_time)
        if outcome.proof is not None:
            text += models_report.proof_lines(outcome.proof, width)
    if (stopped := _interruption(turn)) is not None:
        text += headed("warning", "interrupted", stopped, width)
    return text


def _interruption(turn: Turn) -> str | None:
    """What a Ctrl-C left models as, and what to type now; None if there was none, or no model is concerned."""
    name = turn.models[0].change.name if turn.models else ""
    compare = f"verify(before({name!r}), {name}) compares, {name} = before({name!r}) goes back"
    if turn.was_interrupted:
        if not name:
            return "before it was known whether the command changed a model; verify(a, b) compares two"
        return f"while the outputs were compared; {name} has the change: {compare}"
    if not turn.stopped_pass:
        return None
    if not name:
        return f"{turn.stopped_pass} before it ended; no model that a name holds has changed"
    return f"{turn.stopped_pass} before it ended; {name} keeps what it did up to there: {compare}"


def short_verdict(outcome: ModelOutcome) -> str:
    """`OK rel 7e-08`; empty if the models were not executed, and `history.AWAITED` while they are."""
    if outcome.proof is None:
        return ""
    return outcome.proof.verdict.short if outcome.proof.verdict is not None else AWAITED
