"""A reproduction cut down to the smallest part of the model that still shows the failure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean

from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.models import reduction
from bsrepl.models.process.prover import Prover
from bsrepl.models.reproduction import reproduction
from bsrepl.models.workbench import load

from ..conftest import EXECUTOR, Screen, files, unwrapped
from .test_reproduction import run_alone

PLUGINS = """
from qonnx.transformation.base import Transformation

def weights(model, op_type):
    for node in model.get_nodes_by_op_type(op_type):
        yield node, model.get_initializer(node.input[1])

@transform
class ScaleLast(Transformation):
    def apply(self, model):
        node, values = list(weights(model, "MatMul"))[-1]
        model.set_initializer(node.input[1], 1.5 * values)
        return model, False

@transform
class Refuse(Transformation):
    def apply(self, model):
        if model.get_nodes_by_op_type("Tanh"):
            raise ValueError("no Tanh, please")
        return model, False

@transform
class Break(Transformation):
    def apply(self, model):
        for node in model.get_nodes_by_op_type("Tanh"):
            node.op_type = "Tahn"
        return model, False
"""

COUNTING = """
from qonnx.transformation.base import Transformation

@transform
class Second(Transformation):
    calls = []

    def apply(self, model):
        if self.calls:
            raise RuntimeError("not again")
        return model, False
"""


def network(layers: int, *, tanh_at: int) -> ModelProto:
    """Layers of a product, a sum with what comes before it, and Relu; after one of them Tanh."""
    rng = np.random.default_rng(0)
    nodes, weights, source = [], [], "x"
    for layer in range(layers):
        values = rng.normal(size=(16, 16)).astype(np.float32) / 4
        weights.append(numpy_helper.from_array(values, f"w{layer}"))
        ends = source, f"p{layer}", f"s{layer}", f"r{layer}"
        nodes.append(helper.make_node("MatMul", [source, f"w{layer}"], [ends[1]], f"MatMul_{layer}"))
        nodes.append(helper.make_node("Add", [ends[1], source], [ends[2]], f"Add_{layer}"))
        op = "Tanh" if layer == tanh_at else "Relu"
        nodes.append(helper.make_node(op, [ends[2]], [ends[3]], f"{op}_{layer}"))
        source = ends[3]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 16]) for name in ("x", source)]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.fixture
def bench(screen: Screen, tmp_path: Path) -> Screen:
    files(tmp_path / "plugins", {"bad.py": PLUGINS})
    onnx.save(network(8, tanh_at=5), tmp_path / "n.onnx")
    screen.type(f"m = load({str(tmp_path / 'n.onnx')!r})")
    return screen


def reduced(screen: Screen, folder: Path) -> tuple[str, list[ModelProto]]:
    """What the shell says, and the models in the folder: the one before, and the one after if no pass returns it."""
    output = screen.type(f"reproduce({str(folder)!r}, reduce=True)")
    assert "reproduce.py shows it" in output, output
    return output, [onnx.load(path) for path in (folder / "before.onnx", folder / "after.onnx") if path.exists()]


def shown(folder: Path) -> str:
    """What the script prints without bsrepl."""
    done = run_alone(folder)
    return done.stdout + done.stderr


def test_a_difference_is_cut_down_to_the_node_that_computes_something_else(bench: Screen, tmp_path: Path) -> None:
    secret = numpy_helper.to_array(bench.names["m"].model.graph.initializer[7])
    assert "DIFFERENT" in bench.type("n = m.transform(tfm.ScaleLast())")
    folder = tmp_path / "found"
    output, (model,) = reduced(bench, folder)
    assert "24 -> 1 node, " in output
    assert [node.op_type for node in model.graph.node] == ["MatMul"]
    with np.load(folder / "inputs.npz") as inputs:
        assert {name: value.shape for name, value in inputs.items()} == {"r6": (2, 16)}
    (left,) = model.graph.initializer  # and its values, which are not needed, are not handed on
    assert not np.isin(numpy_helper.to_array(left), secret).any()
    assert "1 weight replaced by random numbers" in output
    assert "24 -> 1 node, " in (folder / "reproduce.py").read_text()
    assert shown(folder).endswith("DIFFERENT\n")


def test_an_exception(bench: Screen, tmp_path: Path) -> None:
    bench.type("n = m.transform(tfm.Refuse())")
    output, (model,) = reduced(bench, tmp_path / "found")
    assert "24 -> 1 node, " in output
    assert [node.op_type for node in model.graph.node] == ["Tanh"]
    assert shown(tmp_path / "found").endswith("ValueError: no Tanh, please\n")


def test_a_model_that_is_broken(bench: Screen, tmp_path: Path) -> None:
    assert "BROKEN" in bench.type("n = m.transform(tfm.Break())")
    output, (model,) = reduced(bench, tmp_path / "found")
    assert "24 -> 1 node, " in output
    assert [node.op_type for node in model.graph.node] == ["Tanh"]


@pytest.mark.parametrize(
    ("edit", "verdict", "name"),
    [
        ("n.set_initializer('w3', 1.1 * n.get_initializer('w3'))", "DIFFERENT", "MatMul_3"),
        ("n.graph.node[17].op_type = 'Tahn'", "BROKEN", "Tanh_5"),
    ],
)
def test_two_models_without_a_pass_are_cut_at_the_same_tensors(
    bench: Screen, tmp_path: Path, edit: str, verdict: str, name: str
) -> None:
    bench.type("from copy import deepcopy; n = deepcopy(m)")
    assert verdict in bench.type(edit + "; verify(m, n)")
    output, models = reduced(bench, tmp_path / "found")
    assert "24 -> 1 node, " in output
    assert [[node.name for node in model.graph.node] for model in models] == [[name], [name]]


@pytest.mark.parametrize("ends", ["stopped by Ctrl-C", "the time was up"])
def test_what_ends_the_search_keeps_the_smallest_part_so_far(ends: str) -> None:
    model = qonnx_steps.cleanup(load("mnist-conv"))
    whole = reproduction("", model, [ConvertToChannelsLastAndClean], source_of=lambda _: None, lookup=lambda *_: None)
    seconds = [0.0]

    def progress(left: int, most: int) -> None:
        seconds.append(61.0)
        if "Ctrl-C" in ends:
            raise KeyboardInterrupt

    result = reduction.reduced(whole, Prover(EXECUTOR), 60.0, lambda: seconds[-1], progress)
    assert str(result).endswith(f"; {ends}, so a smaller part may exist")
    assert 1 < result.nodes[1] < result.nodes[0] == len(model.graph.node)


def test_what_shows_nothing_in_a_process_of_its_own_says_so(bench: Screen, tmp_path: Path) -> None:
    files(tmp_path / "plugins", {"bad.py": COUNTING})
    bench.type("tfm.Second.calls.append(1)")
    assert "RuntimeError: not again" in bench.type("n = m.transform(tfm.Second())")
    output = bench.type(f"reproduce({str(tmp_path / 'found')!r}, reduce=True)")
    assert "ReproductionError: the script does not show the failure in a process of its own" in unwrapped(output)
    assert not (tmp_path / "found").exists()


def test_initializers_that_are_listed_as_inputs_are_no_inputs(bench: Screen, tmp_path: Path) -> None:
    bench.type("t = trace('mnist-conv', tfm.ConvertToChannelsLastAndClean)")
    output, (model,) = reduced(bench, tmp_path / "found")
    assert "12 -> 1 node, " in output
    assert [node.op_type for node in model.graph.node] == ["Conv"]
