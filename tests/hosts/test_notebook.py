"""`%load_ext bsrepl` in a real kernel: notebooks are run, and their outputs compared as text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..conftest import files

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed; scripts/test-hosts has it")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed; scripts/test-hosts has it")
pytest.importorskip("ipykernel", reason="ipykernel is not installed; scripts/test-hosts has it")

_TIME = re.compile(r"\d+(\.\d+)? (ns|us|ms|s)\b")
_ALONE = re.compile(r"(\d+(\.\d+)? (ns|us|ms|s)\n?)+")  # an output that is a time and nothing else

FOLD = """
    @transform(stage="cleanup")
    class Fold:
        limit = {limit}

        def apply(self, model):
            return model, False
    """


class Notebook:
    """A notebook that is run cell by cell."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, source: str) -> Any:
        """Runs a cell. Returns it, with its outputs."""
        cell = nbformat.v4.new_code_cell(textwrap.dedent(source).strip())
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return cell

    def show(self, source: str) -> str:
        """What a cell shows, as text; the times that stand alone are left out."""
        return text_of(self.run(source))

    def complete(self, text: str) -> list[str]:
        """What TAB offers at the end of a text."""

        async def reply() -> Any:
            return await self._client.kc.complete(text, reply=True, timeout=60)

        return list(nbclient.util.run_sync(reply)()["content"]["matches"])


def text_of(cell: Any) -> str:
    """The outputs of a cell as text, one below the other."""
    texts = [_text(output) for output in cell.outputs]
    return "\n".join(_TIME.sub("TIME", text).rstrip("\n") for text in texts if not _ALONE.fullmatch(text))


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return str(output.traceback[-1])
    return str(output.data["text/plain"])


