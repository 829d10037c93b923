"""Whether two models compute the same."""

from __future__ import annotations

import copy
import random
from copy import deepcopy
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.general import GiveRandomTensorNames, GiveUniqueNodeNames
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.frameworks.qonnx.samples import samples
from bsrepl.models.feeds.probes import KINDS, Probes
from bsrepl.models.proof.verdict import Outcome
from bsrepl.models.proof.verify import verify
from bsrepl.models.runtime.execution import Executable
from bsrepl.models.workbench import load

from ..conftest import Screen


@pytest.fixture(scope="module")
def lowered() -> tuple[ModelWrapper, ModelWrapper]:
    """A model, and the same with its convolutions lowered and every tensor renamed."""
    before = qonnx_steps.cleanup(load("mnist-conv"))
    random.seed(3)
    return before, before.transform(LowerConvsToMatMul()).transform(GiveUniqueNodeNames()).transform(
        GiveRandomTensorNames()
    )


def test_a_rewrite_that_is_right(lowered: tuple[ModelWrapper, ModelWrapper]) -> None:
    verdict = verify(*lowered)
    assert verdict
    assert repr(verdict).startswith("OK  same outputs: largest difference ")
    assert "), same argmax, 4 inputs" in repr(verdict)
    assert verdict.relative < 1e-6


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_planted_error_of_one_percent_in_one_weight_is_pinned_to_its_tensor(
    lowered: tuple[ModelWrapper, ModelWrapper], which: int
) -> None:
    before, after = lowered
    broken = deepcopy(after)
    node = broken.get_nodes_by_op_type("MatMul")[which]
    weights = broken.get_initializer(node.input[1]).copy()
    place = np.unravel_index(np.abs(weights).argmax(), weights.shape)
    weights[place] *= 1.01
    broken.set_initializer(node.input[1], weights)
    verdict = verify(after, broken)
    assert not verdict
    assert repr(verdict).startswith("DIFFERENT  other outputs: largest difference ")
    assert verdict.first is not None
    assert (verdict.first.after, verdict.first.node) == (node.output[0], f"MatMul {node.name}".strip())
    other = verify(before, broken)  # across renaming and lowering, the rewrite is named
    assert other.first is not None
    assert other.first.node.startswith(f"Conv Conv_{which}, now Transpose " if which < 2 else "MatMul MatMul_2")


@pytest.mark.parametrize("name", [name for name in samples() if "quant" not in name or "floatquant" in name])
def test_cleaning_a_sample_up_changes_nothing(name: str) -> None:
    model = load(name)
    assert verify(model, qonnx_steps.cleanup(model), probe_count=2), name


def test_the_global_random_state_is_left_alone(lowered: tuple[ModelWrapper, ModelWrapper]) -> None:
    np.random.seed(7)
    random.seed(7)
    before = (np.random.get_state(legacy=False)["state"]["key"].tolist(), random.getstate())
    first = verify(*lowered)
    assert (np.random.get_state(legacy=False)["state"]["key"].tolist(), random.getstate()) == before
    np.random.seed(8)
    assert verify(*lowered) == first


def small(
    op: str, *, shape: list[object] | None = None, element: int = TensorProto.FLOAT, **extra: object
) -> ModelWrapper:
    node = helper.make_node(op, ["in", "k"] if "k" in extra else ["in"], ["out"], name="n")
    values = [helper.make_tensor_value_info(name, element, shape or [2, 3]) for name in ("in", "out")]
    kept = [numpy_helper.from_array(np.asarray(extra["k"], np.float32), "k")] if "k" in extra else []
    return ModelWrapper(helper.make_model(helper.make_graph([node], "g", values[:1], values[1:], kept)))


def test_a_dynamic_dimension_has_two_sizes_larger_than_one() -> None:
    verdict = verify(small("Relu", shape=["batch", 3]), small("Relu", shape=["batch", 3]))
    assert verdict
    assert verdict.notes == ["tried with batch=2 and batch=3"]
    assert not verify(small("Relu", shape=["batch", 3]), small("Neg", shape=["batch", 3]))


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (small("Sqrt"), "NaN in out: 0 -> "),
        (small("Div", k=0.0), "in out: 0 -> "),
        (small("Transpose"), "out [2, 3] -> [3, 2]"),
    ],
)
def test_what_is_no_matter_of_precision_is_named(after: ModelWrapper, message: str) -> None:
    if after.graph.node[0].op_type == "Transpose":
        after.graph.output[0].CopyFrom(helper.make_tensor_value_info("out", TensorProto.FLOAT, [3, 2]))
    verdict = verify(small("Identity"), after)
    assert not verdict
    assert message in repr(verdict)


