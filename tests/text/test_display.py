"""How values are shown."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from bsrepl.models.workbench import load
from bsrepl.text.values import shown

from ..conftest import Screen

VALUES = {
    "a number": (42, "42"),
    "a string": ("a\nb", "'a\\nb'"),
    "a short container": ({"b": [1, 2], "a": ()}, "{'b': [1, 2], 'a': ()}"),
    "a long container": (
        {"inputs": ["first_input", "second_input"], "outputs": ["first_output"]},
        "{'inputs': ['first_input', 'second_input'],\n 'outputs': ['first_output']}",
    ),
}


@pytest.mark.parametrize(("value", "text"), VALUES.values(), ids=VALUES)
def test_values_and_their_texts(value: object, text: str) -> None:
    assert shown(value, 60) == (text, "")


def test_what_is_too_long_is_cut_and_counted() -> None:
    text, cut = shown(list(range(100_000)), 80)
    assert text.startswith("[0, 1, 2, 3,")
    assert len(text.splitlines()) <= 300
    assert cut == "99,000 more items"
    text, cut = shown("x" * 10_000_000, 80)
    assert len(text) < 31_000
    assert cut == "9,970,000 more characters"
    assert shown({n: [n] * 10 for n in range(10_000)}, 80)[1].endswith(" more items")


class Long:
    def __init__(self, lines: int) -> None:
        self.lines = lines

    def __repr__(self) -> str:
        return "\n".join(["line"] * self.lines)


def test_a_long_text_is_cut_by_lines() -> None:
    assert shown(Long(300), 80) == ("\n".join(["line"] * 300), "")
    text, cut = shown(Long(100_000), 80)
    assert text.count("\n") == 299
    assert cut == "99,700 more lines"


def test_only_what_is_shown_of_a_container_is_asked_for_its_text() -> None:
    asked = []

    class Item:
        def __repr__(self) -> str:
            asked.append(self)
            return "item"

    shown([[Item() for _ in range(500)] for _ in range(500)], 80)
    assert len(set(asked)) <= 500


def test_a_container_in_itself_and_a_deep_one_are_shown() -> None:
    loop: list[object] = [1]
    loop.append(loop)
    assert "<Recursion on list" in shown(loop, 80)[0]
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep, 80)[0] == "<list that is nested too deeply to be shown>"


class Broken:
    def __repr__(self) -> str:
        raise self.error()

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error


@pytest.mark.parametrize("error", [ValueError, SystemExit, RecursionError])
def test_a_repr_that_raises_is_told_as_that(error: type[BaseException]) -> None:
    said = f"<Broken whose __repr__ raises {error.__name__}"
    assert said in shown(Broken(error), 80)[0]
    assert said in shown({"a": [Broken(error)]}, 80)[0]


def test_numpy_arrays_are_shown_as_numpy_does(screen: Screen) -> None:
    told = screen.type("import numpy as np\nnp.arange(6, dtype=np.float32).reshape(2, 3)")
    assert told == "array([[0., 1., 2.],\n       [3., 4., 5.]], dtype=float32)\n"
    assert "..." in screen.type("np.zeros(100_000)")


def test_models_graphs_and_nodes_take_a_few_lines() -> None:
    model = load("mnist-conv")
    told, _ = shown(model, 100)
    assert told.splitlines() == [
        "ModelWrapper CNTKGraph  12 nodes  5,998 parameters (24.2 kB)  opset 8",
        "  in   Input3  FLOAT [1, 1, 28, 28]",
        "  out  Plus214_Output_0  FLOAT [1, 10]",
        "  ops  Add 3, Reshape 2, Conv 2, Relu 2, MaxPool 2, MatMul 1",
    ]
    assert shown(model.model, 100)[0].startswith("ModelProto CNTKGraph  12 nodes")
    assert shown(model.graph, 100)[0].startswith("GraphProto CNTKGraph  12 nodes")
    node, _ = shown(model.get_nodes_by_op_type("Conv")[0], 100)
    assert node.splitlines()[0] == "Conv  Convolution28"
    assert "  in   Input3, Parameter5\n  out  Convolution28_Output_0\n" in node
    assert "  kernel_shape=[5, 5]\n" in f"{node}\n"
    assert "  auto_pad=SAME_UPPER\n" in f"{node}\n"


def test_what_is_in_sub_graphs_and_in_constant_nodes_counts() -> None:
    def branch(name: str) -> Any:
        held = numpy_helper.from_array(np.ones([10, 10], np.float32))
        nodes = [helper.make_node("Constant", [], ["w"], value=held), helper.make_node("Mul", ["x", "w"], [name])]
        return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("a"), else_branch=branch("b"))
    ends = [helper.make_tensor_value_info(name, kind, None) for name, kind in (("c", 9), ("x", 1), ("y", 1))]
    lines = shown(helper.make_graph([node], "test", ends[:2], ends[2:]), 100)[0].splitlines()
    assert lines[0].startswith("GraphProto test  1 node and 4 in sub-graphs  200 parameters (8")
    assert lines[-1] == "  ops  Constant 2, Mul 2, If 1"


def test_a_model_is_wrapped_between_words() -> None:
    told, _ = shown(load("mnist-conv"), 40)
    assert all(len(line) <= 40 for line in told.splitlines())
    assert "\n  ops  Add 3, Reshape 2, Conv 2, Relu 2,\n       MaxPool 2, MatMul 1" in told


def test_what_a_model_is_made_of_takes_a_line_each() -> None:
    model = load("mnist-conv")
    nodes, _ = shown(model.graph.node, 100)
    assert len(nodes.splitlines()) == 12
    assert "\n 1  Conv Convolution28: Input3, Parameter5 -> Convolution28_Output_0\n" in nodes
    assert all(len(line) <= 40 for line in shown(model.graph.node, 40)[0].splitlines())
    assert shown(model.graph.initializer[0], 100)[0] == "<TensorProto Parameter193: FLOAT [16, 4, 4, 10]>"
    assert shown(model.graph.input[0], 100)[0] == "<ValueInfoProto Input3: FLOAT [1, 1, 28, 28]>"
    assert shown({"model": model}, 100)[0] == "{'model': <ModelWrapper CNTKGraph: 12 nodes>}"
    assert re.search(r"<AttributeProto \w+=", shown(model.graph.node[1].attribute[0], 100)[0])


def test_annotated_datatypes_are_those_of_qonnx() -> None:
    from qonnx.core.datatype import DataType

    model = load("mnist-conv")
    model.set_tensor_datatype("Input3", DataType["INT4"])
    assert "  in   Input3  INT4 [1, 1, 28, 28]\n" in shown(model, 100)[0]


def test_a_cut_value_is_held_whole(screen: Screen) -> None:
    told = screen.type("list(range(100_000))")
    assert told.endswith("... 99,000 more items; _ holds all of it\n")
    assert screen.type("len(_)") == "100000\n"


def test_a_semicolon_silences(screen: Screen) -> None:
    assert screen.type("42;") == ""
    assert screen.type("'_' in globals()") == "False\n"


def test_the_last_two_values_are_kept(screen: Screen) -> None:
    screen.type("1")
    screen.type("2")
    assert screen.type("_, __") == "(2, 1)\n"


def test_control_characters_are_shown_and_not_obeyed(screen: Screen) -> None:
    screen.type("class Evil:\n    __repr__ = lambda self: 'a\\x1b[2Jb\\rc\\u202ed\\te\\nf'")
    assert screen.type("Evil()") == "a\\x1b[2Jb\\rc\\u202ed\te\nf\n"
    assert "\x1b" not in screen.type("raise ValueError('\\x1b[2J')")
