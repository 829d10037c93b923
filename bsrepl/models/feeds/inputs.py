"""Inputs that people give, in any form: arrays, files, one set or several; and the outputs that they expect."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from ...errors import UnreadableInputs
from ...text.format import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Values by the names of the inputs, or by their places.
Set = dict[str | int, Any]


class Given(NamedTuple):
    """What models of a name are executed on."""

    sets: list[Set] | None = None  # None: they are generated
    shapes: Mapping[str, Any] | None = None  # sizes of dynamic dimensions, and shapes of inputs, by their names
    expected: Sequence[Set] = ()  # outputs for each of the sets

    def options(self) -> dict[str, Any]:
        """These as options of `verify`."""
        return {"inputs": self.sets, "shapes": self.shapes, "expected": self.expected}

    def __repr__(self) -> str:
        """`2 sets of inputs: x [1,3,8,8]; N=4`"""
        parts = [f"{size_name}={size}" for size_name, size in (self.shapes or {}).items()]
        if self.sets is not None:
            shown = ", ".join(f"{name} {list(np.shape(value))}" for name, value in self.sets[0].items())
            parts.insert(0, f"{counted(len(self.sets), 'set')} of inputs: {shown}")
        if self.expected:
            parts.append(f"{counted(len(self.expected), 'set')} of expected outputs")
        return "; ".join(parts) or "generated inputs"


def given(inputs: Any = None, shapes: Mapping[str, Any] | None = None, expected: Any = None) -> Given:
    """Inputs, shapes and expected outputs as people write them. Raises UnreadableInputs."""
    sets = None if inputs is None else _sets(inputs)
    outputs = [] if expected is None else _sets(expected)
    if outputs and len(outputs) != len(sets or ()):
        counts = f"{counted(len(outputs), 'set')} of outputs, {counted(len(sets or ()), 'set')} of inputs"
        raise UnreadableInputs(f"{counts}; give the outputs that are expected for each set of inputs")
    return Given(sets, shapes, outputs)


def _sets(values: Any) -> list[Set]:
    """A mapping, an array, a file or a list of arrays is one set; a list of mappings, lists or files is several."""
    if isinstance(values, (list, tuple)) and values and all(map(_is_set, values)):
        return [_set(value) for value in values]
    return [_set(values)]


def _is_set(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple, str, os.PathLike)) and not _is_numbers(value)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and not any(isinstance(item, np.ndarray) for item in value)


def _set(values: Any) -> Set:
    if isinstance(values, (str, os.PathLike)):
        return _read(Path(os.path.expanduser(values)))
    if isinstance(values, Mapping):
        return {key: _array(key, value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return {place: _array(place, value) for place, value in enumerate(values)}
    if isinstance(values, np.ndarray):
        return {0: values}
    raise UnreadableInputs(
        f'inputs are arrays by name, as inputs(m, {{"x": array}}), a list of such sets, or a .npy or .npz file; '
        f"this is of type {type(values).__name__}"
    )


def _array(key: Any, value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise UnreadableInputs(f"the value for {key} is not an array: its rows differ in length") from error


def _read(path: Path) -> Set:
    """The arrays of a `.npz` file by their names, by their places if they have none; that of a `.npy` file."""
    try:
        content = np.load(path, allow_pickle=False)
    except OSError as error:
        raise UnreadableInputs(f"{path} cannot be read: {(error.strerror or 'it is damaged').lower()}") from error
    except (ValueError, EOFError, BadZipFile) as error:
        what = "is not a .npy or .npz file, or holds Python objects"
        raise UnreadableInputs(f'{path} {what}; np.savez("inputs.npz", x=array) writes one') from error
    if isinstance(content, np.ndarray):
        return {0: content}
    with content:
        names = content.files
        has_places = all(name == f"arr_{place}" for place, name in enumerate(names))
        return {place if has_places else name: content[name] for place, name in enumerate(names)}
