"""Real models of the QONNX wheel: loading them, running transforms on them, the results."""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from bsrepl.errors import ModelNotFound, UnreadableModel, UntrustedModel
from bsrepl.frameworks.qonnx.observing import observed
from bsrepl.frameworks.qonnx.remove_identity import RemoveIdentity
from bsrepl.frameworks.qonnx.samples import samples
from bsrepl.models.workbench import load

from ..conftest import Screen, files, forget


def test_a_session_on_a_real_model(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "convert.py").write_text(
        "from qonnx.transformation.base import Transformation\n"
        "@transform(stage='topology_opt')\n"
        "class ConvertDivToMul(Transformation):\n"
        "    def apply(self, model):\n"
        "        for node in model.get_nodes_by_op_type('Div'):\n"
        "            divisor = model.get_initializer(node.input[1])\n"
        "            if divisor is not None:\n"
        "                model.set_initializer(node.input[1], 1 / divisor)\n"
        "                node.op_type = 'Mul'\n"
        "        return model, False\n"
    )
    for command in (
        'm = load("mnist-conv")',
        "m = m.transform(tfm.InferShapes())",
        "m = m.transform(tfm.FoldConstants())",
        "m = m.transform(tfm.ConvertDivToMul())",
        "m = m.transform(tfm.RemoveIdentity())",
    ):
        assert "Traceback" not in screen.type(command)
    model = screen.names["m"]
    assert not model.get_nodes_by_op_type("Div")
    folder = samples()["mnist-conv"].parent / "test_data_set_0"
    given, expected = (
        numpy_helper.to_array(onnx.load_tensor(str(folder / f"{name}.pb"))) for name in ("input_0", "output_0")
    )
    got = execute_onnx(model, {model.graph.input[0].name: given})[model.graph.output[0].name]
    assert np.abs(got - expected).max() < 1e-2


def test_every_sample_of_the_wheel_loads_by_its_name() -> None:
    assert {"mnist-conv", "matmul_update/sdp", "bsd300x3-espcn/subpixel/quant_model"} <= samples().keys()
    for name in samples():
        assert isinstance(load(name), ModelWrapper)


def test_a_sample_may_be_named_by_its_end_and_a_file_by_its_path(tmp_path: Path) -> None:
    assert len(load("sdp").graph.node) == len(load("matmul_update/sdp").graph.node)
    path = tmp_path / "saved.onnx"
    load("sdp").save(str(path))
    assert len(load(path).graph.node) == len(load("sdp").graph.node)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "no model 'nonsense'; the samples are bsd300x3-espcn/"),
        ("mnist", "no model 'mnist'; nearest: mnist-conv$"),
        ("mnist-cnov", "no model 'mnist-cnov'; nearest: mnist-conv$"),
        ("quant_model", "may be bsd300x3-espcn/nn_resize/quant_model or"),
    ],
)
def test_a_model_that_is_not_there_says_which_are(name: str, message: str) -> None:
    with pytest.raises(ModelNotFound, match=message):
        load(name)


def graph(nodes: list[tuple[str, str, str]], inputs: str, outputs: str) -> ModelWrapper:
    """A model of one-input nodes: (op_type, input, output)."""
    made = [helper.make_node(op, [source], [result], name=f"{op}_{n}") for n, (op, source, result) in enumerate(nodes)]
    values = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in names]
        for names in (inputs.split(), outputs.split())
    ]
    return ModelWrapper(helper.make_model(helper.make_graph(made, "test", *values))).transform(InferShapes())


@pytest.mark.parametrize(
    ("nodes", "outputs", "left"),
    [
        ([("Identity", "in", "a"), ("Relu", "a", "out")], "out", [("Relu", "in", "out")]),
        ([("Relu", "in", "a"), ("Identity", "a", "out")], "out", [("Relu", "in", "out")]),
        ([("Identity", "in", "out")], "out", [("Identity", "in", "out")]),
        ([("Identity", "in", "a"), ("Identity", "a", "out")], "out", [("Identity", "in", "out")]),
        (
            [("Relu", "in", "a"), ("Identity", "a", "b"), ("Relu", "a", "out"), ("Relu", "b", "two")],
            "out two",
            [("Relu", "in", "a"), ("Relu", "a", "out"), ("Relu", "a", "two")],
        ),
        (
            [("Relu", "in", "a"), ("Identity", "a", "out"), ("Relu", "a", "two")],
            "out two",
            [("Relu", "in", "out"), ("Relu", "out", "two")],
        ),
        (
            [("Relu", "in", "out"), ("Identity", "out", "two")],
            "out two",
            [("Relu", "in", "out"), ("Identity", "out", "two")],
        ),
    ],
)
def test_remove_identity(nodes: list[tuple[str, str, str]], outputs: str, left: list[tuple[str, str, str]]) -> None:
    model = graph(nodes, "in", outputs)
    after = model.transform(RemoveIdentity())
    assert [(node.op_type, node.input[0], node.output[0]) for node in after.graph.node] == left
    given = {"in": np.array([[-1, 0, 1, 2]], dtype=np.float32)}
    before, now = execute_onnx(model, given), execute_onnx(after, given)
    assert all((before[name] == now[name]).all() for name in outputs.split())


