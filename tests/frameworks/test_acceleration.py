"""QONNX made linear computes what QONNX computes: the same bytes, or the same error."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.general import GiveRandomTensorNames, GiveReadableTensorNames, GiveUniqueTensorNames

from bsrepl.frameworks.qonnx import linear_passes
from bsrepl.frameworks.qonnx.acceleration import Acceleration
from bsrepl.models.loading import opened
from bsrepl.registry.unavailable import installed_packages

from ..conftest import Screen
from ..seeds import seeds


class Nothing(Transformation):
    def apply(self, model):
        return model, False


def outcome(work: Callable[[], ModelWrapper]) -> Any:
    """The bytes of the model, or the error and its context, with random names that are the same each time."""
    random.seed(0)
    np.random.seed(0)
    try:
        return work().model.SerializeToString(deterministic=True)
    except Exception as error:
        return type(error), str(error), type(error.__context__)


def both(work: Callable[[], ModelWrapper]) -> tuple[Any, Any]:
    """What QONNX does, and what it does while it is linear."""
    plain = outcome(work)
    acceleration = Acceleration()
    with acceleration.active():
        linear = outcome(work)
    assert acceleration.why_not() is None
    return plain, linear


class Graphs:
    """Random graphs: some as they should be, some broken in each way that a pass may break one."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def graph(self, depth: int = 0) -> GraphProto:
        number = self.random.randrange(12)
        names = [f"t{n}" for n in range(number * 2 + 3)] + ["in0", "in1", *(["", "w0"] if self.odd() else [])]
        nodes = [self.node(names, n, depth) for n in range(number)]
        if self.odd():
            self.random.shuffle(nodes)
        if nodes and self.odd():
            nodes.append(self.random.choice(nodes))
        weights = [self.weight(f"w{self.random.randrange(6) if self.odd() else n}") for n in range(6)]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])
            for name in self.some("in0", "in1", "w1", "w2", "w3", "w4")
        ]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in self.some(*names[:4])]
        infos = [
            helper.make_tensor_value_info(name, self.random.choice((1, 7, 10)), [2])
            for name in self.some(*names, "w0", "w5", "x")
        ]
        if infos and self.odd():
            infos.append(self.random.choice(infos))
        return helper.make_graph(nodes, "random", inputs, outputs, weights, value_info=infos)

    def odd(self) -> bool:
        """Whether something rare is to be done."""
        return self.random.random() < 0.15

    def some(self, *names: str) -> list[str]:
        chosen = [name for name in dict.fromkeys(names) if name and self.random.random() < 0.6]
        self.random.shuffle(chosen)
        return chosen

    def node(self, names: list[str], number: int, depth: int) -> Any:
        reads = [self.random.choice([*names, *(f"w{n}" for n in range(6))]) for _ in range(self.random.randrange(4))]
        if number and not self.odd():
            reads.append(f"t{self.random.randrange(number)}")
        makes = [f"t{number}", *(["", f"t{number + 20}"] if self.odd() else [])]
        node = helper.make_node(
            self.random.choice(("Add", "Mul", "Relu", "Sum", "Constant")), reads, makes, name=f"n{number}"
        )
        if self.odd():
            node.attribute.append(helper.make_attribute("alpha", float("nan")))
        if depth < 1 and self.odd():
            node.attribute.append(helper.make_attribute("body", self.graph(depth + 1)))
        return node

    def weight(self, name: str) -> TensorProto:
        tensor = numpy_helper.from_array(np.arange(self.random.randrange(3), dtype=np.float32), name)
        match self.random.randrange(12):
            case 0:
                tensor = helper.make_tensor(name, TensorProto.FLOAT, [2], [1.0, float("nan")])
            case 1:
                tensor.dims[:] = [7]  # cannot be read
            case 2:
                tensor = helper.make_tensor(name, TensorProto.BFLOAT16, [2], [1.0, 2.0])
            case 3:
                tensor = helper.make_tensor(name, TensorProto.STRING, [1], [b"text"])
            case 4:
                tensor = helper.make_tensor(name, TensorProto.INT4, [3], [1, -2, 3])
            case 5:
                tensor.data_type = 99
        return tensor

    def model(self) -> ModelProto:
        model = helper.make_model(self.graph())
        for name in self.some("t0", "t1", "w0", "w1", "in0", "x", "x"):
            annotation = model.graph.quantization_annotation.add(tensor_name=name)
            annotation.quant_parameter_tensor_names.add(
                key=self.random.choice(("finn_datatype", "tensor_layout")), value="INT4"
            )
        return model


@pytest.mark.parametrize("seed", range(60))
def test_wrapping_and_cleaning_up_random_graphs(seed: int) -> None:
    proto = Graphs(seed).model()
    plain, linear = both(lambda: ModelWrapper(proto, make_deepcopy=True))
    assert plain == linear

    def transformed() -> ModelWrapper:
        bare = ModelWrapper(proto, make_deepcopy=True, fix_missing_initializer_valueinfo=False)
        return bare.transform(Nothing(), apply_to_subgraphs=True)

    plain, linear = both(transformed)
    assert plain == linear


@pytest.mark.parametrize("renaming", [GiveUniqueTensorNames, GiveRandomTensorNames, GiveReadableTensorNames])
@pytest.mark.parametrize("seed", range(40))
def test_renaming_the_tensors_of_random_graphs(seed: int, renaming: type[Transformation]) -> None:
    proto = Graphs(seed).model()

    def renamed() -> ModelWrapper:
        bare = ModelWrapper(proto, make_deepcopy=True, fix_missing_initializer_valueinfo=False)
        return bare.transform(renaming(), cleanup=False)

    plain, linear = both(renamed)
    assert plain == linear


