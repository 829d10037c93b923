"""The measurements: each row is ours beside a peer, measured in the same run, with the target it is to meet.

    scripts/bench            a table
    scripts/bench --json     {"machine": ..., "rows": [{"name", "value", "unit", "peer", "peer_value", "ratio", ...}]}

Times are medians of several runs; the spread is that of the middle half of them, as a share of the median.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import io
import json
import os
import platform
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from onnx import ModelProto, helper, numpy_helper
from prompt_toolkit.completion import CompleteEvent, DummyCompleter
from prompt_toolkit.document import Document
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from bsrepl.changes import between
from bsrepl.completion import NamespaceCompleter
from bsrepl.console import PRELOADED, Console
from bsrepl.graphdiff import between as graph_difference
from bsrepl.installed import Installed
from bsrepl.namespaces import Namespace
from bsrepl.plugin import Key, Origin, Plugin
from bsrepl.registry import Registry, Snapshot
from bsrepl.reload import Reloader
from bsrepl.terminal import Terminal
from bsrepl.workbench import load


@dataclass
class Row:
    """One measurement. `ratio` is ours over the peer's; `target` the most that it, or the value, may be."""

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    spread: float = 0.0
    target: str = ""
    met: bool | None = None


def beside(name: str, unit: str, ours: list[float], peer: str, theirs: list[float], most: float | None) -> Row:
    """A row whose target, if it has one, is a ratio to a peer."""
    value, peer_value = statistics.median(ours), statistics.median(theirs)
    ratio = value / peer_value
    if most is None:
        return Row(name, value, unit, peer, peer_value, ratio, spread(ours))
    return Row(name, value, unit, peer, peer_value, ratio, spread(ours), f"ratio <= {most:g}", ratio <= most)


def alone(name: str, unit: str, ours: list[float], most: float) -> Row:
    """A row whose target is a value."""
    value = statistics.median(ours)
    return Row(name, value, unit, spread=spread(ours), target=f"<= {most:g} {unit}", met=value <= most)


def spread(samples: list[float]) -> float:
    if len(samples) < 4:
        return 0.0
    low, middle, high = statistics.quantiles(samples, n=4)
    return (high - low) / middle


def timed(action: Callable[[], object], number: int, runs: int) -> list[float]:
    """Seconds for one action, in each of several runs of `number` actions."""
    samples = []
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(number):
            action()
        samples.append((time.perf_counter() - start) / number)
    return samples


def in_turn(first: Callable[[], float], second: Callable[[], float], runs: int) -> tuple[list[float], list[float]]:
    """Samples of both, taken alternately, so that whatever else the machine does meets both; one of each warms up."""
    first(), second()
    pairs = [(first(), second()) for _ in range(runs)]
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]


# Start-up


PTPYTHON = ["-m", "ptpython"]
IPYTHON = ["-m", "IPython", "--no-banner"]
OWN = ["-m", "bsrepl", "-q"]


def prompt() -> Iterator[Row]:
    """Seconds from starting a process until a key that is typed at its first prompt is echoed, in a pseudo-terminal."""
    for peer, arguments in (("bare ptpython", PTPYTHON), ("IPython", IPYTHON)):
        ours, theirs = in_turn(lambda: until_echo(OWN), lambda: until_echo(arguments), 11)  # noqa: B023
        yield beside("first prompt, QONNX listed", "s", ours, peer, theirs, 1.25)


def typing() -> Iterator[Row]:
    """Milliseconds until a key is echoed, and from Enter after an empty command, `pass`, to the next prompt."""
    for name, measure in (("a key, until it is echoed", keys), ("pass, until the next prompt", commands)):
        for peer, arguments, most in (("bare ptpython", PTPYTHON, 1.25), ("IPython", IPYTHON, None)):
            with Started(OWN) as own, Started(arguments) as other:
                own.await_prompt(), other.await_prompt()
                ours, theirs = in_turn(lambda: measure(own), lambda: measure(other), 25)  # noqa: B023
            yield beside(name, "ms", ours, peer, theirs, most)


def until_echo(arguments: list[str]) -> float:
    start = time.perf_counter()
    with Started(arguments) as shell:
        shell.await_prompt()
        shell.type(b"q", until=b"q")
        return time.perf_counter() - start