def test_several_inputs_belong_together_by_their_order() -> None:
    def two(first: str, second: str) -> ModelWrapper:
        names = [first, second]
        node = helper.make_node("Sub", names, ["out"])
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in (*names, "out")]
        return ModelWrapper(helper.make_model(helper.make_graph([node], "g", values[:2], values[2:])))

    assert verify(two("a", "b"), two("x", "y"))
    swapped = two("a", "b")
    swapped.graph.node[0].input[:] = ["b", "a"]
    assert not verify(two("a", "b"), swapped)
    given: list[Any] = [np.ones(4, np.float32), np.ones(4, np.float32)]
    assert verify(two("a", "b"), swapped, [dict(enumerate(given))]).probes == 1


@pytest.mark.parametrize(
    ("datatype", "low", "high"), [("UINT8", 0, 255), ("INT4", -8, 7), ("BIPOLAR", -1, 1), ("UINT32", 0, 2**15)]
)
def test_probes_honour_datatype_annotations(datatype: str, low: int, high: int) -> None:
    model = small("Relu", shape=[64, 64])
    model.set_tensor_datatype("in", DataType[datatype])
    probes = Probes(model.model)
    for kind in KINDS:
        values = probes.generated({"in": (64, 64)}, kind)["in"]
        assert values.dtype == np.float32
        assert np.array_equal(values, np.round(values)), kind
        assert low <= values.min() <= values.max() <= high
        assert datatype != "BIPOLAR" or 0 not in values


def test_what_was_recorded_with_a_sample_is_an_input() -> None:
    (recorded,) = Probes(load("mnist-conv").model).recorded({"Input3": (1, 1, 28, 28)})
    assert recorded["Input3"].max() == 255


@pytest.mark.parametrize("datatype", ["UINT8", "INT4", "BIPOLAR"])
def test_inputs_fit_the_datatype_that_only_the_model_after_annotates(
    lowered: tuple[ModelWrapper, ModelWrapper], datatype: str
) -> None:
    annotated = copy.deepcopy(lowered[1])
    annotated.set_tensor_datatype(annotated.graph.input[0].name, DataType[datatype])
    assert verify(lowered[1], annotated).outcome is Outcome.OK


def test_standard_models_run_as_a_whole_and_others_node_by_node(lowered: tuple[ModelWrapper, ModelWrapper]) -> None:
    assert [Executable(model.model).is_whole for model in lowered] == [True, False]


def test_a_model_that_cannot_be_executed_says_so() -> None:
    broken = small("Relu")
    broken.graph.node[0].op_type = "NoSuchOp"
    verdict = verify(small("Relu"), broken)
    assert verdict.outcome is Outcome.BROKEN
    assert "NoSuchOp" in verdict.why
    both = small("Relu")
    both.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    assert verify(small("Relu"), both).notes == ["no node reads the new 1 input more"]
    both.graph.node[0].op_type = "Add"
    both.graph.node[0].input.append("more")
    verdict = verify(small("Relu"), both)
    assert (verdict.outcome, bool(verdict)) == (Outcome.UNPROVEN, False)
    assert verdict.why == "the models have 1 and 2 inputs: there is no value for more"


def test_inputs_of_another_shape_say_so() -> None:
    verdict = verify(small("Relu"), small("Relu", shape=[3, 2]))
    assert verdict.outcome is Outcome.UNPROVEN
    assert verdict.why == "the input in has the shape [2, 3] before and [3, 2] after: no values fit both"


def test_in_the_shell_a_verdict_is_a_line(screen: Screen) -> None:
    screen.type("m = load('mnist-conv').transform(tfm.InferShapes())")
    assert screen.type("verify(m, m.transform(tfm.GiveUniqueNodeNames()))") == (
        "OK  same outputs: largest difference 0.0e+00 (relative 0e+00), same argmax, 4 inputs\n"
    )


def test_large_weights_of_one_name_are_those_of_each_model() -> None:
    weights = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)

    def product(values: Any) -> ModelWrapper:
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 256]) for name in ("x", "y")]
        graph = helper.make_graph([node], "g", ends[:1], ends[1:], [numpy_helper.from_array(values, "w")])
        return ModelWrapper(helper.make_model(graph))

    x: Any = np.ones((2, 256), np.float32)
    executables = [Executable(product(scale * weights).model) for scale in (1, 1, 2)]
    for _ in range(2):
        for scale, execute in zip((1, 1, 2), executables, strict=True):
            np.testing.assert_allclose(execute({"x": x})["y"], scale * (x @ weights), rtol=1e-3, atol=1e-3)
    changed = weights.copy()
    changed[3, 5] *= 1.01
    assert not verify(product(weights), product(changed))


