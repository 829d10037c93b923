"""The frameworks read as text: QONNX compared with QONNX imported, others as small packages."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from bsrepl.frameworks import discovery as frameworks
from bsrepl.frameworks import source_reader as source_text
from bsrepl.frameworks.cache import Index
from bsrepl.frameworks.qonnx import source as qonnx_source
from bsrepl.registry.plugin import Lazy, Plugin

from ..conftest import Screen, files, forget, unwrapped


def imported(package_name: str, base_path: tuple[str, str]) -> dict[str, type]:
    """The concrete subclasses that importing everything finds: the traditional way."""
    package = importlib.import_module(package_name)
    base = getattr(importlib.import_module(base_path[0]), base_path[1])
    found = {}
    for info in pkgutil.walk_packages(package.__path__, f"{package_name}."):
        module = importlib.import_module(info.name)
        for cls in vars(module).values():
            is_one = inspect.isclass(cls) and issubclass(cls, base) and cls.__module__ == info.name
            if is_one and not inspect.isabstract(cls):
                found[cls.__name__] = cls
    return found


def qonnx() -> list[Plugin]:
    """What the installed QONNX has."""
    return next(each for each in frameworks.installed() if each.name == "qonnx").plugins


def kind(plugins: list[Plugin], wanted: str) -> dict[str, Plugin]:
    return {plugin.name: plugin for plugin in plugins if plugin.kind == wanted}


def test_every_concrete_transformation_is_found_and_nothing_else() -> None:
    found = kind(qonnx(), "transform")
    expected = imported("qonnx.transformation", ("qonnx.transformation.base", "Transformation"))
    assert len(found) == 64
    assert found.keys() == expected.keys()
    for name, plugin in found.items():
        assert plugin.load() is expected[name]
        assert plugin.framework == "qonnx"
        assert plugin.origin.file == inspect.getsourcefile(expected[name])
        assert plugin.origin.line == inspect.getsourcelines(expected[name])[1]


def test_every_custom_op_is_found_by_its_op_type() -> None:
    found = kind(qonnx(), "kernel")
    classes = imported("qonnx.custom_op", ("qonnx.custom_op.base", "CustomOp"))
    assert len(found) == 14
    assert found.keys() == {name.split("_v")[0] for name in classes}
    registry = importlib.import_module("qonnx.custom_op.registry")
    newest = {op: registry.get_supported_versions(p.metadata["domain"], op)[-1] for op, p in found.items()}
    for plugin in found.values():
        assert classes[plugin.target.attribute] is plugin.load()
        assert registry._get_op_version_for_class(plugin.load()) == newest[plugin.name]
    assert found["BatchNormalization"].metadata["versions"] == [1, 9, 14]
    assert "versions" not in found["Im2Col"].metadata


@pytest.mark.parametrize(
    ("name", "stage"),
    [("FoldConstants", "cleanup"), ("InferShapes", "topology_opt"), ("ExtendPartition", "dataflow_opt"),
     ("ComposedTransformation", None)],
)  # fmt: skip
def test_stages_come_from_the_table(name: str, stage: str | None) -> None:
    assert kind(qonnx(), "transform")[name].stage == stage


def test_another_qonnx_lists_what_it_has(tmp_path: Path) -> None:
    files(
        tmp_path / "qonnx",
        {
            "transformation/base.py": """
                class Transformation(ABC):
                    @abstractmethod
                    def apply(self, model): ...
            """,
            "transformation/new.py": """
                '''class NotOne(Transformation): in a docstring, indented or not.'''
                class New(
                    Transformation,  # the base
                ):
                    def apply(self, model): ...

                class Partly(Transformation):
                    pass

                class Derived(new.New): pass

                class Unrelated(dict): pass
            """,
            "custom_op/zoo/op.py": """
                class Op_v3(CustomOp):
                    x = 1

                class Op_v12(Op_v3):
                    x = 2
            """,
        },
    )
    found = qonnx_source.plugins(source_text.modules([str(tmp_path / "qonnx")], "qonnx"))
    assert [(each.kind, each.name, each.origin.line, each.stage) for each in found if each.kind != "step"] == [
        ("transform", "New", 2, None),
        ("transform", "Derived", 10, None),
        ("kernel", "Op", 4, None),
    ]
    op = kind(found, "kernel")["Op"]
    assert op.target == Lazy("qonnx.custom_op.zoo.op", "Op_v12")
    assert op.metadata == {"domain": "qonnx.custom_op.zoo", "versions": [3, 12]}


def test_without_qonnx_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)
    assert list(frameworks.installed()) == []


def test_remove_identity_is_built_in() -> None:
    (plugin,) = frameworks.builtin_plugins()
    assert (plugin.name, plugin.framework, plugin.stage) == ("RemoveIdentity", "brainsmith", "cleanup")
    assert plugin.load().__name__ == "RemoveIdentity"


FINN = {
    "transformation/streamline/reorder.py": """
        import numpy as np
        from qonnx.transformation.base import Transformation

        class MoveOpPastFork(Transformation):
            def apply(self, model):
                return (model, False)
    """,
    "transformation/fpgadataflow/convert.py": """
        from qonnx.transformation.base import Transformation
        from finn.util.basic import is_versal

        class InferScale(Transformation):
            def apply(self, model):
                helper.make_node(
                    "Scale",
                    [])
                helper.make_node("Mul", [])
    """,
    "custom_op/fpgadataflow/hwcustomop.py": """
        class HWCustomOp(CustomOp):
            @abstractmethod
            def get_nodeattr_types(self): ...

            def make_shape_compatible_op(self, model): ...

            def infer_node_datatype(self, model): ...

            def execute_node(self, context, graph): ...

            def verify_node(self): ...
    """,
    "custom_op/fpgadataflow/hlsbackend.py": "class HLSBackend(ABC): ...\n",
    "custom_op/fpgadataflow/rtlbackend.py": "class RTLBackend(ABC): ...\n",
    "custom_op/fpgadataflow/scale.py": """
        import finn_tool, no_such_simulator.core as core

        class Scale(HWCustomOp):
            def get_nodeattr_types(self): ...
    """,
    "custom_op/fpgadataflow/elementwise.py": """
        class Elementwise(HWCustomOp):
            def get_nodeattr_types(self): ...

        class Add(Elementwise): pass
    """,
    "custom_op/fpgadataflow/hls/__init__.py": "from finn.custom_op.fpgadataflow.scale import Scale\n",
    "custom_op/fpgadataflow/hls/all_hls.py": """
        class Scale_hls(Scale, HLSBackend): ...

        class Elementwise_hls(  # as others are called
            Elementwise, HLSBackend
        ): ...

        class Add_hls(Elementwise_hls, elementwise.Add): ...

        class IODMA_hls(HWCustomOp, HLSBackend):
            def get_nodeattr_types(self): ...
    """,
    "custom_op/fpgadataflow/rtl/scale_rtl.py": "class Scale_rtl(Scale, RTLBackend): ...\n",
    "builder/steps.py": """
        def verify_step(model, cfg): ...

        def step_tidy_up(model: ModelWrapper, cfg: DataflowBuildConfig):
            return model
    """,
    "util/basic.py": """
        import os

        ROOT = os.environ["FINN_ROOT_OF_THE_TEST"]
    """,
}


@pytest.fixture
def finn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of FINN's shape on the path, a namespace package as FINN is."""
    files(tmp_path / "src" / "finn", FINN)
    monkeypatch.syspath_prepend(tmp_path / "src")
    monkeypatch.delenv("FINN_ROOT_OF_THE_TEST", raising=False)
    yield tmp_path / "src" / "finn"
    forget("finn")


