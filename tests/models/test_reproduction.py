"""A failure or a difference as a folder that shows it with plain QONNX."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ..command_line import forked_program
from ..conftest import Screen, files, unwrapped

#: Runs a script as if bsrepl was not installed.
_ALONE = """
import os, runpy, sys
for name in [name for name in sys.modules if name.partition(".")[0] == "bsrepl"]:
    del sys.modules[name]
sys.modules["bsrepl"] = None
sys.path[0] = os.path.dirname(sys.argv[1])
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def run_alone(folder: Path) -> CompletedProcess[str]:
    """What the script of a reproduction does in a process without bsrepl."""
    alone = folder / "alone.py"
    alone.write_text(_ALONE)
    done = forked_program(alone, folder / "reproduce.py", cwd=folder)
    alone.unlink()
    return done


@pytest.fixture
def bench(screen: Screen) -> Screen:
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    return screen


def reproduced(screen: Screen, folder: Path) -> CompletedProcess[str]:
    """What the script of a new reproduction does."""
    output = screen.type(f"reproduce({str(folder)!r})")
    script = folder / "reproduce.py"
    assert output == f"{script} shows it: python {script}\n"
    return run_alone(folder)


PLUGINS = {
    "_by.py": "FACTOR = 1.01\n",
    "scale.py": """
        from _by import FACTOR

        @transform(stage="cleanup")
        class Scale(tfm.qonnx.InferShapes):
            def __init__(self, index, factor=FACTOR):
                super().__init__()
                self.index, self.factor = index, factor

            def apply(self, model):
                name = model.get_nodes_by_op_type("MatMul")[self.index].input[1]
                model.set_initializer(name, self.factor * model.get_initializer(name))
                return model, False
        """,
}


def test_a_pass_of_a_plugin_file_that_computes_something_else(bench: Screen, tmp_path: Path) -> None:
    files(tmp_path / "plugins", PLUGINS)
    bench.type("pass")
    assert "DIFFERENT" in bench.type("n = m.transform(tfm.Scale(0))")
    files(tmp_path / "plugins", {"scale.py": "x = 1"})
    bench.type("pass")  # what was executed counts, not what is on disk
    done = reproduced(bench, tmp_path / "found")
    assert done.stdout.splitlines()[-1] == "DIFFERENT", done.stderr
    assert done.stdout.startswith("global_out: (1, 10) -> (1, 10), largest difference ")
    assert done.returncode == 1
    made = sorted(path.relative_to(tmp_path / "found").as_posix() for path in (tmp_path / "found").rglob("*.*"))
    assert [name for name in made if "pyc" not in name] == [
        "after.onnx", "before.onnx", "inputs.npz", "plugins/_by.py", "plugins/scale.py", "reproduce.py",
        "reproduction_support.py",
    ]  # fmt: skip
    assert "Scale, {'index': 0, 'factor': 1.01}" in (tmp_path / "found" / "reproduce.py").read_text()


def test_a_pass_that_fails(bench: Screen, tmp_path: Path) -> None:
    files(tmp_path / "plugins", PLUGINS)
    assert "IndexError" in bench.type("n = m.transform(tfm.Scale(5))")
    done = reproduced(bench, tmp_path / "found")
    assert done.returncode == 1
    assert done.stderr.endswith("IndexError: list index out of range\n")
    assert "found/plugins/scale.py" in done.stderr


def test_a_class_that_was_pasted(bench: Screen, tmp_path: Path) -> None:
    bench.type("import numpy as np\ndef worse(values):\n    return np.abs(values)")
    bench.type("""
        class Abs(tfm.InferShapes):
            def apply(self, model):
                name = model.get_nodes_by_op_type("MatMul")[0].input[1]
                model.set_initializer(name, worse(model.get_initializer(name)))
                return model, False
    """)
    bench.type("t = trace(m, [tfm.InferShapes, Abs, tfm.GiveUniqueNodeNames])")
    done = reproduced(bench, tmp_path / "found")
    assert done.stdout.endswith("DIFFERENT\n"), done.stderr