def test_every_transformation_of_qonnx_on_a_model(screen: Screen) -> None:
    """Random names apart, which are the same here since the same random numbers are drawn."""
    model = opened("mnist-conv")
    is_installed = installed_packages()
    number = 0
    for plugin in screen.console.registry.snapshot.plugins("transform", "qonnx"):
        if plugin.unavailable(is_installed) is None and plugin.name != "PropagateMasks":  # which never ends
            cls = plugin.load()
            try:
                cls()
            except TypeError:  # one that takes arguments
                continue
            plain, linear = both(lambda: model.transform(cls()))  # noqa: B023
            assert plain == linear, plugin
            number += 1
    assert number > 40


def test_a_cleanup_copies_no_weights() -> None:
    """Reading a weight copies it. The memory of protobuf, in which `transform` copies the model, is not traced."""
    weights = [numpy_helper.from_array(np.zeros(1 << 20, np.float32), f"w{n}") for n in range(2)]
    nodes = [helper.make_node("Add", [f"t{n}", f"w{n}"], [f"t{n + 1}"]) for n in range(2)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1 << 20]) for name in ("t0", "t2")]
    proto = helper.make_model(helper.make_graph(nodes, "", ends[:1], ends[1:], weights))
    with Acceleration().active():
        model = ModelWrapper(proto)
        model.transform(Nothing())  # imports what it needs
        tracemalloc.start()
        try:
            model.transform(Nothing())
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 1 << 20


class Mutations:
    """A model that is edited at random, as passes do it, and asked in between."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0
        weights = [numpy_helper.from_array(np.zeros(2, np.float32), f"w{n}") for n in range(9)]
        nodes = [helper.make_node("Add", [f"t{n - 1}" if n else "in", f"w{n}"], [f"t{n}"]) for n in range(9)]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("in", "t8")]
        self.model = ModelWrapper(helper.make_model(helper.make_graph(nodes, "", ends[:1], ends[1:], weights)))

    def edit(self) -> None:
        graph = self.model.graph
        node = self.random.choice(graph.node)
        self.count += 1
        new = f"new{self.count}"
        match self.random.randrange(9):
            case 0:  # inserted before a node
                at = self.random.randrange(len(graph.node))
                graph.node.insert(at, helper.make_node("Relu", list(node.output), [new]))
            case 1:  # replaced by another that produces the same
                graph.node.remove(node)
                graph.node.append(helper.make_node("Relu", ["in"], list(node.output)))
            case 2 if len(graph.node) > 3:
                graph.node.remove(node)
            case 3:
                self.model.set_initializer(self.random.choice([*(w.name for w in graph.initializer), new]), np.ones(3))
            case 4:
                self.model.del_initializer(self.random.choice([w.name for w in graph.initializer] or [""]))
            case 5:
                self.model.rename_tensor(self.random.choice(self.names()), new)
            case 6:
                self.model.set_tensor_datatype(self.random.choice(self.names()), DataType["INT4"])
            case 7:
                self.model.set_tensor_layout(self.random.choice(self.names()), ["N"])
            case 8:
                graph.value_info.append(helper.make_tensor_value_info(new, TensorProto.FLOAT16, [1]))

    def names(self) -> list[str]:
        graph = self.model.graph
        produced = [name for node in graph.node for name in node.output]
        return [*dict.fromkeys([*produced, *(tensor.name for tensor in graph.initializer), "in"])]

    def answers(self) -> list[str]:
        """What every look-up says of every name there is or was."""
        lookups = (
            self.model.find_producer, self.model.get_initializer, self.model.get_tensor_valueinfo,
            self.model.get_tensor_shape, self.model.get_tensor_datatype, self.model.get_tensor_layout,
        )  # fmt: skip
        names = [*self.names(), "w3", "t4", f"new{self.count}", "nowhere"]
        return [str(outcome_of(lambda: lookup(name))) for name in names for lookup in lookups]  # noqa: B023


def outcome_of(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:
        return error


@pytest.mark.parametrize("seed", seeds(10))
def test_look_ups_while_a_model_is_edited(seed: int) -> None:
    acceleration = Acceleration()
    with acceleration.active():
        linear = Mutations(seed)
        answers = []
        for _ in range(40):
            linear.edit()
            if linear.random.random() < 0.7:
                answers.append(linear.answers())
    plain = Mutations(seed)
    for number in range(len(answers)):
        plain.edit()
        while plain.random.random() >= 0.7:
            plain.edit()
        assert plain.answers() == answers[number], number


@pytest.mark.parametrize("name", ["find_producer", "set_initializer"])
def test_it_gives_way_to_another_qonnx(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    original = getattr(ModelWrapper, name)
    monkeypatch.setattr(ModelWrapper, name, lambda *arguments: original(*arguments))
    theirs = ModelWrapper.get_initializer
    acceleration = Acceleration()
    with acceleration.active():
        assert ModelWrapper.get_initializer is theirs
    assert acceleration.why_not() == "bsrepl's was written for QONNX 1.0.0, and this code differs"


def test_a_failure_of_ours_falls_back_to_qonnx_and_is_told(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(model: ModelWrapper) -> bool:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(linear_passes, "sort_graph", fails)
    screen.type("m = load('mnist-conv'); m = m.transform(tfm.qonnx.GiveUniqueNodeNames())")
    told = screen.type("frameworks()")
    assert "its own cleanup and look-ups run, in quadratic time: ZeroDivisionError in bsrepl's: ours" in told


def test_it_is_on_while_a_command_runs_alone(screen: Screen) -> None:
    theirs = ModelWrapper.find_producer
    screen.type("f = load('mnist-conv').find_producer.__func__")
    assert screen.names["f"] is not theirs
    assert ModelWrapper.find_producer is theirs
