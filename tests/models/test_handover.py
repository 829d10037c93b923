"""Models reach the other process with their weights in memory that both map: nothing is copied, and nothing is lost."""

from __future__ import annotations

import os
import resource
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bsrepl.graphdiff import between
from bsrepl.models.process import handover
from bsrepl.models.process.prover import Prover
from bsrepl.models.proof.verdict import Outcome, Verdict
from bsrepl.models.runtime.execution import Executable
from bsrepl.models.runtime.packing import packed, unpacked, whole

from ..conftest import EXECUTOR

ROWS, COLUMNS = 65, 253  # an odd number of bytes in each type
TYPES = [np.float32, np.float16, np.float64, np.int8, np.uint8, np.int64, np.bool_]


def model(dtype: Any = np.float32, name: str = "w", last: str = "Relu", domain: str = "") -> ModelProto:
    """A product with a large weight of some type, a small one added to it."""
    weights = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)) * 3
    nodes = [
        helper.make_node("Cast", [name], ["c"], "Cast_0", to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "c"], ["p"], "MatMul_0"),
        helper.make_node("Add", ["p", "b"], ["a"], "Add_0"),
        helper.make_node(last, ["a"], ["y"], f"{last}_0", domain=domain),
    ]
    constants = [
        numpy_helper.from_array(weights.astype(dtype), name),
        numpy_helper.from_array(np.ones(COLUMNS, np.float32), "b"),
    ]
    ends = [helper.make_tensor_value_info(*end) for end in (("x", 1, [2, ROWS]), ("y", 1, [2, COLUMNS]))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    domains = [helper.make_opsetid("", 13), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=domains, ir_version=8)


def rewritten(before: ModelProto, *, by: float = 0.0) -> ModelProto:
    """A copy with two nodes that undo each other; one value of the large weight changed, relative to the others."""
    after = ModelProto()
    after.CopyFrom(before)
    after.graph.node[1].output[0] = "q"
    for number, (read, result) in enumerate((("q", "r"), ("r", "p"))):
        after.graph.node.insert(2 + number, helper.make_node("Neg", [read], [result], f"Neg_{number}"))
    if by:
        tensor = after.graph.initializer[0]
        values = numpy_helper.to_array(tensor).copy()
        values[3, 5] = values[3, 5] + by if values.dtype.kind != "b" else not values[3, 5]
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return after


def handed_over(before: ModelProto, after: ModelProto) -> tuple[ModelProto, ModelProto]:
    """Both models as the other process gets them."""
    with handover.nameless() as file:
        sizes = [handover.add(file, part) for part in packed(before, after).parts]
        return unpacked(handover.mapped(file.fileno(), sizes))


def verdict(before: ModelProto, after: ModelProto) -> Verdict:
    return Prover(EXECUTOR).verdict(before, after)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_weight_lies_outside_of_its_model_and_is_found_there(dtype: Any) -> None:
    before, after = model(dtype), rewritten(model(dtype), by=1)
    light = handed_over(before, after)
    assert all(one.ByteSize() < ROWS * COLUMNS for one in light)
    assert [whole(one) for one in light] == [before, after]
    assert str(between(*light)) == str(between(before, after))
    assert not between(before, light[0])


def test_a_session_reads_a_weight_where_it_lies() -> None:
    before = model()
    with handover.nameless() as file:
        sizes = [handover.add(file, part) for part in packed(before, before).parts]
        parts = handover.mapped(file.fileno(), sizes)
    light, _ = unpacked(parts)
    execute = Executable(light)
    inputs: Any = {"x": np.ones((2, ROWS), np.float32)}
    assert np.array_equal(execute(inputs)["y"], Executable(before)(inputs)["y"])
    (array,) = execute._session._arrays  # type: ignore[union-attr]
    assert np.shares_memory(array, np.frombuffer(parts[-1], np.uint8))


def test_equal_weights_are_one_part_whatever_they_are_called() -> None:
    before, after = model(), rewritten(model(name="renamed"))
    assert packed(before, after).length == packed(before, before).length
    assert packed(before, rewritten(before, by=1)).length == packed(before, before).length + 1
    assert [whole(one) for one in handed_over(before, after)] == [before, after]


def test_a_constant_node_equals_a_weight_that_lies_elsewhere() -> None:
    before, after = model(), model()
    value = after.graph.initializer.pop(0)
    after.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=value))
    light, _ = handed_over(before, before)
    assert not between(light, after)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64])
def test_weights_of_several_types_are_proven(dtype: Any) -> None:
    before = model(dtype)
    assert verdict(before, rewritten(before))
    assert verdict(before, rewritten(before, by=1)).outcome is Outcome.DIFFERENT


def test_a_model_that_qonnx_executes_has_its_weights() -> None:
    last = {"last": "BipolarQuant", "domain": "qonnx.custom_op.general"}
    before = model(**last)
    before.graph.node[-1].input.append("s")
    before.graph.initializer.append(numpy_helper.from_array(np.float32(1), "s"))
    assert verdict(before, rewritten(before))
    assert verdict(before, rewritten(before, by=500)).outcome is Outcome.DIFFERENT


def test_a_weight_of_too_few_bytes_cannot_be_executed() -> None:
    before = model()
    before.graph.initializer[0].raw_data = before.graph.initializer[0].raw_data[:-4]
    assert repr(verdict(before, rewritten(before))).startswith("UNPROVEN: the model before could not be executed")
    before.graph.initializer[0].raw_data = b""
    assert repr(verdict(before, rewritten(before))).startswith("UNPROVEN: the model before could not be executed")


def test_models_that_cannot_be_handed_over_say_why() -> None:
    before = model()
    assert verdict(before, before)  # the other process has started
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROWS * COLUMNS, hard))
    try:
        unproven = verdict(before, rewritten(before))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert unproven.outcome is Outcome.UNPROVEN
    assert "cannot be executed in another process: the data cannot be written for it: " in unproven.why


def test_nothing_is_handed_over_but_what_is_there() -> None:
    with handover.nameless() as file:
        assert handover.mapped(file.fileno(), []) == []
        assert [handover.add(file, part) for part in (b"", b"")] == [0, 0]
        assert handover.mapped(file.fileno(), [0, 0]) == [b"", b""]
        sizes = [handover.add(file, part) for part in (b"abc", b"", b"d")]
        assert handover.mapped(file.fileno(), [0, 0, *sizes])[2:] == [b"abc", b"", b"d"]
        number = file.fileno()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