@pytest.mark.parametrize(
    ("op_type", "constant", "is_first", "goes"),
    [
        ("Add", 0.0, False, True),
        ("Add", 0.0, True, True),
        ("Sub", 0.0, False, True),
        ("Sub", 0.0, True, False),
        ("Mul", 1.0, True, True),
        ("Div", 1.0, False, True),
        ("Div", 1.0, True, False),
        ("Mul", 1.000001, False, True),
        ("Mul", 1.001, False, False),
        ("Add", [[0.0], [0.0]], False, False),
        ("Add", [[0.0, 0.0, 0.0, 0.0]], False, True),
        ("Pad", [0, 0, 0, 0], False, True),
        ("Pad", [0, 1, 0, 0], False, False),
    ],
)
def test_remove_identity_removes_neutral_arithmetic(op_type: str, constant: object, is_first: bool, goes: bool) -> None:
    value = np.array(constant, dtype=np.int64 if op_type == "Pad" else np.float32)
    inputs = ["c", "a"] if is_first else ["a", "c"]
    nodes = [helper.make_node("Relu", ["in"], ["a"]), helper.make_node(op_type, inputs, ["b"])]
    nodes.append(helper.make_node("Neg", ["b"], ["out"]))
    given = helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 4])
    made = helper.make_value_info("out", helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    proto = helper.make_graph(nodes, "test", [given], [made], initializer=[numpy_helper.from_array(value, "c")])
    model = ModelWrapper(helper.make_model(proto)).transform(InferShapes())
    after = model.transform(RemoveIdentity())
    assert (op_type not in [node.op_type for node in after.graph.node]) is goes


def domain(name: str, *, inside: bool = False) -> ModelProto:
    """A model with an op of that domain, in a sub-graph if `inside`."""
    node = helper.make_node("Op", ["in"], ["out"], domain=name)
    values = [helper.make_tensor_value_info(each, TensorProto.FLOAT, [1]) for each in ("in", "out")]
    if inside:
        then = helper.make_graph([helper.make_node("Op", ["in"], ["r"], domain=name)], "then", [], [values[1]])
        node = helper.make_node("If", ["c"], ["out"], then_branch=then, else_branch=then)
    return helper.make_model(helper.make_graph([node], "g", values[:1], values[1:]))


def test_a_model_comes_from_a_path_bytes_or_a_model(tmp_path: Path) -> None:
    model = load("sdp")
    model.save(str(tmp_path / "m.onnx"))
    for source in (tmp_path / "m.onnx", str(tmp_path / "m.onnx"), model.model.SerializeToString(), model.model, model):
        assert len(load(source).graph.node) == 27
    assert load(model) is model


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", ["evil", "os.path", "json"])
def test_a_model_whose_domain_is_no_installed_package_is_refused_unless_it_is_trusted(name: str, inside: bool) -> None:
    with pytest.raises(UntrustedModel, match=f"ops of the domain {name}, which is no installed package"):
        load(domain(name, inside=inside))
    assert load(domain(name, inside=inside), trust=True).graph.node


@pytest.mark.parametrize(
    "name", ["", "ai.onnx.ml", "com.microsoft", "qonnx.custom_op.general", "onnx.brevitas", "numpy"]
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_installed_may_be_a_domain(name: str) -> None:
    assert load(domain(name)).graph.node[0].domain == name


@pytest.mark.filterwarnings("ignore")
def test_the_domain_of_ones_own_kernel_may_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from qonnx.custom_op import registry as ops

    monkeypatch.setitem(ops._OP_REGISTRY, "my.ops", {"Op": {1: object}})
    assert load(domain("my.ops"))


def test_what_a_model_may_run_is_said_once_where_it_is_loaded() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            load(domain("qonnx.custom_op.general"))
    (warning,) = caught
    assert "has ops of qonnx.custom_op.general: transforming or executing it runs code" in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.parametrize("name", ["finn", "brainsmith", "com", "mine", "local"])
def test_a_folder_in_the_current_directory_is_no_installed_package(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, {f"{name}/__init__.py": "", f"{name}/ops.py": ""})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    model = domain(f"{name}.ops")
    model.functions.add(name="Op", domain="local.ops", input=["x"], output=["y"])
    with pytest.raises(UntrustedModel, match=f"ops of the domain {name}.ops"):
        load(model)
    assert load(model, trust=True)


@pytest.mark.filterwarnings("ignore")
def test_a_framework_that_is_used_from_a_clone_elsewhere_may_be_a_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, {"clone/finn/__init__.py": "", "here/x.txt": ""})
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UntrustedModel, match=r"finn\.custom_op\.fpgadataflow, which is no installed package"):
        load(domain("finn.custom_op.fpgadataflow"))
    monkeypatch.syspath_prepend(str(tmp_path / "clone"))
    assert load(domain("finn.custom_op.fpgadataflow"))


