"""What a large model costs that is held: a command that mentions it, a pass on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from qonnx.core.modelwrapper import ModelWrapper

from .graphs import NoOp
from .proving import network
from .registries import session
from .rows import Effort, Row, alone, beside, in_turn, timed

_MENTIONS = ("m", "len(m.graph.node)", "m.graph.node[0].name", "m.get_tensor_shape('w0')")


def large(effort: Effort) -> Iterator[Row]:
    """Milliseconds."""
    size = 40 if effort.is_quick else 350
    console = session(1_000)
    console.proofs.is_on = False
    names = console.session.namespace
    names.update(m=ModelWrapper(network(max(1, size // 4), 1)), NoOp=NoOp)
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
