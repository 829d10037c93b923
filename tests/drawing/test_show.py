"""`show(m)` at the prompt."""

from __future__ import annotations

import io
from importlib.util import find_spec

import pytest

from bsrepl.text.terminal import Terminal

from ..conftest import Screen

WHOLE = """\
ModelWrapper CNTKGraph  11 nodes  5,996 parameters (24.2 kB)  opset 8
  in   global_in  FLOAT [1, 1, 28, 28]
  out  global_out  FLOAT [1, 10]
  ops  Add 3, Conv 2, Relu 2, MaxPool 2, Reshape 1, MatMul 1

○  input  global_in  [1,1,28,28]
●  Conv  Conv_0  5x5 W[8,1,5,5]  -> [1,8,28,28]
●  Add  Add_0  W[8,1,1]  -> [1,8,28,28]
●  Relu  Relu_0  -> [1,8,28,28]
●  MaxPool  MaxPool_0  2x2 strides=2  -> [1,8,14,14]
●  Conv  Conv_1  5x5 W[16,8,5,5]  -> [1,16,14,14]
●  Add  Add_1  W[16,1,1]  -> [1,16,14,14]
●  Relu  Relu_1  -> [1,16,14,14]
●  MaxPool  MaxPool_1  3x3 strides=3  -> [1,16,4,4]
●  Reshape  Reshape_0  [1,256]  -> [1,256]
●  MatMul  MatMul_0  W[256,10]  -> [1,10]
●  Add  Add_2  W[1,10]  -> [1,10]
◎  output  global_out  [1,10]
"""

FOLDED = f"""\
{WHOLE[: WHOLE.index("●  Add")]}\
⋮  9 nodes: Add 2, Relu 2, MaxPool 2, Conv, 2 more
{WHOLE[WHOLE.index("●  Add  Add_2") :]}"""

AROUND = """\
⋮  6 nodes: Conv 2, Add 2, Relu, MaxPool
●  Relu  Relu_1  -> [1,16,14,14]
●  MaxPool  MaxPool_1  3x3 strides=3  -> [1,16,4,4]
●  Reshape  Reshape_0  [1,256]  -> [1,256]
⋮  2 nodes: MatMul, Add
"""


@pytest.fixture
def m(screen: Screen) -> Screen:
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    return screen


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("show(m)", WHOLE),
        ("show(m.model, around='MaxPool_1', hops=1)", AROUND),
        ("show(m, around='ool_1', hops=1)", AROUND),
        ("show(m, lines=11)", FOLDED),
        ("show(m, lines=8)", FOLDED[: FOLDED.index("⋮")] + (
            "10 more nodes; show(m, around=NAME) and show(m, op=TYPE) draw a part, show(m, lines=0) draws all\n")),
    ],
)  # fmt: skip
def test_a_model_is_drawn(m: Screen, command: str, shown: str) -> None:
    assert m.type(command).replace("ModelProto", "ModelWrapper") == shown


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("show(m, around='maxpool')", "no node or tensor 'maxpool'; nearest: MaxPool_0, MaxPool_0_out0, MaxPool_1"),
        ("show(m, op='Quant')", "no node of the op type 'Quant'; there are: Conv, Add, Relu"),
        ("show(m, op='MatMul', around='Conv_0')", "no node of the op type 'MatMul' within 2 hops of Conv_0; nearest"),
    ],
)
def test_a_part_that_is_missing_is_told_with_the_nearest_names(m: Screen, command: str, message: str) -> None:
    assert message in m.type(command)


def test_a_viewer_that_is_missing_is_told_with_the_way_without(m: Screen) -> None:
    assert "viewer is \"netron\", not 'Netron 9'" in m.type("show(m, viewer='Netron 9')")
    if find_spec("netron") is None:
        assert m.type("show(m, viewer='netron')") == (
            'DrawingError: netron is not installed: pip install netron; draw(m, "m.html") needs none\n'
        )


def test_where_the_encoding_is_ascii_so_is_the_drawing() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Terminal(stream, color=False).write([("", "○ ● ◎ │ ├─┼─┤ ╰─┴─╯ ╭─┬─╮ ⋮\n")])
    stream.seek(0)
    assert stream.read() == "o * @ | +-|-+ '-'-' .-.-. :\n"