@pytest.mark.filterwarnings("ignore")
def test_a_framework_that_is_already_imported_may_be_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, {"finn/__init__.py": ""})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    with pytest.raises(UntrustedModel):
        load(domain("finn.custom_op.fpgadataflow"))
    importlib.import_module("finn")
    try:
        assert load(domain("finn.custom_op.fpgadataflow"))
    finally:
        forget("finn")


def test_the_domain_of_a_local_function_is_no_module() -> None:
    model = domain("pkg.onnxscript.torch_lib")
    with pytest.raises(UntrustedModel):
        load(model)
    model.functions.add(name="Op", domain="pkg.onnxscript.torch_lib", input=["x"], output=["y"])
    assert load(model)


@pytest.mark.parametrize(
    ("key", "text", "name"),
    [
        ("tensor_layout", "__import__('os').getcwd()", "layout"),
        ("tensor_layout", "[x for x in 'NC']", "layout"),
        ("tensor_layout", "((((((((((" * 500, "layout"),
        ("tensor_sparsity", "dict(a=exit())", "sparsity"),
        ("tensor_sparsity", "'x' * 10**10", "sparsity"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_an_annotation_that_would_be_executed_is_refused(key: str, text: str, name: str, inside: bool) -> None:
    model = domain("", inside=inside)
    graph = model.graph.node[0].attribute[0].g if inside else model.graph
    annotation = graph.quantization_annotation.add(tensor_name="out")
    annotation.quant_parameter_tensor_names.add(key=key, value=text)
    with pytest.raises(UntrustedModel, match=f"annotates out with a {name} that QONNX would execute"):
        load(model)


@pytest.mark.parametrize(
    ("key", "text"), [("tensor_layout", "['N', 'C']"), ("tensor_sparsity", "{'a': 0.5}"), ("other", "exit()")]
)
def test_an_annotation_that_is_plain_data_is_not(key: str, text: str) -> None:
    model = domain("")
    annotation = model.graph.quantization_annotation.add(tensor_name="out")
    annotation.quant_parameter_tensor_names.add(key=key, value=text)
    assert load(model)


def test_data_that_is_kept_elsewhere_and_missing_is_named(tmp_path: Path) -> None:
    model = domain("")
    model.graph.initializer.append(numpy_helper.from_array(np.arange(64, dtype=np.float32), "w"))
    onnx.save(model, str(tmp_path / "m.onnx"), save_as_external_data=True, location="m.bin", size_threshold=0)
    assert load(tmp_path / "m.onnx").get_initializer("w")[63] == 63
    (tmp_path / "m.bin").unlink()
    with pytest.raises(UnreadableModel, match=r"m\.onnx keeps data in m\.bin beside it, which is missing"):
        load(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (b"nothing of the kind", UnreadableModel, "what was given is no ONNX model"),
        (b"", UnreadableModel, "it has no graph"),
        (3, UnreadableModel, "bytes or a model, not a int"),
        ("https://example.org/m.onnx", ModelNotFound, "opens no addresses; download https://example.org/m.onnx"),
    ],
)
def test_what_is_no_model_says_so(source: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load(source)


def test_a_file_of_more_than_two_gigabytes_says_what_to_do(tmp_path: Path) -> None:
    with open(tmp_path / "big.onnx", "wb") as file:
        file.truncate(2**31)  # takes no room on the disk
    with pytest.raises(UnreadableModel, match=r"larger than 2 GB, .*; save its weights as external data"):
        load(tmp_path / "big.onnx")


def test_a_qonnx_that_cannot_be_imported_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an older one beside a newer onnx; a command that is observed meanwhile runs."""
    monkeypatch.setitem(sys.modules, "qonnx.core.modelwrapper", None)
    told = "QONNX cannot be imported: .+; install versions of QONNX and onnx that fit"
    with observed(time.perf_counter) as seen, pytest.raises(UnreadableModel, match=told):
        load("mnist-conv")
    assert seen == ([], [])
