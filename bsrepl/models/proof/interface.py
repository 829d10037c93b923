"""Which inputs and outputs of two models belong together: by their names if these are the same, else by their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from onnx import ModelProto

from ...errors import ExecutionFailed
from ...text.format import counted
from ..runtime.execution import inputs_of, read_names


class Interface(NamedTuple):
    """Pairs of names, those of the model before first."""

    inputs: list[tuple[str, str]]
    outputs: list[tuple[str, str]]
    why: str  # the numbers of outputs differ: `2 -> 1 output`
    unread: list[str]  # the inputs of the model after that no node reads: they have no counterpart
    notes: list[str]  # what was reordered, renamed or removed


def interface(before: ModelProto, after: ModelProto) -> Interface:
    """The interface of two models. Raises ExecutionFailed if there are no values for an input."""
    notes: list[str] = []
    given, taken = ([value.name for value in inputs_of(model)] for model in (before, after))
    read = read_names(after)
    unread = [name for name in taken if name not in given and name not in read]
    if unread:  # a pass that made them constants has left them behind
        notes.append(f"no node reads the new {counted(len(unread), 'input')} {', '.join(unread)}")
        taken = [name for name in taken if name not in unread]
    new = [name for name in taken if name not in given]
    if len(taken) > len(given):
        raise ExecutionFailed(
            f"the models have {len(given)} and {len(taken)} inputs: there is no value for {', '.join(new)}"
        )
    if len(taken) < len(given):
        if new:
            raise ExecutionFailed(f"the models have {len(given)} and {counted(len(taken), 'input')}")
        gone = [name for name in given if name not in taken]
        notes.append(f"{counted(len(gone), 'input')} removed: {', '.join(gone)}")
    inputs = list(_pairs("inputs", given, taken, notes))
    outputs = [[value.name for value in model.graph.output] for model in (before, after)]
    why = "" if len(outputs[0]) == len(outputs[1]) else f"{len(outputs[0])} -> {counted(len(outputs[1]), 'output')}"
    return Interface(inputs, list(_pairs("outputs", outputs[0], outputs[1], notes)), why, unread, notes)


def _pairs(what: str, old: Sequence[str], new: Sequence[str], notes: list[str]) -> Iterator[tuple[str, str]]:
    if set(old) == set(new) or len(old) != len(new):
        common = [name for name in old if name in new]
        if common and common != [name for name in new if name in old]:
            notes.append(f"the {what} are in another order: {', '.join(new)}")
        if common:
            yield from ((name, name) for name in common)
            return
    renamed = [(a, b) for a, b in zip(old, new, strict=False) if a != b]
    if renamed:
        more = f" and {len(renamed) - 3} more" if len(renamed) > 3 else ""
        notes.append(f"{what} renamed: " + ", ".join(f"{a} -> {b}" for a, b in renamed[:3]) + more)
    yield from zip(old, new, strict=False)
