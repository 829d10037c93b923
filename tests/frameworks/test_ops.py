"""Kernels that are ops of models: what QONNX finds is what the registry shows."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op import registry as ops
from qonnx.custom_op.general import Trunc_v1, Trunc_v2
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes

from bsrepl import backend, kernel, kernels, register_op
from bsrepl.registry.store import registry

from ..conftest import Folder, Screen

GENERAL = "qonnx.custom_op.general"


def op(head: str, factor: int = 2, rows: int = 1) -> str:
    """A plugin file with an op that multiplies by a number and repeats its input's rows; `head` begins its class."""
    body = f"""
    from qonnx.core.datatype import DataType
    from qonnx.custom_op.base import CustomOp

    HEAD
        def get_nodeattr_types(self):
            return {{}}

        def make_shape_compatible_op(self, model):
            shape = [{rows} * model.get_tensor_shape(self.onnx_node.input[0])[0], 4]
            return super().make_const_shape_op(shape)

        def infer_node_datatype(self, model):
            model.set_tensor_datatype(self.onnx_node.output[0], DataType["INT{8 * factor}"])

        def execute_node(self, context, graph):
            given = context[self.onnx_node.input[0]]
            context[self.onnx_node.output[0]] = {factor} * given.repeat({rows}, axis=0)

        def verify_node(self):
            return []
    """
    return textwrap.dedent(body).replace("HEAD", head)


def model(op_type: str, domain: str = GENERAL) -> ModelWrapper:
    node = helper.make_node(op_type, ["in"], ["out"], domain=domain, name="op")
    given = helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 4])
    result = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]
    return ModelWrapper(helper.make_model(helper.make_graph([node], "test", [given], [result]), opset_imports=opsets))


def behaviour(op_type: str, domain: str = GENERAL) -> tuple[list[int], str, float]:
    """What the op means in a model now: the shape and the datatype inferred of its output, and what it makes of 1."""
    inferred = model(op_type, domain).transform(InferShapes()).transform(InferDataTypes())
    result = execute_onnx(inferred, {"in": np.ones((1, 4), np.float32)})["out"]
    assert list(result.shape) == inferred.get_tensor_shape("out")
    return inferred.get_tensor_shape("out"), inferred.get_tensor_datatype("out").name, float(result[0, 0])


@pytest.mark.parametrize(
    ("head", "op_type", "domain"),
    [
        ("@kernel\nclass Scale(CustomOp):", "Scale", GENERAL),
        ('@kernel(domain="my.ops")\nclass Scale(CustomOp):', "Scale", "my.ops"),
        ('@kernel("Gain")\nclass Scale(CustomOp):', "Gain", GENERAL),
        ('@kernel("Gain", op_type="Scale")\nclass Cls(CustomOp):', "Scale", GENERAL),
        ("class Scale(CustomOp):", "Scale", GENERAL),
        ("@kernel\nclass Scale_v2(CustomOp):", "Scale", GENERAL),
        ('@register_op(domain="my.ops", op_type="Scale")\nclass Cls(CustomOp):', "Scale", "my.ops"),
        ('@backend(kernel="Scale", language="hls", domain="my.hls")\nclass S_hls(CustomOp):', "S_hls", "my.hls"),
    ],
)  # fmt: skip
def test_a_kernel_in_a_plugin_file_is_an_op_until_it_is_gone(
    folder: Folder, head: str, op_type: str, domain: str
) -> None:
    path = folder.write("scale.py", op(head))
    assert folder.look().failures == []
    assert ops.is_custom_op(domain, op_type)
    if not head.endswith("_v2(CustomOp):"):  # since version 2, and the model says 1
        assert behaviour(op_type, domain) == ([1, 4], "INT16", 2.0)
    path.unlink()
    folder.look()
    folder.clock.ahead += 2
    folder.look()
    assert not ops.is_custom_op(domain, op_type)


def test_a_model_runs_the_version_that_the_registry_shows(folder: Folder) -> None:
    folder.write("scale.py", op("@kernel\nclass Scale(CustomOp):"))
    folder.look()
    assert behaviour("Scale") == ([1, 4], "INT16", 2.0)
    folder.write("scale.py", op("@kernel\nclass Scale(CustomOp):", factor=3, rows=5))
    folder.look()
    assert behaviour("Scale") == ([5, 4], "INT24", 3.0)
    folder.write("scale.py", op("@kernel\nclass Scale(CustomOp):", factor=4) + "\n1 / 0\n")
    assert folder.look().failures
    assert behaviour("Scale") == ([5, 4], "INT24", 3.0)
    folder.write("scale.py", op("@kernel\nclass Scale(CustomOp):", factor=4))
    folder.look()
    assert behaviour("Scale") == ([1, 4], "INT32", 4.0)


