"""`assert_same`: what a test of a pass says, and what it shows when it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

from bsrepl import assert_same
from bsrepl.models.workbench import load

from ..command_line import forked_program


def scaled(factor: float) -> object:
    """The sample, with another bias."""
    model = load("mnist-conv")
    model.set_initializer("Parameter194", model.get_initializer("Parameter194") * np.float32(factor))
    return model


def test_models_that_compute_the_same_pass() -> None:
    model = load("mnist-conv")
    assert_same(model, model.transform(LowerConvsToMatMul()))
    assert_same("mnist-conv", model.transform(InferShapes()))
    assert_same(model, scaled(1.05), tolerance=0.5)


def test_a_failure_fits_a_screen_and_names_the_node() -> None:
    with pytest.raises(AssertionError) as failed:
        assert_same("mnist-conv", scaled(1.05), inputs=np.zeros((1, 1, 28, 28), "float32"))
    verdict, headline, *lines = str(failed.value).splitlines()
    assert verdict.startswith("DIFFERENT  other outputs: largest difference 7.0e-03")
    assert "1 input; first at Plus214_Output_0, from Add Plus214" in verdict
    assert headline == "12 nodes   1 edited, 11 untouched"
    assert lines == ["~ Add  Plus214  input 1 [1,10] 10 of 10 values, by up to 0.00701 (largest 0.14)"]
    with pytest.raises(AssertionError) as failed:
        assert_same("mnist-conv", "residual_block_clean")
    assert len(str(failed.value).splitlines()) <= 20


def test_equal_models_are_executed_if_outputs_are_expected() -> None:
    zero: Any = np.zeros((1, 1, 28, 28), "float32")
    with pytest.raises(AssertionError, match=r"^DIFFERENT"):
        assert_same("mnist-conv", "mnist-conv", inputs=zero, expected=np.ones((1, 10), "float32"))


def test_a_verdict_is_plain_json() -> None:
    from bsrepl.models.proof.verify import verify

    verdict = verify(load("mnist-conv"), scaled(1.05), probe_count=1)
    values = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert (values["outcome"], values["agrees"], values["first"]["node"]) == ("DIFFERENT", False, "Add Plus214")


@pytest.mark.parametrize("ci", ["", "true"])  # where it is set, pytest shows the message once more, in its summary
def test_pytest_shows_the_line_of_the_test_and_the_verdict(tmp_path: Path, ci: str) -> None:
    (tmp_path / "test_it.py").write_text(
        "from bsrepl import assert_same\n\ndef test():\n    assert_same('mnist-conv', 'matmul_update/sdp')\n"
    )
    program = tmp_path / "run.py"
    program.write_text("import sys, pytest\n\nsys.exit(pytest.main(sys.argv[1:]))\n")
    done = forked_program(program, "-q", "-p", "no:cacheprovider", "-W", "error", tmp_path, cwd=tmp_path, CI=ci)
    assert done.returncode == 1
    assert ">       assert_same('mnist-conv', 'matmul_update/sdp')" in done.stdout
    assert "AssertionError: UNPROVEN" in done.stdout
    assert len(done.stdout.splitlines()) < 45  # a screen