@pytest.mark.usefixtures("finn")
def test_finn_is_listed_from_its_source() -> None:
    (found,) = [each for each in frameworks.installed() if each.name == "finn"]
    told = {str(each.key): (dict(each.metadata), str(each.origin)) for each in found.plugins}
    op, hls, rtl = ({"domain": f"finn.custom_op.fpgadataflow{rest}"} for rest in ("", ".hls", ".rtl"))
    assert told == {
        "tfm.finn.MoveOpPastFork": ({}, "reorder.py:4"),
        "tfm.finn.InferScale": ({"kernel": "Scale"}, "convert.py:4"),
        "kernels.finn.Scale": (op, "scale.py:3"),
        "kernels.finn.Elementwise": (op, "elementwise.py:1"),
        "kernels.finn.Add": (op, "elementwise.py:4"),
        "backends.finn.Scale_hls": ({"language": "hls", "kernel": "Scale", **hls}, "all_hls.py:1"),
        "backends.finn.Elementwise_hls": ({"language": "hls", "kernel": "Elementwise", **hls}, "all_hls.py:3"),
        "backends.finn.Add_hls": ({"language": "hls", "kernel": "Add", **hls}, "all_hls.py:7"),
        "backends.finn.IODMA_hls": ({"language": "hls", **hls}, "all_hls.py:9"),
        "backends.finn.Scale_rtl": ({"language": "rtl", "kernel": "Scale", **rtl}, "scale_rtl.py:1"),
        "steps.finn.step_tidy_up": ({"category": "build"}, "steps.py:3"),
    }
    needs = {each.name: each.target.needs for each in found.plugins}
    assert needs["MoveOpPastFork"] == ("numpy", "qonnx")
    assert needs["Scale"] == needs["Scale_hls"] == ("finn_tool", "no_such_simulator")
    assert "finn" not in sys.modules


