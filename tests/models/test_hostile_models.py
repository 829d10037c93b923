"""Damaged, unusual and malicious models: each is refused in a line, or held and compared. The session goes on."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from ..conftest import Screen, unwrapped
from ..seeds import seeds

FLOAT = TensorProto.FLOAT


def tensor(name: str, shape: list[Any] | None = None, element: int = FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, element, [1, 4] if shape is None else shape)


def model(
    *nodes: NodeProto,
    inputs: list[ValueInfoProto] | None = None,
    outputs: list[ValueInfoProto] | None = None,
    constants: list[TensorProto] | None = None,
) -> ModelProto:
    """Relu and Add, or the nodes that are given; from `in`, through `a`, to `out`."""
    nodes = nodes or (node("Relu", "in", "a"), node("Add", "a w", "out"))
    weights = [numpy_helper.from_array(np.ones((1, 4), np.float32), "w")] if constants is None else constants
    graph = helper.make_graph(
        list(nodes),
        "g",
        [tensor("in")] if inputs is None else inputs,
        [tensor("out")] if outputs is None else outputs,
        weights,
    )
    return helper.make_model(graph)


def node(op_type: str, inputs: str, outputs: str, name: str | None = None, **attributes: Any) -> NodeProto:
    name = f"{op_type}_{outputs.partition(' ')[0]}" if name is None else name
    return helper.make_node(op_type, inputs.split(), outputs.split(), name=name, **attributes)


def replaced(before: bytes, after: bytes, *nodes: NodeProto) -> bytes:
    """A serialized model with some bytes of it replaced."""
    assert len(before) == len(after)
    contents: bytes = model(*nodes).SerializeToString()
    assert before in contents
    return contents.replace(before, after)


def without_data() -> TensorProto:
    return TensorProto(name="w", dims=[8, 8], data_type=FLOAT, raw_data=b"")


def untyped(name: str) -> ValueInfoProto:
    return ValueInfoProto(name=name)


def branches() -> ModelProto:
    def branch(op_type: str) -> Any:
        return helper.make_graph([node(op_type, "a", "r")], op_type, [], [tensor("r")])

    return model(
        node("Relu", "in", "a"),
        node("If", "c", "out", then_branch=branch("Neg"), else_branch=branch("Exp")),
        inputs=[tensor("in"), tensor("c", [], TensorProto.BOOL)],
    )


def loop() -> ModelProto:
    inputs = [tensor("i", [], TensorProto.INT64), tensor("go", [], TensorProto.BOOL), tensor("s")]
    body = helper.make_graph([node("Abs", "s", "r")], "body", inputs, [inputs[1], tensor("r")])
    outer = [tensor("n", [], TensorProto.INT64), tensor("c", [], TensorProto.BOOL), tensor("in")]
    return model(node("Loop", "n c in", "out", body=body), inputs=outer)


def sequence() -> ModelProto:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, [1, 4]))
    given = helper.make_value_info("in", kind)
    return model(
        node("SequenceAt", "in i", "out"), inputs=[given], constants=[numpy_helper.from_array(np.array(0), "i")]
    )


def sequence_output() -> ModelProto:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, None))
    return model(
        node("Relu", "in", "a"), node("SequenceConstruct", "a", "out"), outputs=[helper.make_value_info("out", kind)]
    )


def quantised() -> ModelProto:
    scalars = [
        numpy_helper.from_array(np.array(value, np.float32), name)
        for name, value in zip("szb", (0.5, 0, 4), strict=True)
    ]
    quant = node("Quant", "in s z b", "a", domain="qonnx.custom_op.general", signed=1, narrow=0, rounding_mode="ROUND")
    return model(quant, node("Relu", "a", "out"), constants=scalars)


def annotated(key: str, value: str) -> ModelProto:
    result = model()
    annotation = result.graph.quantization_annotation.add(tensor_name="a")
    annotation.quant_parameter_tensor_names.add(key=key, value=value)
    return result


#: What is loaded, and what `load` says if it refuses it.
MODELS: dict[str, tuple[Any, str]] = {
    "a name that is not UTF-8": (replaced(b"Relu_a", b"Relu\xff\xfe"), "the name b'Relu\\xff\\xfe' is not UTF-8"),
    "an attribute name that is not UTF-8": (
        replaced(b"alpha", b"al\xff\xfea", node("Elu", "in", "out", alpha=1.0)), "is not UTF-8",
    ),
    "an initializer without data": (model(constants=[without_data()]), ""),
    "an initializer of an unknown type": (model(constants=[TensorProto(name="w", dims=[2], data_type=99)]), ""),
    "an input without a type": (model(inputs=[untyped("in")]), ""),
    "an output without a type": (model(outputs=[untyped("out")]), ""),
    "an unknown element type": (model(inputs=[tensor("in", element=99)]), ""),
    "an input of strings": (model(inputs=[tensor("in", element=TensorProto.STRING)]), ""),
    "a sequence input": (sequence(), ""),
    "a sequence output": (sequence_output(), ""),
    "a dimension of -1": (model(inputs=[tensor("in", [-1, 4])]), ""),
    "a dimension of 0": (model(inputs=[tensor("in", [0, 4])]), ""),
    "an input of 4 TB": (model(inputs=[tensor("in", [1_000_000, 1_000_000])]), ""),
    "dimensions beyond int64": (model(inputs=[tensor("in", [2**62, 2**62, 2**62])]), ""),
    "a cycle": (model(node("Add", "in b", "a"), node("Relu", "a", "b"), node("Neg", "b", "out")), ""),
    "a node that reads itself": (model(node("Add", "in out", "out")), ""),
    "two nodes of one name": (model(node("Relu", "in", "a", "n"), node("Neg", "a", "out", "n")), ""),
    "two producers of a tensor": (model(node("Relu", "in", "a"), node("Neg", "in", "a"), node("Abs", "a", "out")), ""),
    "two inputs of one name": (model(inputs=[tensor("in"), tensor("in")]), ""),
    "two outputs of one name": (model(outputs=[tensor("out"), tensor("out")]), ""),
    "two constants of one name": (model(constants=[numpy_helper.from_array(np.ones(4, np.float32), "w")] * 2), ""),
    "nodes without a name": (model(node("Relu", "in", "a", ""), node("Neg", "a", "out", "")), ""),
    "tensors without a name": (model(inputs=[tensor("")], outputs=[tensor("")]), ""),
    "a node without an op type": (model(node("", "in", "out", "n")), ""),
    "a node without outputs": (model(node("Relu", "in", "out"), node("Neg", "in", "")), ""),
    "a node without inputs and outputs": (model(node("Relu", "in", "out"), node("Neg", "", "", "n")), ""),
    "an output that no node produces": (model(node("Relu", "in", "a")), ""),
    "an input that no node produces": (model(node("Add", "in nowhere", "out")), ""),
    "an attribute without a type": (
        model(NodeProto(op_type="Elu", input=["in"], output=["out"], attribute=[{"name": "x"}])), "",
    ),
    "an If": (branches(), ""),
    "a Loop": (loop(), ""),
    "a custom op": (quantised(), ""),
    "an empty graph": (model(node("Relu", "in", "out"), inputs=[], outputs=[], constants=[]), ""),
    "no nodes": (helper.make_model(helper.make_graph([], "g", [], [])), ""),
    "no graph": (ModelProto(ir_version=9), "it has no graph"),
    "a layout that is code": (annotated("tensor_layout", "exit()"), "that QONNX would execute: 'exit()'"),
    "a layout that is a number": (annotated("tensor_layout", "7"), ""),
    "a datatype that is none": (annotated("finn_datatype", "NONSENSE"), ""),
    "a sparsity that is text": (annotated("tensor_sparsity", "'x'"), ""),
    "a domain that is code": (model(node("Op", "in", "out", domain="antigravity.x")), "the domain antigravity.x"),
}  # fmt: skip

#: Commands on `m`, a model, and `other`, the same model.
COMMANDS = (
    "m = m.transform(Nothing())",
    "n = m.transform(tfm.InferShapes())",
    "m = m.transform(Rename())",
    "m = m.transform(Swap())",
    "verify(m, other)",
    "trace(other, [Nothing, Swap])",
    "trace(other, [Nothing, Swap], blame=True)",
    "w = watch(other, Swap()); w",
    "reproduce(folder)",
    "other",
    "m.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 3",
    "del m.graph.input[:]",
    "m.graph.node.append(m.graph.node[0])",
    "m.graph.node.pop(0)",
    "del m.graph.node[:], m.graph.output[:], m.graph.initializer[:]",
)
PASSES = """
    from copy import deepcopy
    from qonnx.transformation.base import Transformation
    class Nothing(Transformation):
        def apply(self, model):
            return model, False
    class Rename(Transformation):
        def apply(self, model):
            for number, node in enumerate(model.graph.node):
                node.name = f"renamed {number}"
            return model, False
    class Swap(Transformation):
        def apply(self, model):
            for node in model.graph.node:
                node.op_type = {"Relu": "Neg", "Add": "Sub"}.get(node.op_type, node.op_type)
            return model, False
