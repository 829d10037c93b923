"""`sweep`: passes over many models, each in a process of its own; whatever happens to one of them is a row."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from bsrepl.errors import ModelNotFound, SweepFailed
from bsrepl.models.sweep import Sweep, sweep
from bsrepl.models.sweep_task import Row, Task

from ..conftest import Screen

#: A pass that does to a graph what the graph is called.
PASS = """
import os, time
from qonnx.transformation.base import Transformation

@transform(stage="cleanup")
class Obey(Transformation):
    def apply(self, model):
        getattr(self, model.graph.name)(model)
        return model, False

    def nothing(self, model):
        pass


    def wrong(self, model):
        model.graph.node[0].op_type = "Neg"

    def fail(self, model):
        raise ValueError("no such thing")

    def crash(self, model):
        os.abort()

    def hang(self, model):
        time.sleep(600)
"""

NAMING = """
import least_names
from qonnx.transformation.base import Transformation

@transform
class Naming(Transformation):
    def apply(self, model):
        model.graph.node[0].name = model.graph.node[0].op_type + least_names.SUFFIX
        return model, False
"""


def relu(name: str) -> bytes:
    """A model of one node, a Relu."""
    x, y = (helper.make_tensor_value_info(tensor, TensorProto.FLOAT, [1, 4]) for tensor in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], name, [x], [y])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    return bytes(model.SerializeToString())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("nothing", "wrong", "fail", "crash", "hang"):
        (folder / f"{name}.onnx").write_bytes(relu(name))
    (folder / "text.onnx").write_text("not a model")
    return folder


class Elsewhere(Executor):
    """Runs each task at once, with what it holds alone; the folders are gone by then."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        for folder in self._folders:
            shutil.rmtree(folder)
        future: Future[Any] = Future()
        future.set_result(function(*arguments, **options))
        return future


def test_whatever_happens_to_a_model_is_a_row(screen: Screen, models: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "obey.py").write_text(PASS)
    screen.type("1")
    screen.type(f"s = sweep(tfm.Obey, {str(models)!r}, limit=1.5)")
    rows = {row.name: row.status for row in screen.names["s"]}
    assert rows == {
        "nothing.onnx": "unchanged",
        "wrong.onnx": "DIFFERENT",
        "fail.onnx": "FAILED",
        "crash.onnx": "CRASHED",
        "hang.onnx": "OUT OF TIME",
        "text.onnx": "UNREADABLE",
    }
    table = screen.type("s").splitlines()
    assert table[0].split() == ["model", "status", "what", "changed"]
    assert "fail.onnx FAILED: Obey: ValueError: no such thing" in table
    assert "crash.onnx CRASHED: its process crashed (SIGABRT)" in table
    assert screen.type("bool(s), len(s.failed)") == "(False, 5)\n"
    screen.names["s"].to_json(tmp_path / "report.json")
    assert (
        screen.type("s.to_json('/nosuch/x')")
        == "UnwritableFile: /nosuch/x cannot be written: No such file or directory\n"
    )
    report = json.loads((tmp_path / "report.json").read_text())
    (wrong,) = (row for row in report["rows"] if row["name"] == "wrong.onnx")
    assert (report["failed"], wrong["verdict"]["outcome"]) == (5, "DIFFERENT")
    assert wrong["memory"] > 1e6
    assert wrong["applied"]["changes"] == "1 rewrite"


def test_workers_need_no_file_of_the_session(
    screen: Screen, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass of the prompt, and one of a plugin file in the current folder, with what it imports."""
    plugins = tmp_path / "plugins"
    monkeypatch.chdir(plugins)
    (plugins / "least_names.py").write_text("SUFFIX = '_0'\n")
    (plugins / "naming.py").write_text(NAMING)
    screen.type(PASS.replace('@transform(stage="cleanup")\n', ""))
    screen.names["workers"] = Elsewhere(models, plugins)
    screen.type(f"s = sweep([tfm.Naming, Obey], {str(models / 'wrong.onnx')!r}, executor=workers)")
    (row,) = screen.names["s"]
    assert row.status == "DIFFERENT", row
    assert row.applied.changes == "1 rewrite"


def test_a_sweep_that_checks_raises_what_fails(screen: Screen, models: Path) -> None:
    command = screen.names["sweep"]
    assert command("RemoveIdentityOps", [relu("a"), relu("b")], check=True)
    with pytest.raises(SweepFailed, match=r"^1 model: 1 UNREADABLE\ntext.onnx UNREADABLE: .*is no ONNX model"):
        command("RemoveIdentityOps", [str(models / "text.onnx")], check=True)
    with pytest.raises(ModelNotFound, match=r"no file matches .*none"):
        command("RemoveIdentityOps", f"{models}/*.none")


def test_what_is_done_is_kept_when_it_is_interrupted() -> None:
    tasks = [Task(name, b"", b"", int, None, None, 1.0) for name in ("done", "running", "waiting")]
    running: Future[Row] = Future()

    def submit(task: Task) -> Future[Row]:
        if task.name != "done":
            return running
        done: Future[Row] = Future()
        done.set_result(Row("done", "OK"))
        return done

    def progress(done: int, name: str) -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    result = sweep(tasks, submit, progress)
    assert ([row.name for row in result], result.left, bool(result)) == (["done"], 2, False)
    assert running.cancelled()
    assert result.conclusion() == ["1 model: 1 OK", "interrupted; 2 not tried"]


def test_a_broken_pool_is_rows() -> None:
    def submit(task: Task) -> Future[Row]:
        raise RuntimeError("the pool is closed")

    (row,) = sweep([Task("a", b"", b"", int, None, None, 1.0)], submit, lambda done, name: None)
    assert (row.status, row.why, row.is_failed) == ("CRASHED", "RuntimeError: the pool is closed", True)


@pytest.mark.parametrize("width", [60, 40])
def test_a_narrow_table_keeps_the_status(width: int) -> None:
    rows = [Row("resnet_50_quantised_int4_of_last_week.onnx", "DIFFERENT", "x", seconds=1.0, memory=10**8)]
    lines = "".join(part for _, part in Sweep(rows).styled(width, True)).splitlines()
    assert max(len(line) for line in lines if not line.endswith(".onnx")) <= width  # no name is broken
    assert lines[1].startswith("resnet_50_quantised_int4")
    assert "DIFFERENT" in lines[1]
    assert any(line.startswith("no room for: ") for line in lines) or width == 60