@pytest.mark.parametrize(("dtype", "is_same"), [(np.float32, True), (np.float64, False)])
def test_the_tolerance_follows_the_data_type(dtype: Any, is_same: bool) -> None:
    def layers(factor: float, *, is_folded: bool = False) -> ModelWrapper:
        numbers = np.random.default_rng(0)
        weights, more = numbers.normal(size=(64, 64)), numbers.normal(size=(64, 8))
        weights[3, 5] *= factor
        kept = {"w": weights * (3 if is_folded else 1), "k": np.array(3.0), "v": more}
        nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["s", "v"], ["y"])]
        between = [] if is_folded else [helper.make_node("Mul", ["a", "k"], ["b"])]
        nodes[1:1] = [*between, helper.make_node("Sigmoid", ["a" if is_folded else "b"], ["s"])]
        element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        ends = [helper.make_tensor_value_info(name, element, [4, size]) for name, size in (("x", 64), ("y", 8))]
        tensors = [numpy_helper.from_array(np.asarray(value, dtype), name) for name, value in kept.items()]
        return ModelWrapper(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)))

    assert verify(layers(1), layers(1, is_folded=True))
    assert bool(verify(layers(1), layers(1 + 1e-9, is_folded=True))) is is_same
    assert bool(verify(layers(1), layers(1 + 1e-9))) is is_same


def saturated(nodes: list[Any], weights: dict[str, Any]) -> ModelWrapper:
    """Nodes from `x` to `b`, whose values end in a Softmax that shows next to nothing of them."""
    numbers = np.random.default_rng(1)
    weights = {**weights, "v": 200 * numbers.normal(size=(64, 40))}
    nodes = [
        *nodes,
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("MatMul", ["c", "v"], ["d"]),
        helper.make_node("Softmax", ["d"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, size]) for name, size in (("x", 256), ("y", 40))]
    tensors = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in weights.items()]
    return ModelWrapper(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)))


@pytest.mark.parametrize("cancels", [False, True])
def test_an_error_of_one_percent_of_one_weight_is_not_hidden_by_a_rewrite(cancels: bool) -> None:
    numbers = np.random.default_rng(0)
    weights = numbers.normal(size=(256, 64))
    wrong = weights.copy()
    wrong[10, 60] *= 1.01
    if cancels:  # large values, of which little is left: a right rewrite differs as well, by what it rounds
        large = 1e4 * numbers.normal(size=64)
        left = numbers.normal(size=64) - large
        before = [["MatMul", "x", "w", "a"], ["Add", "a", "p", "s"], ["Add", "s", "q", "b"]]
        after = [["MatMul", "x", "w", "a"], ["Add", "a", "q", "b"]]
        constants = {"p": large, "q": left}, {"q": np.float32(large).astype(float) + np.float32(left)}
        factor: Any = 1.0
    else:
        factor = numbers.uniform(0.5, 2, 64)
        before, after = [["MatMul", "x", "w", "a"], ["Mul", "a", "k", "b"]], [["MatMul", "x", "w", "b"]]
        constants = {"k": factor}, {}
    nodes = [[helper.make_node(op, read, [made]) for op, *read, made in graph] for graph in (before, after)]
    model = saturated(nodes[0], {"w": weights, **constants[0]})
    assert verify(model, saturated(nodes[1], {"w": weights * factor, **constants[1]})).outcome is Outcome.OK
    assert not verify(model, saturated(nodes[1], {"w": wrong * factor, **constants[1]}))


def test_executing_node_by_node_is_what_qonnx_does_and_makes_the_session_of_a_light_node_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = qonnx_steps.cleanup(load("eltwise_chanlast_testcase"))
    inputs = [Probes(model.model).mixed({"global_in": (1, 3, 224, 224)}, number) for number in range(2)]
    expected = [execute_onnx(model, values)["global_out"] for values in inputs]
    make, made = onnxruntime.InferenceSession, list[str]()

    def counted(text: bytes, *given: Any, **options: Any) -> Any:
        made.append(ModelProto.FromString(text).graph.node[0].op_type)
        return make(text, *given, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    execute = Executable(model.model)
    for values, outputs in zip(inputs, expected, strict=True):
        assert np.array_equal(execute(values)["global_out"], outputs)
    assert sorted(made) == ["Add", "Conv", "Conv", "Mul", "Mul", "Relu"]