"""


@pytest.fixture
def shell(screen: Screen, tmp_path: Path) -> Screen:
    assert screen.type(PASSES) == ""
    screen.names["folder"] = str(tmp_path / "reproduction")
    return screen


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def answers(shell: Screen) -> bool:
    return shell.type("1 + 1") == "2\n"


def loaded(shell: Screen, source: Any) -> str:
    """Loads a model as `m`, and the same as `other`. Returns what the shell says."""
    contents = source if isinstance(source, bytes) else source.SerializeToString()
    shell.names["contents"] = contents
    shell.names.pop("m", None)
    return shell.type("m = load(contents)") or shell.type("other = load(contents)")


def is_refusal(output: str) -> bool:
    """Whether an output says why a model was not opened, and nothing else."""
    return output.startswith(("UnreadableModel: ", "UntrustedModel: ")) and "File " not in output


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_refused_in_a_line_or_held_and_compared(shell: Screen, name: str) -> None:
    source, refusal = MODELS[name]
    output = loaded(shell, source)
    assert answers(shell)
    if output:
        assert is_refusal(output)
        assert refusal in unwrapped(output)
        return
    assert refusal == ""
    shell.console.proofs.is_on = False  # some of the commands execute models themselves
    for command in COMMANDS:
        assert "internal error" not in shell.type(command), command
        assert answers(shell), command


def messages(root: Message) -> list[Message]:
    """A protobuf message and all that it contains."""
    contained: list[Message] = [root]
    for message in contained:  # it grows
        for _, value in message.ListFields():
            if isinstance(value, Message):
                contained.append(value)
            elif not isinstance(value, (str, bytes, int, float)):
                contained += [each for each in value if isinstance(each, Message)]
    return contained


def mutate(rng: random.Random, root: ModelProto) -> None:
    """Changes one field of one message: clears it, repeats or swaps its elements, or sets it to another value."""
    message = rng.choice(messages(root))
    field, value = rng.choice(message.ListFields() or [(None, None)])
    if field is None:
        return
    if isinstance(value, Message):
        message.ClearField(field.name)
    elif isinstance(value, str):
        setattr(message, field.name, rng.choice(["", "a", "out", "w", "Relu", "qonnx.custom_op.general", "\u2028"]))
    elif isinstance(value, bytes):
        setattr(message, field.name, rng.choice([b"", value[:-1], value + b"\x00", b"\xff" * len(value)]))
    elif isinstance(value, float):
        setattr(message, field.name, rng.choice([0.0, -1e38]))
    elif isinstance(value, int):
        largest = 2**31 - 1 if field.cpp_type == field.CPPTYPE_INT32 else 2**62
        numbers = (
            [0, 1, -1, 7, largest, -largest] if field.enum_type is None else list(field.enum_type.values_by_number)
        )
        setattr(message, field.name, rng.choice(numbers))
    else:
        rng.choice([value.pop, lambda: value.extend(list(value)), value.reverse])()


@pytest.mark.parametrize("seed", seeds(2))
def test_a_session_survives_random_mutations_of_models(shell: Screen, seed: int) -> None:
    rng = random.Random(seed)
    kinds: list[Callable[[], ModelProto]] = [model, branches, loop, sequence_output, quantised]
    opened = 0
    for number in range(60):
        shell.console.proofs.is_on = number % 10 == 0
        damaged = rng.choice(kinds)()
        for _ in range(rng.randrange(1, 4)):
            mutate(rng, damaged)
        try:
            contents = damaged.SerializeToString()
        except ValueError:  # protobuf itself refuses it
            continue
        if output := loaded(shell, contents):
            assert is_refusal(output), number
        else:
            opened += 1
            for command in ("m = m.transform(Swap())", "m.graph.node.reverse()", "x = m.graph.node.pop()", "other"):
                assert "internal error" not in shell.type(command), (number, command)
        assert answers(shell), number
    assert opened > 20
