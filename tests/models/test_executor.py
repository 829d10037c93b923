"""Models are executed in another process: whatever happens there is a verdict, and the session goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bsrepl.errors import TaskEnded
from bsrepl.models.process.executor import Executor
from bsrepl.models.runtime.packing import Packed

from ..conftest import Screen

OPS = """
import os
import time
import numpy as np
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

BIAS = 1

class Plus(CustomOp):
    def get_nodeattr_types(self):
        return {}
    def make_shape_compatible_op(self, model):
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])
    def infer_node_datatype(self, model):
        pass
    def execute_node(self, context, graph):
        context[self.onnx_node.output[0]] = context[self.onnx_node.input[0]] + np.float32(BIAS)
    def verify_node(self):
        pass

class Minus(Plus):
    def execute_node(self, context, graph):
        context[self.onnx_node.output[0]] = context[self.onnx_node.input[0]] - np.float32(BIAS)

class Crashing(Plus):
    def execute_node(self, context, graph):
        os.abort()

class Signalled(Plus):
    def execute_node(self, context, graph):
        os.kill(os.getpid(), 40)  # one of those for programs of real time

class Endless(Plus):
    def execute_node(self, context, graph):
        while True:
            time.sleep(1)

class Hungry(Plus):
    def execute_node(self, context, graph):
        np.empty(2 ** 45, np.uint8)

def having(op_type):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in "xy"]
    op = helper.make_node(op_type, ["a"], ["y"], domain="qonnx.custom_op.general")
    nodes = [helper.make_node("Relu", ["x"], ["a"]), op]
    return ModelWrapper(helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:])))
"""


@pytest.fixture(params=["plugin file", "prompt"])
def shell(screen: Screen, tmp_path: Path, request: pytest.FixtureRequest) -> Screen:
    """A console that has some custom ops, of a plugin file or of a command."""
    if request.param == "prompt":
        screen.type(OPS)
    else:
        (tmp_path / "plugins" / "ops.py").write_text(OPS)
        screen.type("from ops import having")
    return screen


def test_ops_of_the_session_are_executed(shell: Screen) -> None:
    assert shell.type("verify(having('Plus'), having('Plus'))").startswith("OK  same outputs: ")
    assert "from Plus, now Minus" in shell.type("verify(having('Plus'), having('Minus'))")


@pytest.mark.parametrize(
    ("op_type", "limit", "why"),
    [
        ("Crashing", 10, "its process crashed (SIGABRT)"),
        ("Signalled", 10, "its process crashed (signal 40)"),
        ("Endless", 0.5, "it took longer than 0.5 s; verify(..., limit=5) waits longer"),
        ("Hungry", 10, "MemoryError: Unable to allocate 32.0 TiB"),
    ],
)
def test_a_crash_and_a_limit_are_verdicts(shell: Screen, op_type: str, limit: float, why: str) -> None:
    output = " ".join(shell.type(f"v = verify(having('Plus'), having('{op_type}'), limit={limit}); v").split())
    assert output.startswith("BROKEN it could be executed before and cannot now: ")
    assert why in output
    output = shell.type(f"v = verify(having('{op_type}'), having('Plus'), limit={limit}); v")
    assert output.startswith("UNPROVEN: ")
    assert shell.type("bool(v), v.is_wrong") == "(False, False)\n"


def test_an_op_that_exists_in_the_session_alone_proves_nothing(screen: Screen) -> None:
    screen.type(OPS)
    screen.type("Lost = type('Lost', (Minus,), {}); kernel(Lost)")
    assert "UNPROVEN: the models cannot be executed in another process: LookupError: Lost exists in this session" in (
        " ".join(screen.type("verify(having('Plus'), having('Lost'))").split())
    )


@pytest.fixture
def executor() -> Iterator[Executor]:
    executor = Executor()
    yield executor
    executor.close()


def nothing() -> Packed:
    return Packed(0, iter(()))


def test_what_a_task_raises_comes_through(executor: Executor) -> None:
    with pytest.raises(TaskEnded, match="TypeError") as caught:
        executor.begin(os.path.commonpath, nothing(), 10.0).result()  # type: ignore[arg-type]
    assert "commonpath" in caught.value.trace


def test_the_process_ends_with_the_shell_even_if_that_is_killed(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from bsrepl.models.process.executor import Executor
executor = Executor()
executor.start()
print(executor._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    read, write = os.pipe()  # is at its end when no process has it any more
    started = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, pass_fds=[write], check=False)
    os.close(write)
    assert int(started.stdout) > 0
    with os.fdopen(read) as end:
        assert end.read() == ""