def keys(shell: Started) -> float:
    """The median of a few keys, each typed when all is quiet; what was typed is then erased."""
    taken = []
    for key in (b"j", b"x", b"q", b"z", b"v"):
        shell.settle()
        taken.append(1e3 * shell.type(key, until=key))
    shell.settle()
    shell.type(b"\x15", until=b"")
    shell.settle()
    return statistics.median(taken)


def commands(shell: Started) -> float:
    shell.settle()
    shell.type(b"pass", until=b"s")
    shell.settle()
    return 1e3 * shell.type(b"\r", until=CURSOR_POSITION_REQUEST)  # each prompt begins with one


CURSOR_POSITION_REQUEST = b"\x1b[6n"


class Started:
    """A shell in a pseudo-terminal of 100 columns and 30 rows, with an empty home, but for what is cached."""

    _cache = tempfile.TemporaryDirectory()

    def __init__(self, arguments: list[str]) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._seen = b""
        self._answered = 0
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            home = self._home.name
            os.environ.update(
                TERM="xterm-256color", HOME=home, XDG_CONFIG_HOME=home, XDG_STATE_HOME=home, IPYTHONDIR=home,
                XDG_CACHE_HOME=self._cache.name,
            )  # fmt: skip
            os.execv(sys.executable, [sys.executable, *arguments])
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *raised: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)
        self._home.cleanup()

    def await_prompt(self) -> None:
        while b">>>" not in self._seen and b"In [" not in self._seen:
            if not self._read(30):
                raise TimeoutError("no prompt")

    def type(self, text: bytes, until: bytes) -> float:
        """Types, and waits until something is written in answer. Returns the seconds between."""
        before = len(self._seen)
        start = time.perf_counter()
        os.write(self._fd, text)
        while until not in self._seen[before:]:
            if not self._read(30):
                raise TimeoutError(f"no {until!r} after {text!r}")
        return time.perf_counter() - start

    def settle(self) -> None:
        """Waits until nothing is written for a tenth of a second."""
        while self._read(0.1):
            pass

    def _read(self, seconds: float) -> bool:
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        self._seen += os.read(self._fd, 65536)
        while self._seen.count(CURSOR_POSITION_REQUEST) > self._answered:  # a terminal answers where its cursor is
            os.write(self._fd, b"\x1b[1;1R")
            self._answered += 1
        return True


# Access


def access() -> Iterator[Row]:
    """Nanoseconds for an attribute, read 10 times in a loop of a compiled function."""
    registry = Registry()
    Installed(registry, None)
    tfm = Namespace(registry, "transform")
    plain = Plain()
    plain.RemoveIdentity = tfm.RemoveIdentity  # type: ignore[attr-defined]
    ours, theirs = in_turn(lambda: reading(tfm), lambda: reading(plain), 31)
    yield beside("tfm.X", "ns", ours, "plain attribute", theirs, 1.1)


class Plain:
    """An object with attributes, and nothing else."""


def reading(thing: object) -> float:
    start = time.perf_counter_ns()
    read_attributes(thing)
    return (time.perf_counter_ns() - start) / 1_000_000


_SCOPE: dict[str, Callable[[object], None]] = {}
exec(f"def read_attributes(thing):\n for _ in range(100_000): {'thing.RemoveIdentity; ' * 10}", _SCOPE)
read_attributes = _SCOPE["read_attributes"]


def finding() -> Iterator[Row]:
    """Microseconds for `tfm.find(stage=...)` with 10 hits among 100,000 plugins."""
    registry = Registry()
    registry.replace(Snapshot().replacing((), made_up(100_000)))
    tfm = Namespace(registry, "transform")
    assert len(tfm.find(stage="s77")) == 10
    samples = timed(lambda: tfm.find(stage="s77"), 200, 31)
    yield alone("find(stage=...), 10 hits in 100,000", "us", [1e6 * each for each in samples], 20)


def made_up(count: int) -> list[Plugin]:
    """Plugins in groups of ten with a stage each."""
    return [
        Plugin(Key("transform", "brainsmith", f"P{n}"), Plain, Origin(f"/plugins/f{n}.py", 1), {"stage": f"s{n // 10}"})
        for n in range(count)
    ]


# Discovery

