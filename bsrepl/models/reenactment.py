"""What a part of a model shows of a failure: the script of a reproduction is applied to it, and the result executed.

This runs in the other process; `reduction` has the shell's side.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper

from ..errors import ExecutionFailed
from ..graphdiff.difference import Difference, between
from ..graphdiff.view import Tensor
from .feeds.trials import generated_trials
from .proof.counterparts import counterparts
from .proof.culprit import region
from .proof.cut_points import comparable
from .proof.interface import interface
from .proof.verify import verify
from .reproduction import SCRIPT
from .runtime.execution import Executable, Values, inputs_of
from .runtime.packing import unpacked, whole
from .runtime.part import Ends, add_end, ends, part, renamed, with_random

APPLYING = "applying"  # a note: the passes are applied next
Pair = tuple[Tensor, Tensor]


class Cut(NamedTuple):
    """What to try of two models, or of one and what passes make of it."""

    nodes: Collection[int] | None = None  # of the model before; None are all
    place: Pair | None = None  # of both: what computes these two tensors
    random: Collection[str] = ()  # the weights that get random numbers


class Part(NamedTuple):
    """What was cut out: the models as bytes, the second one empty if passes make it, and the inputs."""

    before: bytes
    after: bytes
    inputs: Values


class Shown(NamedTuple):
    """What a part shows: `DIFFERENT`, `IndexError in fold.py:12`; empty if nothing fails."""

    symptom: str
    after: bytes  # the model that the passes returned
    place: Pair | None  # the first tensors that differ


def reenacted(
    parts: list[memoryview], note: Callable[[object], None], *, folder: str, inputs: Mapping[str, Any] | None, cut: Cut
) -> Shown:
    """Cuts a part out of models that come as `packing.packed` gives them, and finds out what it shows.

    `folder` has the script of a reproduction, whose passes are applied; without it, the second model is the result.
    `note` is called with the part, and with what is executed next. Raises ExecutionFailed if there is no such part.
    """
    before, after = map(whole, unpacked(parts))
    found, tried = _with_inputs(before, inputs), [before] if folder else [before, after]
    if cut.place is not None:
        tried, found = _both(before, after, found, cut.place)
    elif cut.nodes is not None:
        tried, found = _one(before, found, cut.nodes)
    with_random(tried, cut.random)
    contents = [model.SerializeToString() for model in tried]
    note(Part(contents[0], b"" if folder else contents[1], found))
    note(APPLYING)
    if folder:
        try:
            tried.append(_applied(folder, tried[0]))
        except Exception as error:
            return Shown(_where(error), b"", None)
    verdict = verify(tried[0], tried[1], [found], note=note)
    first = verdict.first and (("", verdict.first.before), ("", verdict.first.after))
    return Shown(verdict.outcome.value if verdict.is_wrong else "", tried[1].SerializeToString(), first or None)


def places(parts: list[memoryview], note: Callable[[object], None]) -> list[Pair]:
    """The tensors at which something that differs between two models ends, in the order of the second one."""
    difference = between(*unpacked(parts))
    changed = {*difference.inserted, *(edit.new for edit in difference.edited), *(new for _, new in difference.moved)}
    pairs = _comparable(difference)
    inverse = {theirs: mine for mine, theirs in pairs}
    regions = ((pair, region(difference, dict(pairs), *pair, inverse)) for pair in pairs)
    return [pair for pair, (old, new) in regions if new & changed or old & {*difference.removed}]


def _comparable(difference: Difference) -> list[Pair]:
    return comparable(difference, counterparts(difference))


def _with_inputs(model: ModelProto, inputs: Mapping[str, Any] | None) -> Values:
    """The inputs, or some that fit; none if the model cannot be executed."""
    if inputs is not None:
        return dict(inputs)
    names = {value.name: value.name for value in inputs_of(model)}
    try:
        return generated_trials(model, model, names, 1, 0, {}).trials[0].inputs
    except ExecutionFailed:
        return {}


def _one(model: ModelProto, inputs: Values, kept: Collection[int]) -> tuple[list[ModelProto], Values]:
    """Some nodes of a model."""
    where = ends(model, kept)
    try:
        values = Executable(model, [*where.inputs, *where.constants, *where.outputs])(inputs)
    except (ExecutionFailed, KeyError):
        if where.constants:
            raise ExecutionFailed("the constants at the cut are not known") from None
        values = {}  # what raises needs no values
    found = {name: values[name] for name in where.inputs if name in values}
    return [part(model, kept, where, values)], found


def _both(before: ModelProto, after: ModelProto, inputs: Values, place: Pair) -> tuple[list[ModelProto], Values]:
    """What computes a pair of tensors in two models, from the nearest tensors that both have."""
    difference = between(before, after)
    pairs = _comparable(difference)
    old, new = region(difference, dict(pairs), *place)
    mine, theirs = ends(before, old), ends(after, new)
    known = {b: a for a, b in interface(before, after).inputs} | {b[1]: a[1] for a, b in pairs}
    try:
        counterparts = {name: known[name] for name in (*theirs.inputs, *theirs.constants)}
    except KeyError as error:
        raise ExecutionFailed(f"nothing in the model before corresponds to {error.args[0]}") from error
    names = list(dict.fromkeys([*mine.inputs, *(counterparts[name] for name in theirs.inputs)]))
    constants = list(dict.fromkeys([*mine.constants, *(counterparts[name] for name in theirs.constants)]))
    values = Executable(before, [*names, *constants, place[0][1]])(inputs)
    first = part(before, old, Ends(names, constants, [place[0][1]]), values)
    values = {**values, place[1][1]: values[place[0][1]]}
    second = part(after, new, Ends([], [], [place[1][1]]), values)
    second = renamed(second, counterparts)
    for name in (*names, *constants):
        add_end(second, name, values[name], is_constant=name in constants)
    return [first, second], {name: values[name] for name in names}


def _applied(folder: str, model: ModelProto) -> ModelProto:
    """The result of the passes of a script on a model. What they raise comes through."""
    ours = sys.modules.get("bsrepl")
    sys.path.insert(0, folder)
    try:
        script = runpy.run_path(str(Path(folder) / SCRIPT), run_name="reproduction")
        applied: ModelProto = script["applied"](ModelWrapper(model, make_deepcopy=True)).model
    finally:
        sys.path.remove(folder)
        if ours is not None:
            sys.modules["bsrepl"] = ours
    return applied


def _where(error: BaseException) -> str:
    """`IndexError in fold.py:12`"""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