def test_a_step_of_the_framework_that_fails(bench: Screen, tmp_path: Path) -> None:
    bench.type("t = trace(m, [steps.qonnx.cleanup, tfm.ConvertToChannelsLastAndClean])")
    done = reproduced(bench, tmp_path / "found")
    assert done.returncode == 1
    assert "Required attribute pads unspecified in a Conv node" in " ".join(done.stderr.split())


def test_a_file_may_use_its_own_plugins(bench: Screen, tmp_path: Path) -> None:
    files(tmp_path / "plugins", {"own.py": """
        from qonnx.transformation.base import Transformation

        @transform
        class Break(Transformation):
            def apply(self, model):
                raise ValueError(f"no {model.graph.node[0].op_type}")

        @step(category="cleanup")
        def breaking(model, cfg):
            return model.transform(tfm.Break())
    """})  # fmt: skip
    bench.type("t = trace(m, [steps.breaking])")
    done = reproduced(bench, tmp_path / "found")
    assert done.stderr.endswith("ValueError: no Conv\n")
    assert done.returncode == 1


def test_two_models_without_a_pass(bench: Screen, tmp_path: Path) -> None:
    bench.type("from copy import deepcopy; n = deepcopy(m)")
    bench.type("n.set_initializer('MatMul_0_param0', 2 * n.get_initializer('MatMul_0_param0'))")
    assert bench.type("bool(verify(m, n))") == "False\n"
    done = reproduced(bench, tmp_path / "found")
    assert done.stdout.endswith("DIFFERENT\n"), done.stderr


def test_a_model_that_cannot_be_executed_any_more(bench: Screen, tmp_path: Path) -> None:
    bench.type("from copy import deepcopy; n = deepcopy(m)")
    bench.type("n.set_initializer('MatMul_0_param0', n.get_initializer('MatMul_0_param0')[:5])")
    verdict = unwrapped(bench.type("verify(m, n)"))
    assert verdict.startswith("BROKEN  it could be executed before and cannot now: the model cannot be executed: ")
    done = reproduced(bench, tmp_path / "found")
    assert " ".join(done.stdout.split())[:120] == " ".join(verdict.split())[:120], done.stderr
    assert done.returncode == 1


def test_what_cannot_be_written_down_says_so(bench: Screen, tmp_path: Path) -> None:
    folder = str(tmp_path / "found")
    assert "ReproductionError: there is nothing to reproduce" in bench.type(f"reproduce({folder!r})")
    bench.type("""
        class Fails(tfm.InferShapes):
            def __init__(self): self.held = object()
            def apply(self, model): raise ValueError("x")
    """)
    bench.type("m.transform(Fails())")
    output = bench.type(f"reproduce({folder!r})")
    assert "ReproductionError: Fails holds a value that cannot be written as source: {'held': <object" in output
    bench.type("""
        class Slotted:
            __slots__ = ("size",)
            def apply(self, model): raise ValueError("y")
    """)
    assert "ValueError: y" in bench.type("m.transform(Slotted())")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    bench.type("m.transform(tfm.LowerConvsToMatMul)")  # fails, but that is a slip of the call
    bench.type("trace(m, [tfm.ConvertToChannelsLastAndClean])")
    refused = bench.type(f"reproduce({str(tmp_path / 'full')!r})")
    assert "is not an empty folder; give the name of a new one" in unwrapped(refused)
    below_a_file = str(tmp_path / "full" / "letter.txt" / "found")
    assert "cannot be written: Not a directory" in unwrapped(bench.type(f"reproduce({below_a_file!r})"))


def test_a_step_that_edits_its_model_in_place(bench: Screen, tmp_path: Path) -> None:
    files(tmp_path / "plugins", {"edit.py": """
        @step(category="cleanup")
        def doubling(model, cfg):
            name = model.get_nodes_by_op_type("MatMul")[0].input[1]
            model.set_initializer(name, 2 * model.get_initializer(name))
            return model
    """})  # fmt: skip
    bench.type("t = trace(m, [steps.doubling])")
    done = reproduced(bench, tmp_path / "found")
    assert done.stdout.endswith("DIFFERENT\n"), done.stderr