WALK = """
import importlib, inspect, pkgutil, time
start = time.perf_counter()
import qonnx.transformation
from qonnx.transformation.base import Transformation
found = set()
for info in pkgutil.walk_packages(qonnx.transformation.__path__, "qonnx.transformation."):
    for name, cls in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
        if issubclass(cls, Transformation) and not inspect.isabstract(cls):
            found.add(name)
print(time.perf_counter() - start, len(found))
"""
OURS = """
import sys, time
from pathlib import Path
from bsrepl.frameworks import installed
from bsrepl.index import Index
start = time.perf_counter()
index = Index(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
found = [each for framework in installed(index) for each in framework.plugins if each.key[:2] == ("transform", "qonnx")]
print(time.perf_counter() - start, len(found))
index.save()
"""


def discovery() -> Iterator[Row]:
    """Milliseconds until every QONNX transformation is known, each time in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        index = os.path.join(folder, "index.json")
        fresh(OURS, index)
        for name, arguments in (("its source read", ()), ("its index read", (index,))):
            ours, walk = in_turn(lambda: fresh(OURS, *arguments), lambda: fresh(WALK), 7)  # noqa: B023
            yield beside(f"every QONNX transformation known, {name}", "ms", ours, "walk, import, inspect", walk, 0.1)


def fresh(code: str, *arguments: str) -> float:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    seconds, count = done.stdout.split()
    assert count == "64", done.stdout
    return 1e3 * float(seconds)


def completing() -> Iterator[Row]:
    """Milliseconds for the completions of one keystroke among 100,000 plugins."""
    registry = Registry()
    registry.replace(Snapshot().replacing((), made_up(100_000)))
    names = {"tfm": Namespace(registry, "transform")}
    completer = NamespaceCompleter(registry, lambda: names, DummyCompleter())
    for typed in ("tfm.", "tfm.P7", "tfm.7", 'tfm["P7', 'tfm.find(stage="s7', 'tfm.find(name="P7'):
        document = Document(typed)
        taken = timed(lambda: list(completer.get_completions(document, CompleteEvent())), 1, 15)  # noqa: B023
        yield alone(f"100,000 plugins: {typed}", "ms", [1e3 * each for each in taken], 30)


# Reload


def watching() -> Iterator[Row]:
    """Milliseconds per prompt while nothing changes, beside the bare loop of `os.stat` over the same files."""
    for count in (100, 1_000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            reloader = watched(folder, count)
            paths = [os.path.join(folder, name) for name in os.listdir(folder)]

            def stats(paths: list[str] = paths) -> None:
                for path in paths:
                    os.stat(path)

            number = max(1, 2_000 // count)
            ours, bare = in_turn(
                lambda: 1e3 * timed(reloader.is_due, number, 1)[0],  # noqa: B023
                lambda: 1e3 * timed(stats, number, 1)[0],  # noqa: B023
                15,
            )
            reloader.close()
            yield beside(f"nothing changed, {count:,} files", "ms", ours, "os.stat of each", bare, 1.5)


def saving() -> Iterator[Row]:
    """Milliseconds from a save to the registry, one of 1,000 files, beyond a look at unchanged files, which has rows of
    its own; beside reading, compiling and executing the file after a stat of each."""
    with tempfile.TemporaryDirectory() as folder:
        reloader = watched(folder, 1_000)
        path = Path(folder, "plugin_0500.py")
        source = PLUGIN.format(500)
        number = iter(range(1_000_000))

        def save() -> float:
            looking = timed(reloader.is_due, 3, 1)[0]
            path.write_text(f"{source}NUMBER = {next(number)}\n")
            start = time.perf_counter()
            reloader.refresh()
            return 1e3 * (time.perf_counter() - start - looking)

        paths = reloader.plugin_files

        def limit() -> float:
            path.write_text(f"{source}NUMBER = {next(number)}\n")
            for each in paths:  # not timed: it leaves the caches as cold as a look does
                os.stat(each)
            start = time.perf_counter()
            exec(compile(path.read_bytes(), "limit", "exec"), dict(PRELOADED))
            return 1e3 * (time.perf_counter() - start)

        ours, bare = in_turn(save, limit, 101)
        reloader.close()
        yield beside("one of 1,000 files saved, beyond a look", "ms", ours, "read, compile, exec", bare, 2.0)


def depending() -> Iterator[Row]:
    """Milliseconds from saving a helper that 100 plugin files import; beside compiling and executing all 101."""
    with tempfile.TemporaryDirectory() as folder:
        for n in range(100):
            Path(folder, f"plugin_{n:03}.py").write_text(f"import _helper\n{PLUGIN.format(n)}")
        helper = Path(folder, "_helper.py")
        helper.write_text("NUMBER = -1\n")
        reloader = settled(folder)
        number = iter(range(1_000_000))

        def save() -> float:
            helper.write_text(f"NUMBER = {next(number)}\n")
            start = time.perf_counter()
            report = reloader.refresh()
            assert len(report.executed) == 101
            return 1e3 * (time.perf_counter() - start)

        def limit() -> float:
            start = time.perf_counter()
            for n in range(100):
                exec(compile(PLUGIN.format(n), "limit", "exec"), dict(PRELOADED))
            return 1e3 * (time.perf_counter() - start)

        ours, bare = in_turn(save, limit, 11)
        reloader.close()
        yield beside("a helper of 100 files saved", "ms", ours, "compile and exec", bare, 2.0)


def soaking() -> Iterator[Row]:
    """10,000 reloads of one file: memory, live classes, and the last hundred reloads beside the first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plugin.py")
        path.write_text(PLUGIN.format(0))
        reloader = settled(folder)
        classes: weakref.WeakSet[type] = weakref.WeakSet()
        times: list[float] = []
        kilobytes = []
        for number in range(10_000):
            path.write_text(f"{PLUGIN.format(0)}NUMBER = {number}\n")
            start = time.perf_counter()
            report = reloader.refresh()
            times.append(1e3 * (time.perf_counter() - start))
            classes.add(report.after.get("transform", "Plugin0").load())  # type: ignore[union-attr]
            if number in (1_000, 9_999):
                del report
                gc.collect()
                kilobytes.append(resident_kilobytes())
        reloader.close()
        yield alone("memory grown in 9,000 reloads", "kB", [kilobytes[1] - kilobytes[0]], 512)
        yield alone("classes alive after 10,000 reloads", "", [float(len(classes))], 1)
        yield beside("the last 100 reloads of 10,000", "ms", times[-100:], "the first 100", times[:100], 1.25)


