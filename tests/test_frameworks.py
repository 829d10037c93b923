"""QONNX read as text, compared with QONNX imported."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

from bsrepl import frameworks
from bsrepl.plugin import Lazy, Plugin


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


def kind(plugins: list[Plugin], wanted: str) -> dict[str, Plugin]:
    return {plugin.name: plugin for plugin in plugins if plugin.kind == wanted}


def test_every_concrete_transformation_is_found_and_nothing_else() -> None:
    found = kind(frameworks.qonnx_plugins(), "transform")
    expected = imported("qonnx.transformation", ("qonnx.transformation.base", "Transformation"))
    assert len(found) == 64
    assert found.keys() == expected.keys()
    for name, plugin in found.items():
        assert plugin.load() is expected[name]
        assert plugin.framework == "qonnx"
        assert plugin.origin.file == inspect.getsourcefile(expected[name])
        assert plugin.origin.line == inspect.getsourcelines(expected[name])[1]


def test_every_custom_op_is_found_by_its_op_type() -> None:
    found = kind(frameworks.qonnx_plugins(), "kernel")
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
    assert kind(frameworks.qonnx_plugins(), "transform")[name].stage == stage


def test_another_qonnx_lists_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "qonnx"
    for folder in ("", "transformation", "custom_op", "custom_op/zoo"):
        (package / folder).mkdir(exist_ok=True)
        (package / folder / "__init__.py").touch()
    (package / "transformation" / "base.py").write_text(
        "class Transformation(ABC):\n    @abstractmethod\n    def apply(self, model): ...\n"
    )
    (package / "transformation" / "new.py").write_text(
        '"""class NotOne(Transformation): in a docstring, indented or not."""\n'
        "class New(\n    Transformation,\n):\n    def apply(self, model): ...\n\n"
        "class Partly(Transformation):\n    pass\n\n"
        "class Derived(new.New): pass\n\nclass Unrelated(dict): pass\n"
    )
    (package / "custom_op" / "zoo" / "op.py").write_text(
        "class Op_v3(CustomOp):\n    x = 1\n\nclass Op_v12(Op_v3):\n    x = 2\n"
    )
    monkeypatch.setattr(frameworks, "find_spec", lambda name: _spec(package))
    found = frameworks.qonnx_plugins()
    assert [(plugin.kind, plugin.name, plugin.origin.line, plugin.stage) for plugin in found] == [
        ("transform", "New", 2, None),
        ("transform", "Derived", 10, None),
        ("kernel", "Op", 4, None),
    ]
    assert found[-1].target == Lazy("qonnx.custom_op.zoo.op", "Op_v12")
    assert found[-1].metadata == {"domain": "qonnx.custom_op.zoo", "versions": [3, 12]}


def _spec(package: Path):
    class Spec:
        submodule_search_locations = [str(package)]

    return Spec


def test_without_qonnx_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)
    assert frameworks.qonnx_plugins() == []


def test_remove_identity_is_built_in() -> None:
    (plugin,) = frameworks.builtin_plugins()
    assert (plugin.name, plugin.framework, plugin.stage) == ("RemoveIdentity", "brainsmith", "cleanup")
    assert plugin.load().__name__ == "RemoveIdentity"
