"""The examples: each is executed on a sample model and verified; what the backends write is compiled and run."""

from __future__ import annotations

import ast
import ctypes
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bsrepl.teach.outputs import same_output

from .conftest import Screen

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def shell(screen: Screen, tmp_path: Path) -> Screen:
    """A console with the examples."""
    for path in EXAMPLES.glob("*.py"):
        (tmp_path / "plugins" / path.name).write_bytes(path.read_bytes())
    assert "failed" not in screen.type("pass")
    return screen


CLEAN = "steps.qonnx.cleanup"
TRANSFORMS = [
    ("load('mnist-conv').transform(tfm.LowerConvsToMatMul())", "tfm.NameNodes()", "18 nodes, renamed only"),
    ("load('mnist-conv')", "tfm.InsertTaps('Relu', prefix='probe_')", "12 -> 14 nodes   2 rewrites, 12 untouched"),
    ("load('mnist-conv')", "tfm.ExplicitPads()", "12 nodes   2 edited, 10 untouched"),
    (f"{CLEAN}(load('mnist-conv'))", "tfm.InferFastMatMul()", "11 nodes   1 rewrite, 10 untouched"),
]


@pytest.mark.parametrize(("model", "applied", "told"), TRANSFORMS)
def test_a_transform_does_what_it_says_and_keeps_the_outputs(
    shell: Screen, model: str, applied: str, told: str
) -> None:
    shell.type(f"m = n = {model}")
    said = shell.type(f"n = n.transform({applied})")
    assert said.splitlines()[0].endswith(told), said
    assert shell.type("bool(verify(m, n, probe_count=2))") == "True\n"


def test_taps_are_taken_out_again(shell: Screen) -> None:
    shell.type("m = load('mnist-conv'); n = m.transform(tfm.InsertTaps('Relu')).transform(tfm.InsertTaps('Plus'))")
    shell.type("n = n.transform(tfm.RemoveRedundantOps())")
    assert shell.type("[node.op_type for node in n.graph.node] == [node.op_type for node in m.graph.node]") == "True\n"


def test_the_step_and_the_wrapped_transform(shell: Screen) -> None:
    shell.type("m = load('mnist-conv')")
    assert "n: tidy  mnist-conv   12 -> 11 nodes   1 rewrite, 1 edited" in shell.type("n = steps.tidy(m)")
    assert shell.type("bool(verify(m, n, probe_count=2))") == "True\n"
    assert "RemoveIdentityOps" in shell.type("[each.__name__ for each in tfm.qonnx.RemoveIdentity.__mro__]")
    assert shell.type("bool(verify(m, m.transform(tfm.qonnx.RemoveIdentity()), probe_count=1))") == "True\n"


def test_the_kernel_has_its_backends_and_its_inference(shell: Screen) -> None:
    assert shell.type("backends.for_kernel('FastMatMul').default.__name__") == "'FastMatMulHLS'\n"
    assert shell.type("backends.for_kernel('FastMatMul').missing") == "()\n"
    assert "tfm.InferFastMatMul" in shell.type("tfm.find(kernel='FastMatMul')")
    assert "inferred by" in shell.type("kernels.FastMatMul?")


WEIGHTS = np.random.default_rng(0).integers(-8, 8, (17, 5))
INPUT = np.random.default_rng(1).integers(-128, 128, 17)


def generated(shell: Screen, backend: str) -> str:
    made: Any = shell.console.registry.snapshot.get("backend", backend)
    return str(made.load().generate(WEIGHTS))


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
def test_the_generated_cpp_computes_what_numpy_does(shell: Screen, tmp_path: Path) -> None:
    source, library = tmp_path / "fast_matmul.cpp", tmp_path / "fast_matmul.so"
    source.write_text(generated(shell, "FastMatMulHLS"))
    options = ["-shared", "-fPIC", "-Wall", "-Wno-unknown-pragmas", "-Werror"]
    subprocess.run(["g++", *options, str(source), "-o", str(library)], check=True)
    x: Any = np.ascontiguousarray(INPUT, np.int32)
    y: Any = np.empty(5, np.int32)
    pointers = (each.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)) for each in (x, y))
    ctypes.CDLL(str(library)).fast_matmul(*pointers)
    assert y.tolist() == (INPUT @ WEIGHTS).tolist()


BENCH = """
module bench;
    reg clk = 0, rst = 1, valid = 0;
    reg signed [7:0] x;
    wire signed [159:0] y;
    wire done;
    reg signed [7:0] given [0:16];
    integer k;
    fast_matmul dut (.clk(clk), .rst(rst), .valid(valid), .x(x), .y(y), .done(done));
    initial begin
        $readmemh("x.hex", given);
        #1 clk = 1; #1 clk = 0; rst = 0; valid = 1;
        for (k = 0; k < 17; k = k + 1) begin
            x = given[k];
            #1 clk = 1; #1 clk = 0;
        end
        #1 clk = 1; #1 clk = 0;
        if (!done) $display("not done");
        for (k = 0; k < 5; k = k + 1) $display("%0d", $signed(y[k*32 +: 32]));
    end
endmodule
"""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="there is no iverilog to simulate Verilog with")
def test_the_generated_verilog_computes_what_numpy_does(shell: Screen, tmp_path: Path) -> None:
    (tmp_path / "dut.v").write_text(generated(shell, "FastMatMulRTL"))
    (tmp_path / "bench.v").write_text(BENCH)
    (tmp_path / "x.hex").write_text("".join(f"{int(value) & 255:02x}\n" for value in INPUT))
    subprocess.run(["iverilog", "-Wall", "-o", "sim", "dut.v", "bench.v"], check=True, cwd=tmp_path)
    done = subprocess.run(["vvp", "-n", "sim"], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert [int(line) for line in re.findall(r"^-?\d+$", done.stdout, re.M)] == (INPUT @ WEIGHTS).tolist()
    assert "not done" not in done.stdout


NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))


def tried(name: str) -> list[tuple[str, str]]:
    """The commands that an example tells to try, each with what it says that is printed."""
    told = ast.get_docstring(ast.parse((EXAMPLES / f"{name}.py").read_text())) or ""
    what, _, session = told.partition(" Try it:\n\n>>> ")
    assert re.fullmatch(r"An? [^\n]+\.", what), name
    pairs = [step.partition("\n") for step in session.split("\n>>> ")]
    return [(command, output) for command, _, output in pairs]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_prints_what_it_says_when_its_two_lines_are_tried(
    shell: Screen, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = tried(name)
    assert len(steps) == 2
    assert steps[1][1]
    for command, output in steps:
        capsys.readouterr()
        told = shell.type(command)
        printed = capsys.readouterr().out + told
        assert not output or same_output(output, printed), printed


def test_what_an_example_tells_to_try_can_be_pasted_as_it_stands(shell: Screen) -> None:
    told = ast.get_docstring(ast.parse((EXAMPLES / "name_nodes.py").read_text())) or ""
    assert "m: LowerConvsToMatMul, NameNodes  mnist-conv   12 -> 18 nodes" in shell.type(
        told.partition("Try it:\n\n")[2]
    )