def test_versions_of_the_domains_own_module_are_never_hidden(folder: Folder) -> None:
    folder.write("trunc.py", op("@kernel\nclass Trunc_v7(CustomOp):"))
    folder.look()
    assert ops.get_supported_versions(GENERAL, "Trunc") == [1, 2, 7]
    folder.write("trunc.py", op("@kernel\nclass Trunc_v2(CustomOp):"))
    folder.look()
    assert ops.get_supported_versions(GENERAL, "Trunc") == [1, 2]
    assert ops._OP_REGISTRY[GENERAL]["Trunc"][2] is kernels["Trunc_v2"]
    (folder.path / "trunc.py").write_text("# nothing\n")
    folder.look()
    assert ops._OP_REGISTRY[GENERAL]["Trunc"] == {1: Trunc_v1, 2: Trunc_v2}


def test_what_others_add_to_the_same_op_stays(folder: Folder) -> None:
    folder.write("scale.py", op("@kernel\nclass Scale(CustomOp):"))
    folder.look()
    other = type("Scale_v9", (kernels.Scale,), {})
    ops.add_op_to_domain(GENERAL, other)
    try:
        folder.write("scale.py", op("@kernel\nclass Scale(CustomOp):", factor=3))
        folder.look()
        assert ops._OP_REGISTRY[GENERAL]["Scale"] == {1: kernels.Scale, 9: other}
        (folder.path / "scale.py").write_text("# nothing\n")
        folder.look()
        assert ops._OP_REGISTRY[GENERAL]["Scale"] == {9: other}
    finally:
        ops._OP_REGISTRY[GENERAL].pop("Scale", None)


def test_of_two_kernels_for_one_op_the_one_that_the_short_name_means_counts(folder: Folder) -> None:
    folder.write("a.py", op("@kernel\nclass Scale(CustomOp):", factor=3))
    folder.write("b.py", op("@kernel(framework='zoo')\nclass Scale(CustomOp):", factor=4))
    folder.look()
    assert ops._OP_REGISTRY[GENERAL]["Scale"] == {1: kernels.Scale}
    assert behaviour("Scale")[2] == 3
    folder.write("a.py", "# nothing\n")
    folder.look()
    assert behaviour("Scale")[2] == 4


def test_an_op_typed_at_the_prompt_is_one_too(screen: Screen) -> None:
    screen.type(op("class Scale(CustomOp):"))
    assert "+ kernels.Gain" in screen.type(op("@kernel('Gain')\nclass Scale(CustomOp):", factor=3))
    assert behaviour("Scale")[2] == 2
    assert behaviour("Gain")[2] == 3
    assert "~ kernels.Scale" in screen.type(op("class Scale(CustomOp):", factor=5))
    assert behaviour("Scale")[2] == 5


def test_bases_and_what_has_another_decorator_are_no_kernels(folder: Folder) -> None:
    text = "from qonnx.custom_op.base import CustomOp\nfrom qonnx.custom_op.general import Quant\n"
    folder.write("base.py", text + "class Abstract(CustomOp):\n    pass\n")
    folder.write("hls.py", op('@backend(kernel="Scale", language="hls")\nclass Scale_hls(CustomOp):'))
    folder.look()
    assert folder.names() == ["backends.Scale_hls"]
    assert not ops.is_custom_op(GENERAL, "Scale_hls")


@pytest.mark.parametrize(
    ("decorate", "expected"),
    [
        (register_op("d", "Old"), {"kernel Old": {"domain": "d", "op_type": "Old"}}),
        (register_op("d"), {"kernel Op": {"domain": "d", "op_type": "Op"}}),
        (
            lambda cls: kernel("New", author="me")(register_op("d", "Old")(cls)),
            {"kernel New": {"domain": "d", "op_type": "Old", "author": "me"}},
        ),
        (
            lambda cls: register_op("d", "Old")(kernel("New", author="me")(cls)),
            {"kernel New": {"domain": "d", "op_type": "Old", "author": "me"}},
        ),
        (
            lambda cls: backend(kernel="K", language="hls")(register_op("d", "Op_hls")(cls)),
            {"backend Op": {"domain": "d", "op_type": "Op_hls", "kernel": "K", "language": "hls"}},
        ),
    ],
)
def test_register_op_is_one_plugin_with_the_other_decorator(decorate, expected) -> None:
    decorate(type("Op", (), {}))
    found = [plugin for kind in ("kernel", "backend") for plugin in registry.snapshot.plugins(kind)]
    assert {f"{plugin.kind} {plugin.name}": dict(plugin.metadata) for plugin in found} == expected


def test_qonnx_before_1_finds_ops_in_the_module_that_their_domain_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ops, "_OP_REGISTRY")
    known = {"Trunc": Trunc_v1}
    monkeypatch.setattr("qonnx.custom_op.general.custom_op", known, raising=False)
    before = registry.snapshot
    kernel(name="Trunc")(type("Mine", (Trunc_v2,), {}))
    kernel(name="Other")(type("Other", (Trunc_v2,), {}))
    kernel(name="Elsewhere", domain="no.such.module")(type("Elsewhere", (Trunc_v2,), {}))
    assert [cls.__name__ for cls in known.values()] == ["Mine", "Other"]
    registry.replace(before)
    assert known == {"Trunc": Trunc_v1}
