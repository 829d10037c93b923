"""Inputs of one's own: in any form, kept for a name, used by every later check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bsrepl.errors import UnreadableInputs
from bsrepl.models.feeds.inputs import given

from ..conftest import Screen

ONES: Any = np.ones((1, 1, 28, 28), np.float32)


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ({"x": ONES}, [["x"]]),
        ([ONES, ONES], [[0, 1]]),
        (ONES, [[0]]),
        ([{"x": ONES}, {"x": ONES}], [["x"], ["x"]]),
        ([[ONES], [ONES]], [[0], [0]]),
        ("one.npy", [[0]]),
        ("named.npz", [["x"]]),
        ("placed.npz", [[0, 1]]),
        (["one.npy", "named.npz"], [[0], ["x"]]),
    ],
)
def test_inputs_are_given_in_many_forms(
    inputs: object, names: list[list[object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("one.npy", ONES)
    np.savez("named.npz", x=ONES)
    np.savez("placed.npz", ONES, ONES)
    sets = given(inputs).sets
    assert sets is not None
    assert [list(each) for each in sets] == names


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (7, "inputs are arrays by name, as inputs"),
        ("missing.npy", "missing.npy cannot be read"),
    ],
)
def test_other_values_are_refused(inputs: object, message: str) -> None:
    with pytest.raises(UnreadableInputs, match=message):
        given(inputs)
    with pytest.raises(UnreadableInputs, match="1 set of outputs, 0 sets of inputs"):
        given(expected={"y": ONES})


@pytest.fixture
def m(screen: Screen) -> Screen:
    screen.names["ONES"] = ONES
    screen.type("m = load('mnist-conv')")
    return screen


def test_they_are_kept_for_a_name_and_used_by_every_check(m: Screen) -> None:
    assert m.type("inputs(m, {'Input3': ONES})") == "1 set of inputs: Input3 [1, 1, 28, 28]\n"
    assert "1 input\n" in m.type("m = m.transform(tfm.LowerConvsToMatMul())")
    assert "1 input\n" in m.type("verify(m, m)")
    assert "1 OK" in m.type("t = trace(m, tfm.FoldConstants); t")
    assert m.type("t.rows[0].parity.probes") == "1\n"
    assert "1 input\n" in m.type("w = watch(m, tfm.FoldConstants); w")
    assert m.type("inputs(m, 'generated')") == "generated inputs\n"
    assert "4 inputs\n" in m.type("verify(m, m)")


UNFIT = {
    "{'x': ONES}": "there is no input x",
    "[ONES, ONES]": "there is no input 1",
    "{}": "no value for Input3",
    "ONES[0]": "Input3 is given the shape [1,28,28]",
    "ONES[..., :3]": "Input3 is given the shape [1,1,28,3]",
    "ONES.astype(str)": "Input3 is given text",
    "[{0: ONES}, {0: None}]": "Input3 is given Python objects",
}
UNREADABLE = {
    "m, {0: [[1], [2, 3]]}": "the value for 0 is not an array: its rows differ in length",
    "m, '/dev/null'": "/dev/null is not a .npy or .npz file",
    "m, '/no/such.npz'": "/no/such.npz cannot be read: no such file or directory",
    "m, shapes={'N': 3}": "no input and no dimension is called N; the inputs are Input3 [1,1,28,28]",
    "m, shapes={'Input3': (1, 2)}": "Input3 is given the shape [1, 2]",
    "m, ONES, expected=[ONES, ONES]": "expected: there is no output 1; the model has 1 output: Plus214_Output_0",
    "'n', ONES": "the name n holds no model",
}


def test_a_verdict_says_why_they_do_not_fit(m: Screen) -> None:
    assert "there is no input other; the model takes 1 input: Input3" in m.type("verify(m, m, {'other': ONES})")
    assert "no value for Input3; the model takes 1 input: Input3" in m.type("verify(m, m, {})")
    assert "no name holds this model; assign it first" in m.type("inputs(load('mnist-conv'), {'Input3': ONES})")


def test_what_does_not_fit_is_not_kept(m: Screen) -> None:
    wanted = 'Input3 float32 [1,1,28,28]; for example {"Input3": np.zeros((1, 1, 28, 28), np.float32)}'
    for values, problem in UNFIT.items():
        printed = " ".join(m.type(f"inputs(m, {values})").split())
        assert f"{problem}; the model takes 1 input: {wanted}" in printed
    for values, problem in UNREADABLE.items():
        assert problem in " ".join(m.type(f"inputs({values})").split())
    assert m.type("inputs(m)") == "generated inputs\n"