@pytest.mark.usefixtures("finn")
def test_taking_a_plugin_of_finn_imports_its_module_alone(screen: Screen) -> None:
    assert "MoveOpPastFork" in screen.type("tfm.finn.MoveOpPastFork")
    assert {name for name in sys.modules if name.startswith("finn.")} == {
        "finn.transformation",
        "finn.transformation.streamline",
        "finn.transformation.streamline.reorder",
    }


@pytest.mark.usefixtures("finn")
@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("tfm.InferScale", "the environment variable FINN_ROOT_OF_THE_TEST is not set (basic.py:3)"),
        ("kernels.Scale", "finn_tool is not installed (scale.py:1)"),
        ("kernels['finn:Add']", "NameError: name 'HWCustomOp' is not defined (elementwise.py:1)"),
    ],
)
def test_what_cannot_be_imported_names_the_missing_piece_and_stays_listed(
    screen: Screen, command: str, why: str
) -> None:
    name = command.replace("['finn:", ".").replace("']", "").rpartition(".")[2]
    told = screen.type(command)
    assert unwrapped(told) == f"UnavailablePlugin: {name} is unavailable: {why}\n"
    assert "frames" not in told
    assert "The above exception was the direct cause" in screen.type("errors()")
    assert f"unavailable: {why}"[:60] in screen.type(f"{command.partition('.')[0].partition('[')[0]}.find({name!r})")
    assert f"unavailable: {why} (1 plugin)" in unwrapped(screen.type("frameworks()"))


@pytest.mark.usefixtures("finn")
def test_what_a_plugin_needs_is_told_before_it_is_taken(screen: Screen) -> None:
    assert "unavailable: finn_tool, no_such_simulator are not" in screen.type("backends.find('Scale_hls')")


@pytest.mark.usefixtures("finn")
def test_frameworks_prints_what_was_found_where(screen: Screen, tmp_path: Path) -> None:
    told = screen.type("frameworks()").splitlines()
    assert told[0] == "brainsmith 1 transform"
    assert "  bsrepl's own and yours; Brainsmith is not installed" in told
    assert "finn 2 transforms, 3 kernels, 5 backends, 1 step" in told
    assert f"  {tmp_path / 'src' / 'finn'}" in told
    assert "  unavailable: finn_tool, no_such_simulator are not installed (5 plugins)" in told
    assert f"qonnx {version('qonnx')} 64 transforms, 14 kernels, 8 steps" in told


def read_with(file: Path) -> list[str]:
    """The frameworks whose sources are read, and kept, when this is the index."""
    kept = []

    class Noting(Index):
        def keep(self, name: str, state: list[int], held: object) -> None:
            kept.append(name)
            super().keep(name, state, held)

    index = Noting(file)
    told = {str(each.key) for framework in frameworks.installed(index) for each in framework.plugins}
    assert {"tfm.qonnx.FoldConstants", "kernels.finn.Scale"} <= told
    index.save()
    return kept


def test_a_source_is_read_again_only_when_a_file_of_it_has_changed(finn: Path, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "index.json"
    assert read_with(file) == ["qonnx", "finn"]
    assert read_with(file) == []
    (finn / "builder" / "steps.py").write_text("def step_other(model, cfg): ...\n")
    assert read_with(file) == ["finn"]
    assert read_with(file) == []
    (finn / "builder" / "more.py").touch()
    assert read_with(file) == ["finn"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"format": 1', '"format": 0'),
        lambda text: text.replace('"writer": [', '"writer": [7, '),
        lambda text: text.replace('"kind": "kernel"', '"kind": "colonel"'),
        lambda text: text.replace('"attribute": "Scale"', '"attribute": 3').replace('"line"', '"lime"'),
        lambda text: re.sub(r'"module": "[^"]*"', '"module": "os"', text),
    ],
)
@pytest.mark.usefixtures("finn")
def test_a_damaged_index_is_made_anew(tmp_path: Path, damage) -> None:
    file = tmp_path / "index.json"
    read_with(file)
    file.write_text(damage(file.read_text()))
    assert "finn" in read_with(file)
    assert read_with(file) == []


@pytest.mark.usefixtures("finn")
def test_an_index_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read_with(tmp_path / "file" / "index.json") == ["qonnx", "finn"]


def test_a_module_that_was_deleted_meanwhile_has_nothing_in_it(tmp_path: Path) -> None:
    module = source_text.Module("gone", str(tmp_path / "gone.py"))
    assert (module.text, module.classes, module.imports) == ("", (), ())
