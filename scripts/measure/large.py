"""What large models cost: a command that mentions one, a pass on one, and comparing the outputs of two.

python -m measure.large BEFORE AFTER INPUTS      the peer of the last, in a process of its own
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
from onnx import ModelProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper

from bsrepl.models.executor import Executor

from .graphs import NoOp
from .registries import session
from .rows import Effort, Row, alone, beside, in_turn, timed

_WIDTH = 1024  # a weight of it squared takes 4 MiB
_MENTIONS = ("m", "len(m.graph.node)", "m.graph.node[0].name", "m.get_tensor_shape('w0')")


def network(megabytes: int, last: str = "Relu") -> ModelProto:
    """Matrix products and Relus, with so many megabytes of weights, and a last node that changes nothing any more."""
    numbers = np.random.default_rng(0)
    nodes, weights, source = [], [], "in"
    for n in range(max(1, megabytes // 4)):
        values = numbers.normal(0, _WIDTH**-0.5, [_WIDTH, _WIDTH]).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{n}"))
        nodes.append(helper.make_node("MatMul", [source, f"w{n}"], [f"p{n}"], name=f"MatMul_{n}"))
        nodes.append(helper.make_node("Relu", [f"p{n}"], [f"t{n}"], name=f"Relu_{n}"))
        source = f"t{n}"
    nodes.append(helper.make_node(last, [source], ["out"], name=f"{last}_last"))
    ends = [helper.make_tensor_value_info(name, 1, [1, _WIDTH]) for name in ("in", "out")]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])


def large(effort: Effort) -> Iterator[Row]:
    """Milliseconds."""
    size = 40 if effort.is_quick else 350
    yield from _mentioned(effort, size)
    yield from _verified(effort, 40 if effort.is_quick else 100)


def _mentioned(effort: Effort, size: int) -> Iterator[Row]:
    console = session(1_000)
    console.auto_verify = False
    names = console.session.namespace
    names.update(m=ModelWrapper(network(size)), NoOp=NoOp)
    comments = count()

    def commanded(text: str) -> float:
        return 1e3 * timed(lambda: console.run(f"{text}  # {next(comments)}"), 1, 1)[0]

    def bare_eval(text: str) -> float:
        return 1e3 * timed(lambda: eval(compile(f"{text}  # {next(comments)}", "bare", "eval"), names), 1, 1)[0]

    for text in _MENTIONS:
        ours, bare = in_turn(effort.runs(15), lambda: commanded(text), lambda: bare_eval(text))  # noqa: B023
        above = [one - other for one, other in zip(ours, bare, strict=True)]
        yield alone(f"`{text}` of a held {size} MB model, above eval", "ms", above, 5)
    commanded("m.graph.node[0].name = 'first'; n = m.transform(NoOp())")
    ours, copied, theirs = in_turn(
        effort.runs(9),
        lambda: commanded("n = m.transform(NoOp())"),
        lambda: 1e3 * timed(lambda: type(m := names["m"].model)().CopyFrom(m), 1, 1)[0],
        lambda: 1e3 * timed(lambda: names["m"].transform(NoOp()), 1, 1)[0],
    )
    yield beside(f"n = m.transform(no-op), {size} MB, told", "ms", ours, "QONNX outside", theirs)
    yield beside(f"n = m.transform(no-op), {size} MB, told", "ms", ours, "copying the model", copied)
    console.close()


def _verified(effort: Effort, size: int) -> Iterator[Row]:
    """Of two models, beside two sessions of onnxruntime that are given the same files and inputs."""
    executor = Executor()
    console = session(1_000, executor)
    prove = console.session.namespace["verify"]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("before.onnx", "after.onnx", "inputs.npy")]
        for path, last in zip(paths, ("Relu", "Abs"), strict=False):
            path.write_bytes(network(size, last).SerializeToString())
        np.save(paths[2], np.random.default_rng(1).normal(size=[1, _WIDTH]).astype(np.float32))
        before, after, _ = (str(path) for path in paths)
        models = [ModelWrapper(before), ModelWrapper(after)]
        given = {"in": np.load(paths[2])}

        def ours() -> float:
            start = time.perf_counter()
            assert prove(*models, inputs=given).outcome.name == "OK"
            return 1e3 * (time.perf_counter() - start)

        def theirs() -> float:
            command = [sys.executable, "-m", "measure.large", *map(str, paths)]
            return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

        taken, bare = in_turn(effort.runs(9), ours, theirs)
    executor.close()
    console.close()
    yield beside(f"verify, {size} MB", "ms", taken, "two bare sessions of onnxruntime", bare, 1.5)


def main(before: str, after: str, inputs: str) -> None:
    import onnxruntime

    given = {"in": np.load(inputs)}
    start = time.perf_counter()
    outputs = [onnxruntime.InferenceSession(path).run(None, given)[0] for path in (before, after)]
    taken = 1e3 * (time.perf_counter() - start)
    assert np.allclose(*outputs)
    print(taken)


if __name__ == "__main__":
    main(*sys.argv[1:])
