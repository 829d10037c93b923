"""A reproduction cut down to the smallest part of the model that still shows the failure, with the values at the cut.

Each part is tried in the other process, by the script that is handed on. A Ctrl-C, or the end of the time, keeps the
smallest part so far.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from onnx import ModelProto

from ..errors import ReproductionError, TaskEnded
from ..graphdiff.viewing import view
from ..text.format import counted, duration, size
from .process.prover import Prover
from .proof.verdict import Outcome, Verdict
from .reenactment import APPLYING, Cut, Pair, Part, Shown, places, reenacted
from .reproduction import Reproduction, packed_values
from .runtime import part

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EACH = 20.0  # seconds that one part may take
_HOPS = (0, 1, 2, 4, 8, 16)  # how far around the first difference is looked
_SINGLY = 12  # weights of which each is tried for itself

#: Called with the number of nodes that are left, and how many there were.
Progress = Callable[[int, int], None]


class Reduced(NamedTuple):
    """A smaller reproduction. Sizes are those of the model, before and now."""

    reproduction: Reproduction
    nodes: tuple[int, int]
    bytes: tuple[int, int]
    seconds: float
    stopped: str  # why it may not be the smallest: `the time was up`; empty if it is
    random: int  # weights that have random numbers now

    def __str__(self) -> str:
        """`213 -> 3 nodes, 97 MB -> 12 kB in 8.1 s; 2 weights are random numbers`"""
        was, now = self.bytes
        more = [f"{counted(self.random, 'weight')} replaced by random numbers"] if self.random else []
        more += [f"{self.stopped}, so a smaller part may exist"] if self.stopped else []
        sizes = f"{self.nodes[0]} -> {counted(self.nodes[1], 'node')}, {size(was)} -> {size(now)}"
        return "; ".join([f"{sizes} in {duration(self.seconds)}", *more])


def reduced(
    whole: Reproduction, prover: Prover, limit: float, clock: Callable[[], float], progress: Progress
) -> Reduced:
    """The smallest part of a reproduction that still shows the failure, as far as it is found within `limit` seconds.

    Raises ReproductionError if the reproduction does not show it when it runs in a process of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole.write(Path(folder))
        search = _Search(whole, prover, folder, clock, limit, progress)
        return search.result()