def resident_kilobytes() -> float:
    status = Path("/proc/self/statm")
    pages = int(status.read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def chain(length: int, rewritten: float, prefix: str) -> ModelProto:
    """A chain of nodes, some with a weight of their own; a share of them is replaced by two nodes of another kind."""
    kinds, replaced = random.Random(0), random.Random(1)
    nodes, weights, source = [], [], "in"
    for number in range(length):
        op, value, result = kinds.choice(("Relu", "Add", "Mul", "Sigmoid", "Neg")), kinds.random(), f"{prefix}{number}"
        if replaced.random() < rewritten:
            nodes.append(helper.make_node("Elu", [source], [f"{result}.half"], name=f"{prefix}n{number}a"))
            nodes.append(helper.make_node("Tanh", [f"{result}.half"], [result], name=f"{prefix}n{number}b"))
        else:
            read = [source]
            if op in ("Add", "Mul"):
                weights.append(numpy_helper.from_array(np.array([value], np.float32), f"{prefix}w{number}"))
                read.append(weights[-1].name)
            nodes.append(helper.make_node(op, read, [result], name=f"{prefix}n{number}"))
        source = result
    ends = [helper.make_tensor_value_info(name, 1, [1]) for name in ("in", source)]
    return helper.make_model(helper.make_graph(nodes, "chain", ends[:1], ends[1:], weights))


class NoOp(Transformation):
    """What QONNX's `transform` costs when the pass does nothing: a copy and the cleanup."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        return model, False


def diffing() -> Iterator[Row]:
    """Milliseconds to compare a chain with itself renamed and with 17% of it rewritten, beside a no-op `transform`."""
    for length, most in ((100, None), (1_000, 60), (10_000, 700), (100_000, None)):
        before, after = chain(length, 0, "t"), chain(length, 0.17, "x")
        runs = 5 if length < 100_000 else 1
        ours = [1e3 * each for each in timed(lambda: graph_difference(before, after), 1, runs)]  # noqa: B023
        name = f"graph diff, {length:,} nodes, 17% rewritten"
        if length <= 1_000:
            wrapped = ModelWrapper(before)
            theirs = [1e3 * each for each in timed(lambda: wrapped.transform(NoOp()), 1, 3)]  # noqa: B023
            yield beside(name, "ms", ours, "QONNX's no-op transform", theirs, None)
        if most is not None:
            yield alone(name, "ms", ours, most)
        elif length > 1_000:
            yield Row(name, ours[0], "ms")


def naming() -> Iterator[Row]:
    """Microseconds that a command takes longer because a name holds a model, which it does not change."""
    terminal = Terminal(io.StringIO(), color=False)
    console = Console(Registry(), [], terminal, terminal, clock=time.perf_counter, now=time.time_ns, shows_time=False)
    console.session.namespace.update({f"x{number}": number for number in range(100)})

    def command() -> float:
        return 1e6 * timed(lambda: console.run("None"), 100, 1)[0]

    without = [command() for _ in range(15)]
    console.session.namespace["m"] = load("mnist-conv")
    with_one = [command() for _ in range(15)]
    above = [each - statistics.median(without) for each in with_one]
    yield alone("a command that changes no model, one held", "us", above, 100)


def many() -> Iterator[Row]:
    """What one change costs among 100,000 plugins beside among 100, and a command that changes nothing."""
    few, lots = (Snapshot().replacing((), made_up(count)) for count in (100, 100_000))

    def change(snapshot: Snapshot) -> float:
        plugin = snapshot.get("transform", "P77")
        assert plugin is not None
        new = Plugin(plugin.key, plugin.target, plugin.origin, {"stage": "other"})

        def one() -> None:
            assert len(between(snapshot, snapshot.replacing((plugin,), (new,)))) == 1

        return 1e6 * timed(one, 50, 1)[0]

    ours, theirs = in_turn(lambda: change(lots), lambda: change(few), 15)
    yield beside("register and diff one among 100,000", "us", ours, "among 100", theirs, 3.0)

    registry = Registry()
    registry.replace(lots)
    terminal = Terminal(io.StringIO(), color=False)
    console = Console(registry, [], terminal, terminal, clock=time.perf_counter, now=time.time_ns, shows_time=False)
    names: dict[str, object] = {}
    command, bare = in_turn(
        lambda: 1e6 * timed(lambda: console.run("None"), 100, 1)[0],
        lambda: 1e6 * timed(lambda: eval(compile("None", "bare", "eval"), names), 100, 1)[0],
        15,
    )
    above = [each - statistics.median(bare) for each in command]
    yield alone("a command, above the bare eval", "us", above, 100)


PLUGIN = '@transform(stage="cleanup")\nclass Plugin{0}:\n    def apply(self, model):\n        return model, False\n\n\n'


def watched(folder: str, count: int) -> Reloader:
    """A reloader on a folder of `count` plugin files that have settled."""
    for n in range(count):
        Path(folder, f"plugin_{n:04}.py").write_text(PLUGIN.format(n))
    return settled(folder)


def settled(folder: str) -> Reloader:
    """A reloader that has looked at a folder, and for which the files in it are older than two seconds."""
    reloader = Reloader(Registry(), [folder], PRELOADED, lambda: time.time_ns() + 10_000_000_000)
    reloader.refresh()
    reloader.refresh()
    return reloader


GROUPS: dict[str, Callable[[], Iterator[Row]]] = {
    "prompt": prompt,
    "typing": typing,
    "completing": completing,
    "access": access,
    "finding": finding,
    "discovery": discovery,
    "watching": watching,
    "saving": saving,
    "depending": depending,
    "soaking": soaking,
    "many": many,
    "diffing": diffing,
    "naming": naming,
}


def machine() -> dict[str, object]:
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def table(rows: list[Row]) -> str:
    lines = [f"{'':40} {'ours':>10} {'peer':>10}        {'ratio':>6}  {'target':<14} met"]
    for row in rows:
        peer = f"{row.peer_value:10.3g}" if row.peer_value is not None else " " * 10
        ratio = f"{row.ratio:6.2f}" if row.ratio is not None else " " * 6
        met = {True: "yes", False: "NO", None: ""}[row.met]
        ours = f"{row.name:40} {row.value:10.3g}"
        lines.append(f"{ours} {peer} {row.unit:<6} {ratio}  {row.target:<14} {met:3}  {row.peer}".rstrip())
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    options = parser.parse_args()
    rows = []
    for name, measure in GROUPS.items():
        if options.only in (None, name):
            rows += measure()
    if options.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
