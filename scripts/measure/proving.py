"""What verifying a large model costs, beside two bare sessions of onnxruntime on the same inputs."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, helper, numpy_helper

from bsrepl.models.process.executor import Executor
from bsrepl.models.process.prover import Prover

from .rows import Effort, Row, alone, beside, in_turn, timed

PEER = "two bare onnxruntime sessions"
_SIZE = 1024  # rows and columns of a weight: 4 MB
_EVERY = 0.005  # seconds between two looks at the memory
_SETS = ((2, 0), (2, 1), (2, 2), (3, 3))  # rows, and seeds: as many and as large as `verify` generates


def network(layers: int, rows: int | str = "N") -> ModelProto:
    """Products and Relus, 4 MB of weights each; rows of a dynamic number, or so many."""
    numbers = np.random.default_rng(0)
    nodes, weights, source = [], [], "x"
    for layer in range(layers):
        values = numbers.normal(size=(_SIZE, _SIZE)) / _SIZE**0.5
        weights.append(numpy_helper.from_array(values.astype(np.float32), f"w{layer}"))
        nodes.append(helper.make_node("MatMul", [source, f"w{layer}"], [f"p{layer}"], f"MatMul_{layer}"))
        nodes.append(helper.make_node("Relu", [f"p{layer}"], [f"r{layer}"], f"Relu_{layer}"))
        source = f"r{layer}"
    ends = [helper.make_tensor_value_info(name, 1, [rows, _SIZE]) for name in ("x", source)]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def rewritten(model: ModelProto) -> ModelProto:
    """A copy in which one weight is halved, and its product doubled."""
    copied = deepcopy(model)
    middle = len(copied.graph.initializer) // 2
    weight = copied.graph.initializer[middle]
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) / 2, weight.name))
    nodes = list(copied.graph.node)
    product = nodes[2 * middle]
    result, product.output[0] = product.output[0], "half"
    nodes.insert(2 * middle + 1, helper.make_node("Mul", ["half", "two"], [result], "Mul_0"))
    del copied.graph.node[:]
    copied.graph.node.extend(nodes)
    copied.graph.initializer.append(numpy_helper.from_array(np.float32(2), "two"))
    return copied


def proving(effort: Effort) -> Iterator[Row]:
    """Seconds, and the peak of the memory beyond that of the sessions, as a multiple of the file.

    They are measured one after the other: looking at the memory takes time.
    """
    before = network(6 if effort.is_quick else 25)
    after = rewritten(before)
    size = before.ByteSize()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("before.onnx", "after.onnx")]
        for file, model in zip(files, (before, after), strict=True):
            file.write_bytes(model.SerializeToString())
        executor = Executor()
        prover = Prover(executor)
        try:
            prover.verdict(network(1), network(1))  # the other process is started
            verified, bare = partial(_verified, prover, before, after), partial(_in_fork, _bare, files)
            ours, theirs = in_turn(effort.runs(8), verified, bare)
            peaks = in_turn(effort.runs(4), partial(_peak, verified), partial(_peak, bare))
            beyond = [(peak - bare_peak) / size for peak, bare_peak in zip(*peaks, strict=True)]
        finally:
            executor.close()
    name = f"verify of {'a 25' if effort.is_quick else 'a 100'} MB model"
    yield beside(name, "s", ours, PEER, theirs, 1.5)
    yield alone(f"{name}, memory beyond {PEER}", "x the file", beyond, 3)


def _verified(prover: Prover, before: ModelProto, after: ModelProto) -> float:
    def verify() -> None:
        verdict = prover.verdict(before, after)
        assert verdict, verdict

    return timed(verify, 1, 1)[0]


def _bare(files: list[Path], answer: Any) -> None:
    """What a script without bsrepl does: both sessions are held, and the outputs compared."""
    import numpy.testing  # noqa: F401  # it loads with its first use, which is none of the time
    import onnxruntime

    sets = [np.random.default_rng(seed).normal(size=(rows, _SIZE)).astype(np.float32) for rows, seed in _SETS]

    def compare() -> None:
        sessions = [onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"]) for file in files]
        for values in sets:
            was, now = (session.run(None, {"x": values})[0] for session in sessions)
            np.testing.assert_allclose(now, was, rtol=1e-3, atol=1e-3)

    answer.send(timed(compare, 1, 1)[0])


def _in_fork(function: Callable[..., None], *arguments: Any) -> float:
    """What a function sends from a process of its own, whose memory nothing else is in."""
    result, answer = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=function, args=(*arguments, answer))
    process.start()
    seconds: float = result.recv()
    process.join()
    return seconds


def _peak(action: Callable[[], float]) -> float:
    """The bytes that this process and its children took during an action, at most."""
    start, most, done = _memory(), [0], threading.Event()

    def look() -> None:
        while not done.wait(_EVERY):
            most[0] = max(most[0], _memory())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        action()
    finally:
        done.set()
        looking.join()
    return max(most[0] - start, 0)


def _memory() -> int:
    """Bytes of this process and its children, shared pages counted once; 0 where the system does not say."""
    processes, total = [os.getpid()], 0
    for process in processes:  # it grows
        try:
            children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended, or there is no such system
            continue
        processes += map(int, children)
        total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total