def html_of(cell: Any) -> str:
    return "\n".join(output.data.get("text/html", "") for output in cell.outputs if "data" in output)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Any]:
    @contextmanager
    def begin(folder: Path) -> Iterator[Notebook]:
        client = nbclient.NotebookClient(
            nbformat.v4.new_notebook(),
            timeout=60,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        with client.setup_kernel():
            yield Notebook(client)

    return begin


@pytest.fixture
def notebook(start: Callable[[Path], Any], tmp_path: Path) -> Iterator[Notebook]:
    files(tmp_path, {"fold.py": FOLD.format(limit=1)})
    with start(tmp_path) as begun:
        begun.run("%load_ext bsrepl")
        yield begun


def test_a_notebook_of_ten_cells(start: Callable[[Path], Any], tmp_path: Path) -> None:
    files(tmp_path, {"fold.py": FOLD.format(limit=1)})
    with start(tmp_path) as notebook:
        show = notebook.show
        assert "65 transforms, 14 kernels, 8 steps" in show("%load_ext bsrepl")
        assert show("%bsrepl fold.py").startswith("+ tfm.Fold  stage=cleanup  fold.py:1\n  transforms 65 -> 66")
        assert show("held = tfm.Fold(); held.limit") == "1"
        assert show('m = load("mnist-conv")') == ""
        told = show("m = m.transform(tfm.LowerConvsToMatMul())")
        assert told.startswith("m: LowerConvsToMatMul  mnist-conv   12 -> 18 nodes   2 rewrites, 10 untouched")
        assert re.search(r"^  (OK  same outputs|the models are still being executed)", told, re.M)
        files(tmp_path, {"fold.py": FOLD.format(limit=2)})
        changed, value = show("held.limit, type(held) is tfm.Fold").rsplit("\n", 1)
        assert changed.startswith("~ tfm.Fold  limit changed  fold.py:1\n")
        assert value == "(2, True)"
        assert show("tfm.find('fold', framework='brainsmith')").startswith("tfm.Fold  stage=cleanup")
        files(tmp_path, {"fold.py": "oops("})
        assert "kept the previous version: tfm.Fold" in show("held.limit")
        assert show("len(tfm)") == "66"
        assert show("print('no line end', end='')") == "no line end"


def test_what_a_cell_defines_is_a_plugin_named_by_its_cell(notebook: Notebook) -> None:
    define = """
        @transform(stage="cleanup")
        class Mine:
            def apply(self, model):
                return model, False
        """
    assert notebook.show(define).startswith("+ tfm.Mine  stage=cleanup  <In[2]>:1\n")
    assert notebook.show(define).startswith("~ tfm.Mine  takes the place of <In[2]>:1  <In[3]>:1\n")
    assert "class Mine:" in notebook.show("source(tfm.Mine)")
    assert notebook.show("tfm.find('mine')").count("tfm.Mine") == 1


def test_what_a_cell_defines_is_swept_over_models_by_the_same_cell(notebook: Notebook) -> None:
    swept = notebook.show(
        """
        @transform
        class Mine:
            def apply(self, model):
                return model, False

        sweep(tfm.Mine, ["mnist-conv"])
        """
    )
    assert "1 model: 1 unchanged" in swept


def test_how_far_a_sweep_is_stands_in_a_line_that_is_gone_at_the_end(notebook: Notebook) -> None:
    cell = notebook.run("table = sweep(tfm.InferShapes, ['mnist-conv'] * 2)")
    line = next(output for output in cell.outputs if "data" in output)
    assert line.data == {"text/plain": "", "text/html": ""}


def test_a_wrong_call_is_told_in_a_line(notebook: Notebook) -> None:
    assert notebook.show("load()").startswith("WrongCall: name is missing; load(name")
    assert "hint tfm has no 'Folb'" in notebook.show("tfm.Folb")
    assert "folb.py is neither a folder nor a .py file" in notebook.show("%bsrepl folb.py")


def test_tab_completes_from_the_registry_and_imports_nothing(notebook: Notebook) -> None:
    notebook.run("import sys; before = set(sys.modules); held = {'alpha': 1}; tfm.FoldConstants")
    assert notebook.complete("m.transform(tfm.FoldConstantsF") == ["FoldConstantsFiltered"]
    assert notebook.complete('tfm["qonnx:InferSh') == ["qonnx:InferShapes"]
    assert notebook.complete('tfm.find(\n    stage="clean') == ["cleanup"]
    assert notebook.complete('load("mnist') == ["mnist-conv"]
    assert notebook.complete('help("relo') == ["reload"]
    assert notebook.complete('held["al') == ["alpha"]
    assert notebook.complete("tfm.LowerConvsToMatMul.ap") == ["ap"]  # of what is not imported nothing is known
    assert notebook.complete("tfm.Nothing") == ["Nothing"]
    assert "apply" in notebook.complete("tfm.FoldConstants.ap")
    assert "before" in notebook.complete("bef")
    assert "lower_convs" not in notebook.show("set(sys.modules) - before")
    notebook.run("%unload_ext bsrepl")
    assert notebook.complete('load("mnist') != ["mnist-conv"]


def test_values_have_html_that_needs_no_script_and_folds_what_is_long(notebook: Notebook) -> None:
    notebook.run('m = load("mnist-conv"); n = m.transform(tfm.LowerConvsToMatMul())')
    for source in ("tfm.all()", "show(m)", "diff(m, n)", "verify(m, n)", "inference_cost(m)", 'history("n")'):
        html = html_of(notebook.run(source))
        assert html.count("<pre") >= 1, source
        assert "<script" not in html, source
    assert "<details>" in html_of(notebook.run("tfm.all()"))
    assert "{" not in notebook.show("inference_cost(m)")
    assert '<img class="bsrepl" style="display:block;max-width:max(100%,' in html_of(notebook.run("diff(m, n)"))
    assert "&lt;module&gt;" in html_of(notebook.run("@step\ndef f(model, cfg, html='<module>'): pass\nsource(f)"))


SLOW = """
    import os, time
    from onnx import helper
    from qonnx.custom_op.base import CustomOp

    @kernel(domain="slow.ops")
    class Slow(CustomOp):
        def get_nodeattr_types(self): return {}
        def make_shape_compatible_op(self, model):
            return helper.make_node("Identity", self.onnx_node.input, self.onnx_node.output)
        def infer_node_datatype(self, model): pass
        def verify_node(self): pass

        def execute_node(self, context, graph):
            while not os.path.exists(%r):
                time.sleep(0.01)
            context[self.onnx_node.output[0]] = context[self.onnx_node.input[0]]

    @transform
    class Append:
        def apply(self, model):
            node, output = model.graph.node[-1], model.graph.output[0].name
            node.output[0] = "before_slow"
            model.graph.node.add(op_type="Slow", domain="slow.ops", input=["before_slow"], output=[output])
            return model, False
    """


def test_a_late_verdict_is_written_into_the_cell_it_belongs_to(notebook: Notebook, tmp_path: Path) -> None:
    released = tmp_path / "released"
    files(tmp_path, {"slow.py": SLOW % str(released)})
    notebook.run('%bsrepl slow.py\nm = load("mnist-conv")')
    cell = notebook.run("m = m.transform(tfm.Append())")
    assert "the models are still being executed" in text_of(cell)
    assert notebook.show("1 + 1") == "2"
    released.touch()
    for _ in range(100):
        other = notebook.run("import time; time.sleep(0.05)")
        assert text_of(other) == ""
        if "still being executed" not in text_of(cell):
            break
    assert "OK  same outputs" in text_of(cell)
    assert "OK  same outputs" in html_of(cell)


STATE = """
    import sys

    def state(shell):
        names = [name for name in shell.user_ns if name[0] != "_" and name != "earlier"]
        callbacks = [len(functions) for functions in shell.events.callbacks.values()]
        magics = sorted(shell.magics_manager.magics["line"])
        hidden = sorted(name for name in shell.user_ns_hidden if name[0] != "_")
        return [sorted(names), callbacks, magics, hidden, list(sys.meta_path), list(sys.path),
                sys.stdout, list(shell.display_formatter.mimebundle_formatter.type_printers)]
    """


def test_an_op_that_a_cell_defines_is_executed_for_a_verdict(notebook: Notebook) -> None:
    text = textwrap.dedent(SLOW % "/").replace("slow.ops", "fast.ops").replace("Slow", "Fast")
    notebook.run(text)
    notebook.run('m = load("mnist-conv")\nn = m.transform(tfm.Append())')
    assert notebook.show("verify(m, n)").startswith("OK  same outputs")


def test_a_session_is_recorded(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run("%timing off")
    notebook.run("print(1 + 1)")
    notebook.run("20 + 1")
    notebook.run("show('mnist-conv')")
    notebook.run("1 / 0")
    notebook.run("record('session.py'); record('session.cast')")
    assert "print(1 + 1)\n# 2\n" in (tmp_path / "session.py").read_text()
    assert "20 + 1\n# 21\n" in (tmp_path / "session.py").read_text()
    shown = (tmp_path / "session.cast").read_text()
    assert re.search(r"Convolution28.*ZeroDivisionError: division by zero", shown, re.DOTALL)


def test_it_leaves_the_kernel_as_it_was(start: Callable[[Path], Any], tmp_path: Path) -> None:
    files(tmp_path, {"fold.py": FOLD.format(limit=1), "state.py": STATE})
    with start(tmp_path) as notebook:
        notebook.run("from state import state\nshow = 'mine'\nearlier = state(get_ipython())")
        assert "show: yours, not bsrepl's" in notebook.show("%load_ext bsrepl")
        notebook.run("%bsrepl fold.py")
        assert notebook.show("show, len(tfm)") == "('mine', 66)"
        notebook.run("%unload_ext bsrepl")
        differing = "[(old, new) for old, new in zip(earlier, state(get_ipython())) if old != new]"
        assert notebook.show(differing) == "[]"
        assert "65 transforms" in notebook.show("%load_ext bsrepl")


def test_autoreload_leaves_our_files_to_us(notebook: Notebook, tmp_path: Path) -> None:
    files(tmp_path, {"mine.py": "LIMIT = 1\n"})
    notebook.run("%load_ext autoreload\n%autoreload 2")
    notebook.run("%bsrepl fold.py")
    assert "%autoreload leaves fold" in notebook.show("held = tfm.Fold()")
    files(tmp_path, {"fold.py": FOLD.format(limit=2)})
    assert notebook.show("held.limit, type(held) is tfm.Fold").endswith("(2, True)")


def test_running_all_again_gives_the_same(start: Callable[[Path], Any], tmp_path: Path) -> None:
    files(tmp_path, {"fold.py": FOLD.format(limit=1)})
    own = "@step\ndef own(model, cfg):\n    return model"
    cells = ["%load_ext bsrepl\n%bsrepl fold.py", "tfm.Fold", own, "tfm.find('o', stage='cleanup')"]
    runs = []
    for _ in range(2):
        with start(tmp_path) as notebook:
            runs.append([notebook.show(cell) for cell in cells])
    assert runs[0] == runs[1]


def test_the_source_of_what_is_observed_is_its_own(notebook: Notebook) -> None:
    notebook.run("import inspect\nfrom qonnx.core.modelwrapper import ModelWrapper")
    source = "print(inspect.getsource(ModelWrapper.transform))"
    assert notebook.show(source).startswith("    def transform(")
