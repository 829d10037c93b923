"""What stands below an error, or a command that does less than was meant: what to type instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import Screen, unwrapped


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python itself says so")
@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("alpha_value = 1; alhpa_value", "hint did you mean alpha_value?"),
        ("def f(inner_name): return iner_name\nf(1)", "hint did you mean inner_name?"),
        ("lod('mnist-conv')", "hint did you mean load?"),
    ],
)
def test_a_misspelt_name(screen: Screen, command: str, hint: str) -> None:
    assert hint in screen.type(command)


def test_a_pass_that_is_called_with_a_model(screen: Screen) -> None:
    screen.type("m = load('mnist-conv')")
    hint = "hint a model applies a pass: m = m.transform(tfm.qonnx.InferShapes())"
    assert hint in screen.type("tfm.qonnx.InferShapes(m)")
    assert "hint" not in screen.type("m.transform(tfm.FoldConstants(1, 2, 3))")


def test_a_pass_that_needs_shapes_which_the_model_does_not_have(screen: Screen) -> None:
    screen.type("m = load('mnist-conv'); del m.graph.value_info[:]")
    told = unwrapped(screen.type("m.transform(tfm.LowerConvsToMatMul())"))
    assert "hint the model has no shape for 11 tensors, " in told
    assert told.endswith(", so get_tensor_shape() is None; run m = m.transform(tfm.InferShapes()) first\n")
    screen.type("class Own(tfm.InferShapes):\n    def apply(self, model): return None[0]")
    assert "hint" not in screen.type("m = m.transform(tfm.InferShapes()); m.transform(Own())")


def test_a_result_that_no_name_keeps(screen: Screen) -> None:
    screen.type("m = load('mnist-conv')")
    hint = "hint m itself is as it was; to keep the result: m = m.transform(...)"
    assert hint in screen.type("m.transform(tfm.InferShapes())")
    assert "hint" not in screen.type("n = m.transform(tfm.InferShapes())")


def test_a_pass_that_was_saved_without_its_decorator(screen: Screen) -> None:
    text = "class Fold:\n    def apply(self, model): return model, False\n"
    (screen.folder / "fold.py").write_text(text)
    start = screen.out.tell()
    screen.console.look()
    assert (
        "hint Fold in fold.py has apply() and no decorator; write @transform above it" in screen.out.getvalue()[start:]
    )
    (screen.folder / "fold.py").write_text(f"@transform\n{text}")
    start = screen.out.tell()
    screen.console.look()
    assert "hint" not in screen.out.getvalue()[start:]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python says it in its own message")
def test_a_misspelt_attribute_of_anything_gets_a_hint(screen: Screen) -> None:
    screen.type("m = load('mnist-conv')")
    assert screen.type("m.grph").endswith("hint did you mean .graph?\n")
    assert "hint" not in screen.type("m.nothing_like_it")


def test_what_is_yours_says_so(screen: Screen) -> None:
    screen.type("@transform\nclass Mine:\n    def apply(self, model): return model, False")
    assert "framework  brainsmith (yours)" in screen.type("show(tfm.Mine)")
    assert "(yours)" not in screen.type("show(tfm.RemoveIdentity)")


def test_a_link_to_the_script_runs_it(tmp_path: Path) -> None:
    link = tmp_path / "bsrepl"
    link.symlink_to(Path(__file__).parent.parent.parent / "scripts" / "bsrepl")
    environ = {"BSREPL_VENV": str(Path(sys.executable).parent.parent), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run([link, "--version"], env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("bsrepl "), done.stderr
