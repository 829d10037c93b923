"""A pass that is watched: it runs again when its file is saved, and what is different is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Screen

PASS = """\
import _which
from qonnx.transformation.base import Transformation

@transform
class Swap(Transformation):
    def apply(self, model):
        model.get_nodes_by_op_type("Relu")[{which}].op_type = "{op}"
        return model, False
"""


class Bench:
    """A model, a plugin file with a pass, and a console."""

    def __init__(self, screen: Screen, folder: Path) -> None:
        self.screen = screen
        self.folder = folder
        self.write("_which.py", "NUMBER = 0\n")
        self.save(0, "Relu")
        screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")

    def write(self, name: str, text: str) -> str:
        """Saves a file and returns what the shell says of it."""
        (self.folder / name).write_text(text)
        start = self.screen.out.tell()
        self.screen.console.look()
        return self.screen.out.getvalue()[start:]

    def save(self, which: int, op: str) -> str:
        return self.write("swap.py", PASS.format(which=which, op=op))


@pytest.fixture
def bench(screen: Screen, tmp_path: Path) -> Bench:
    return Bench(screen, tmp_path / "plugins")


def test_each_save_tells_what_is_different_with_the_proof(bench: Bench) -> None:
    output = bench.screen.type("w = watch(m, tfm.Swap); w")
    assert output == (
        "watch: Swap   11 nodes\n"
        "  OK  same outputs: largest difference 0.0e+00 (relative 0e+00), same argmax, 4 inputs\n"
    )

    output = bench.save(0, "Sigmoid")
    assert "~ tfm.Swap  apply() changed" in output
    told = output[output.index("watch:") :].splitlines()
    assert told[:3] == [
        "watch: Swap  against the last result   11 nodes   1 rewrite, 10 untouched",
        "  - Relu  Relu_0  [1,8,28,28] -> [1,8,28,28]",
        "  + Sigmoid",
    ]
    assert told[3].startswith("  DIFFERENT  other outputs: largest ")

    output = bench.save(1, "Sigmoid")  # from the same model: Relu_0 is one again
    assert "  - Sigmoid  Relu_0" in output
    assert "  - Relu  Relu_1" in output
    assert bench.screen.type("w.model.graph.node[2].op_type, m.graph.node[2].op_type") == "('Relu', 'Relu')\n"

    output = bench.write("swap.py", PASS.format(which=1, op="Sigmoid").replace("return", "x = 1\n        return"))
    assert output.endswith("watch: Swap   the same result as before\n")


def test_a_helper_of_its_file_counts_and_other_files_do_not(bench: Bench) -> None:
    bench.screen.type("w = watch(m, tfm.Swap)")
    assert "watch: Swap   the same result as before\n" in bench.write("_which.py", "NUMBER = 1\n")
    assert "watch:" not in bench.write("other.py", "@transform\nclass Other: ...\n")


def test_a_pass_that_it_applies_counts(bench: Bench) -> None:
    bench.write("outer.py", "@step\ndef outer(model, cfg=None):\n    return model.transform(tfm.Swap())\n")
    bench.screen.type("w = watch(m, [tfm.InferShapes, steps.outer])")
    assert "watch: InferShapes, outer  against the last result   11 nodes   1 rewrite" in bench.save(0, "Tanh")


def test_a_save_that_fails_keeps_the_last_result(bench: Bench) -> None:
    bench.screen.type("w = watch(m, tfm.Swap)")
    assert "watch:" not in bench.write("swap.py", "x =")
    output = bench.save(7, "Tanh")
    assert " ".join(output[output.index("watch:") :].split()) == (
        "watch: stopped at Swap, pass 1 of 1: IndexError: list index out of range (apply, swap.py:7); "
        "the last result is kept"
    )
    assert bench.screen.type("w.model.graph.node[2].op_type") == "'Relu'\n"
    assert "  - Relu  Relu_0" in bench.save(0, "Tanh")


def test_an_instance_follows_and_one_that_cannot_is_told(bench: Bench) -> None:
    bench.screen.type("w = watch(m, tfm.Swap())")
    assert "  + Tanh" in bench.save(0, "Tanh")
    output = bench.write(
        "swap.py",
        PASS.format(which=0, op="Elu") + "    def __init__(self, x=1):\n        self.x = x\n",
    )
    assert "watch: Swap is no longer what its file defines; call watch again\n" in output
    assert "Elu" not in output


def test_a_pass_that_is_gone_is_told(bench: Bench) -> None:
    bench.screen.type("w = watch(m, tfm.Swap)")
    assert "watch: Swap is no longer what its file defines" in bench.write("swap.py", "y = 1\n")


def test_control_c_stops_it_and_the_last_result_is_kept(bench: Bench) -> None:
    bench.screen.type("w = watch(m, tfm.Swap)")
    stopping = "import signal; signal.raise_signal(signal.SIGINT)\n        return"
    output = bench.write("swap.py", PASS.format(which=0, op="Elu").replace("return", stopping))
    told = " ".join(output[output.index("watch:") :].split())
    assert told == "watch: stopped at Swap, pass 1 of 1: KeyboardInterrupt (apply, swap.py:8); the last result is kept"
    assert bench.screen.type("w.model.graph.node[2].op_type") == "'Relu'\n"


def test_a_watch_is_replaced_listed_and_stopped(bench: Bench) -> None:
    bench.screen.type("v = watch(m, tfm.Swap); w = watch(m, tfm.Swap)")
    assert bench.screen.type("watch()") == "[<watch on Swap>]\n"
    assert bench.save(0, "Elu").count("watch:") == 1
    assert bench.screen.type("w.stop(); watch()") == "[]\n"
    assert "watch:" not in bench.save(0, "Tanh")
