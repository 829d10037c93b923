"""What integers the inputs of a model are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bsrepl.errors import ExecutionFailed
from bsrepl.models.feeds.probes import KINDS, Probes
from bsrepl.models.loading import opened

node = helper.make_node
INT64, UINT8, BOOL = TensorProto.INT64, TensorProto.UINT8, TensorProto.BOOL
TABLE: Any = np.zeros((700, 4), np.float32)
SMALL: Any = np.zeros((4, 5), np.float32)
CLASSES: Any = np.arange(30)


def reading(*nodes: NodeProto, name: str = "x", element: int = INT64, **constants: Any) -> ModelProto:
    """A model that reads integers."""
    kept = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
    inputs = [helper.make_tensor_value_info(name, element, [40, 40])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    return helper.make_model(helper.make_graph(list(nodes), "g", inputs, outputs, kept))


GATHER = node("Gather", ["t", "x"], ["y"])
MODELS = {
    "a table": (reading(GATHER, t=TABLE), 0, 699),
    "another axis of a table": (reading(node("Gather", ["t", "x"], ["y"], axis=1), t=SMALL), 0, 4),
    "a table that is cast": (
        reading(node("Cast", ["t"], ["c"], to=1), node("Gather", ["c", "x"], ["y"]), t=SMALL), 0, 3,
    ),
    "an index that is reshaped": (
        reading(node("Reshape", ["x", "s"], ["r"]), node("Gather", ["t", "r"], ["y"]), t=TABLE, s=[-1]), 0, 699,
    ),
    "two tables": (reading(GATHER, node("Gather", ["u", "x"], ["z"]), t=TABLE, u=SMALL), 0, 3),
    "a one-hot encoding": (reading(node("OneHot", ["x", "d", "v"], ["y"]), d=9, v=[0.0, 1.0]), 0, 8),
    "a comparison with all classes": (reading(node("Equal", ["x", "c"], ["y"]), c=CLASSES), 0, 29),
    "a mask": (reading(node("Cast", ["attention_mask"], ["y"], to=1), name="attention_mask"), 0, 1),
    "bytes": (reading(node("Cast", ["x"], ["y"], to=1), element=UINT8), 0, 255),
    "truth values": (reading(node("Cast", ["x"], ["y"], to=1), element=BOOL), 0, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", KINDS[:2])
def test_they_cover_what_the_model_takes(name: str, kind: str) -> None:
    model, low, high = MODELS[name]
    (values,) = Probes(model).generated({model.graph.input[0].name: (40, 40)}, kind).values()
    assert (int(values.min()), int(values.max())) == (low, high)


EQUAL = node("Equal", ["x", "k"], ["y"])
ELEMENT = node("Gather", ["x", "i"], ["e"]), node("Equal", ["e", "k"], ["y"])


@pytest.mark.parametrize("model", [reading(EQUAL, k=16000), reading(*ELEMENT, i=0, k=16000)])
def test_what_is_compared_with_a_number_takes_both_ways(model: ModelProto) -> None:
    probes = Probes(model)
    taken = [set(np.unique(probes.generated({"x": (40, 40)}, kind)["x"]).tolist()) for kind in KINDS[:2]]
    assert taken == [{16000}, {16000, 16001}]


@pytest.mark.parametrize("shape", [(2**20, 2**20), (0, 2**62)])
def test_what_takes_too_much_memory_is_refused_even_if_it_is_empty(shape: tuple[int, ...]) -> None:
    probes = Probes(reading(node("Abs", ["x"], ["y"])))
    with pytest.raises(ExecutionFailed, match=r"the input x .* is too large"):
        probes.generated({"x": shape}, KINDS[0])


def test_types_that_are_written_twice_are_removed_and_that_is_said() -> None:
    model = reading(node("Identity", ["x"], ["a"]), node("Cast", ["a"], ["y"], to=1))
    for name in ("a", "a", "y"):
        model.graph.value_info.append(helper.make_tensor_value_info(name, INT64, [40, 40]))
    with pytest.warns(UserWarning, match="the model: 2 types written twice removed, which QONNX does not open"):
        assert len(opened(model).graph.value_info) == 1


def test_the_standard_opset_is_listed_first_and_that_is_said() -> None:
    model = reading(node("Identity", ["x"], ["y"]))
    model.opset_import.insert(0, helper.make_opsetid("qonnx.custom_op.general", 2))
    with pytest.warns(UserWarning, match="the model: ONNX's own opset listed first, where QONNX reads") as told:
        assert [opset.domain for opset in opened(model).model.opset_import] == ["", "qonnx.custom_op.general"]
    assert told[0].filename == __file__
