"""What is written on tensors and is not so, and nodes that a cleanup takes out."""

from __future__ import annotations

from copy import deepcopy

import pytest
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from bsrepl.frameworks.qonnx import steps as qonnx_steps
from bsrepl.frameworks.qonnx.samples import samples
from bsrepl.graphdiff.difference import between
from bsrepl.models.feeds.probes import Probes
from bsrepl.models.proof.contradictions import contradictions, new_contradictions
from bsrepl.models.proof.verdict import Outcome
from bsrepl.models.proof.verify import verify
from bsrepl.models.runtime.execution import Values, inputs_of
from bsrepl.models.workbench import load

from ..conftest import Screen


@pytest.fixture(scope="module")
def model() -> ModelWrapper:
    return qonnx_steps.cleanup(load("mnist-conv"))


def inputs(model: ModelWrapper) -> Values:
    """A set of inputs, a recorded one if there is one."""
    probes = Probes(model.model)
    shapes = {value.name: tuple(model.get_tensor_shape(value.name)) for value in inputs_of(model.model)}
    return next(probes.recorded(shapes), probes.generated(shapes, "integers"))


@pytest.mark.parametrize(
    ("tensor", "datatype", "output"),
    [
        ("Relu_0_out0", "FLOAT32", None),
        ("Relu_0_out0", "SCALEDINT<8>", None),
        ("Relu_0_out0", "INT8", "Relu_0_out0 is annotated INT8 and has the value "),
        ("Relu_0_out0", "FIXED<8,4>", "Relu_0_out0 is annotated FIXED<8,4> and has the value "),
        ("global_in", "UINT8", None),  # the recorded input is an image
        ("global_in", "UINT4", "global_in is annotated UINT4 and has the value "),
        ("Conv_0_param0", "BIPOLAR", "Conv_0_param0 is annotated BIPOLAR and has the value "),
    ],
)
def test_a_datatype_that_the_values_contradict(
    model: ModelWrapper, tensor: str, datatype: str, output: str | None
) -> None:
    annotated = deepcopy(model)
    annotated.set_tensor_datatype(tensor, DataType[datatype])
    result = contradictions(annotated.model, inputs(annotated))
    assert list(result) == ([] if output is None else [tensor])
    assert output is None or result[tensor].startswith(output)


def test_a_shape_that_the_values_contradict(model: ModelWrapper) -> None:
    stale = deepcopy(model)
    known = next(value for value in stale.graph.value_info if value.name == "MaxPool_0_out0")
    known.type.tensor_type.shape.dim[3].dim_value = 7
    output = "MaxPool_0_out0 has the shape [1, 8, 14, 14], not [1, 8, 14, 7] as written"
    assert contradictions(stale.model, inputs(stale)) == {"MaxPool_0_out0": output}


def test_an_annotation_that_is_no_datatype(model: ModelWrapper) -> None:
    annotated = deepcopy(model)
    annotated.set_tensor_datatype("Relu_0_out0", DataType["INT8"])
    for each in annotated.graph.quantization_annotation:
        each.quant_parameter_tensor_names[0].value = "NONSENSE"
    told = "Relu_0_out0 is annotated NONSENSE, which is not a datatype"
    assert contradictions(annotated.model, inputs(annotated)) == {"Relu_0_out0": told}


def test_what_was_so_before_is_not_told_again_whatever_it_is_called(model: ModelWrapper) -> None:
    before = deepcopy(model)
    before.set_tensor_datatype("Relu_0_out0", DataType["INT8"])
    after = deepcopy(before)
    after.rename_tensor("Relu_0_out0", "other")
    after.set_tensor_datatype("Relu_1_out0", DataType["INT8"])
    (output,) = new_contradictions(between(before, after), before.model, after.model, inputs(before), inputs(after))
    assert output.startswith("Relu_1_out0 is annotated INT8")


@pytest.mark.parametrize("name", list(samples()))
def test_nothing_of_a_sample_is_contradicted(name: str) -> None:
    model = load(name)
    assert contradictions(model.model, inputs(model)) == {}


def test_at_the_prompt_it_is_told_with_the_verdict(screen: Screen) -> None:
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    screen.type("""
        from qonnx.core.datatype import DataType
        class Narrow(tfm.InferShapes):
            def apply(self, model):
                model.set_tensor_datatype("Relu_1_out0", DataType["UINT4"])
                return model, False
    """)
    output = screen.type("m = m.transform(Narrow())").splitlines()
    assert output[1] == "  ~ datatype UINT4 added to 1 tensor: Relu_1_out0"
    assert output[2].startswith("  ! Relu_1_out0 is annotated UINT4 and has the value ")
    assert output[3].startswith("  OK  same outputs: largest difference 0.0e+00")


def test_a_node_that_the_cleanup_drops_is_named(screen: Screen) -> None:
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    screen.type("""
        class Cut(tfm.InferShapes):
            def apply(self, model):
                for node in [each for each in model.graph.node if each.name in ("Add_1", "MaxPool_1")]:
                    model.graph.node.remove(node)
                return model, False
    """)
    output = screen.type("m = m.transform(Cut())")
    assert "  ! the cleanup removed 1 unconnected node: Relu_1\n" in output
    assert "Cut: the cleanup removed 1 unconnected node: Relu_1\n" in screen.type(
        "trace(steps.qonnx.cleanup(load('mnist-conv')), [Cut])"
    )


def test_a_pass_has_its_times_apart_and_what_it_claims(screen: Screen) -> None:
    screen.console.shows_time = True
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    output = screen.type("m = m.transform(tfm.LowerConvsToMatMul())")
    line = next(line for line in output.splitlines() if line.startswith("  apply "))
    assert [word for word in line.split() if word.isalpha() and word not in ("us", "ms", "s")] == [
        "apply", "returned", "cleanup", "diff",
    ]  # fmt: skip
    assert " (apply returned False), cleanup " in line


def test_a_model_that_cannot_be_executed_any_more_is_broken(model: ModelWrapper) -> None:
    broken = deepcopy(model)
    broken.graph.node[0].op_type = "NoSuchOp"
    verdict = verify(model, broken, checks_annotations=True)
    assert (verdict.outcome, verdict.is_wrong, verdict.contradictions) == (Outcome.BROKEN, True, ())
    assert verdict.why.startswith("the model cannot be executed: ")
    assert verify(broken, model).why.startswith("the model before could not be executed: ")