class _Search:
    def __init__(
        self, whole: Reproduction, prover: Prover, folder: str, clock: Callable[[], float], limit: float,
        progress: Progress,
    ) -> None:  # fmt: skip
        self._whole = whole
        self._prover = prover
        self._folder = folder if whole.applies else ""
        self._clock = clock
        self._began = clock()
        self._limit = limit
        self._progress = progress
        self._inputs = _arrays(whole.files["inputs.npz"]) if "inputs.npz" in whole.files else None
        self._before = ModelProto.FromString(whole.files["before.onnx"])
        self._after = self._before if whole.applies else ModelProto.FromString(whole.files["after.onnx"])
        self._symptom = ""
        self._place: Pair | None = None
        self._best: tuple[Part, bytes] | None = None
        self._random = 0

    def result(self) -> Reduced:
        """Searches until there is nothing smaller, the time is up, or a Ctrl-C comes."""
        stopped = ""
        count = len(self._before.graph.node)
        try:
            self._begin()
            if self._folder:
                self._around()
                self._halved()
            else:
                self._pieces()
            self._without_weights()
        except KeyboardInterrupt:
            stopped = "stopped by Ctrl-C"
        except TimeoutError:
            stopped = "the time was up"
        if self._best is None:
            raise ReproductionError(f"{stopped or 'no part of the model shows it alone'}; reproduce() writes all of it")
        nodes = count, len(self._before.graph.node)
        sizes = len(self._whole.files["before.onnx"]), len(self._best[0].before)
        took = self._clock() - self._began
        found = Reduced(self._whole, nodes, sizes, took, stopped, self._random)
        return found._replace(reproduction=self._written(f"Reduced: {found}"))

    def _written(self, note: str) -> Reproduction:
        assert self._best is not None
        best, after = self._best
        files = {**self._whole.files, "before.onnx": best.before}
        files.pop("after.onnx", None)
        if "inputs.npz" in files:
            files |= {"after.onnx": best.after or after, "inputs.npz": packed_values(best.inputs)}
        if self._whole.applies:
            files.pop("after.onnx", None)
        return replace(self._whole, message=f"{self._whole.message}\n\n{note}", files=files)

    def _begin(self) -> None:
        """Finds out what the whole model shows. Raises ReproductionError if nothing fails."""
        found = self._tried(Cut())
        if found is None or not found[1].symptom:
            raise ReproductionError("the script does not show the failure in a process of its own; nothing was reduced")
        self._symptom, self._place = found[1].symptom, found[1].place

    def _around(self) -> None:
        """Looks around the node that produces the first tensor that differs."""
        if self._place is None:
            return
        graph = view(self._before)
        producer = graph.producer(self._place[0])
        near = {producer[0]} if producer else set()
        numbers = _numbers(graph, self._before)
        for hops in _HOPS:
            while near and hops > 0:
                near |= _beside(graph, near)
                hops -= 1
            kept = {numbers[node] for node in near if node in numbers}
            if kept and len(kept) < len(self._before.graph.node) and self._shows(Cut(nodes=kept)):
                return

    def _halved(self) -> None:
        """Tries halves, then smaller shares and what is left without them, as long as one shows the failure."""
        shares = 2
        while (count := len(self._before.graph.node)) > 1:
            if any(self._shows(Cut(nodes=kept)) for kept in _shares(count, shares)):
                shares = max(shares - 1, 2)
            elif shares >= count:
                return
            else:
                shares = min(2 * shares, count)

    def _pieces(self) -> None:
        """Tries each piece of both models in which something differs, the first that computes something else first."""
        found = self._finished(partial(places), 2 * _EACH)
        order: Sequence[Pair] = found[1] or ()
        for place in dict.fromkeys([*([self._place] if self._place else []), *order]):
            if self._shows(Cut(place=place)):
                return

    def _without_weights(self) -> None:
        """Puts random numbers in the place of weights, all or some of them, if that shows the failure as well."""
        names = part.weights(self._before, self._after)
        tries: Iterator[list[str]] = iter([names, *([name] for name in names[:_SINGLY] if len(names) > 1)])
        for chosen in tries:
            if chosen and self._shows(Cut(random=tuple(chosen))):
                self._random += len(chosen)
                if chosen == names:
                    return

    def _shows(self, cut: Cut) -> bool:
        """Whether a part shows the same failure. If so, the search goes on with it."""
        found = self._tried(cut)
        if found is None or found[1].symptom != self._symptom:
            return False
        best, shown = found
        count = len(self._before.graph.node)
        self._best = best, shown.after
        self._before = ModelProto.FromString(best.before)
        self._after = self._before if self._folder else ModelProto.FromString(best.after)
        self._inputs = best.inputs
        self._progress(len(self._before.graph.node), count)
        return True

    def _tried(self, cut: Cut) -> tuple[Part, Shown] | None:
        """A part and what it shows; None if there is no such part."""
        task = partial(reenacted, folder=self._folder, inputs=self._inputs, cut=cut)
        notes, result = self._finished(task, _EACH)
        parts = [note for note in notes if isinstance(note, Part)]
        if not parts:
            return None
        if isinstance(result, Shown):
            return parts[0], result
        last = notes[-1]
        if isinstance(result, TaskEnded) and not result.trace:
            if isinstance(last, Verdict):
                return parts[0], Shown(last.outcome.value if last.is_wrong else "", b"", None)
            if last == "after":
                return parts[0], Shown(Outcome.BROKEN.value, b"", None)
            if last == APPLYING:
                return parts[0], Shown(f"the passes: {result}", b"", None)
        return None

    def _finished(self, task: Any, limit: float) -> tuple[list[Any], Any]:
        """The notes of a task, and what it returned, or how it ended. Raises TimeoutError if the time is up."""
        left = self._began + self._limit - self._clock()
        if left <= 0:
            raise TimeoutError
        job = self._prover.begin_task(task, self._before, self._after, limit=min(limit, max(left, 1.0)))
        try:
            result: Any = job.result()
        except TaskEnded as ended:
            result = ended
        finally:
            job.close()
        return [note.content for note in job.notes], result


def _shares(count: int, shares: int) -> Iterator[set[int]]:
    """Shares of the first numbers, of about the same size; then, for each, all others."""
    bounds = [count * share // shares for share in range(shares + 1)]
    chosen = [set(range(*pair)) for pair in pairwise(bounds)]
    yield from (one for one in chosen if one)
    if shares > 2:
        yield from (set(range(count)) - one for one in chosen)


def _beside(graph: Any, nodes: set[int]) -> set[int]:
    makers = {port[0] for node in nodes for port in graph.makers[node] if port is not None}
    return makers | {reader for node in nodes for readers in graph.readers[node] for reader, _ in readers}


def _numbers(graph: Any, model: ModelProto) -> dict[int, int]:
    """The places in the model of the nodes of its view."""
    places = {name: number for number, node in enumerate(model.graph.node) for name in node.output if name}
    outer = (filter(None, node.outputs) for node in graph.nodes)
    named = ((number, [name for scope, name in outputs if not scope]) for number, outputs in enumerate(outer))
    return {number: places[names[0]] for number, names in named if names and names[0] in places}


def _arrays(packed: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(packed)) as arrays:
        return dict(arrays)
