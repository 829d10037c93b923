"""An installed Brainsmith: listed from its source, its own registry followed through reloads of plugin files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bsrepl import kernels
from bsrepl.registry.plugin import Key
from bsrepl.registry.store import registry
from bsrepl.reload.imports.development import Development
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

from ..conftest import Screen, files, forget

# In the style of 0.1.0: what is registered and loaded already is silently kept.
V010 = {
    "registry/__init__.py": "from ._decorators import backend, kernel, step\n",
    "registry/_state.py": "_component_index = {}\n",
    "registry/_decorators.py": """
        from contextvars import ContextVar
        from types import SimpleNamespace
        from ._state import _component_index

        _current_source = ContextVar("current_source", default=None)


        def _register(cls, kind, name, **said):
            source = "brainsmith" if cls.__module__.startswith("brainsmith.") else "custom"
            source = _current_source.get() or source
            place = f"{source}:{name or cls.__name__}"
            if place in _component_index:
                return cls
            target = said.get("target_kernel")
            if target and ":" not in target:
                target = f"{source}:{target}"
            _component_index[place] = SimpleNamespace(
                name=name or cls.__name__, source=source, component_type=kind, loaded_obj=cls, import_spec=None,
                kernel_infer=None, kernel_backends=None, is_infrastructure=False,
                backend_target=target, backend_language=said.get("language"),
            )
            if target in _component_index:
                linked = _component_index[target]
                linked.kernel_backends = [*(linked.kernel_backends or []), place]
            return cls


        def kernel(obj=None, *, name=None, **said):
            register = lambda cls: _register(cls, "kernel", name, **said)
            return register(obj) if obj is not None else register


        def backend(obj=None, *, name=None, **said):
            register = lambda cls: _register(cls, "backend", name, **said)
            return register(obj) if obj is not None else register


        def step(obj=None, *, name=None, **said):
            register = lambda cls: _register(cls, "step", name, **said)
            return register(obj) if obj is not None else register
    """,
    "kernels/softmax.py": """
        from brainsmith.registry import kernel

        SIZE = 3

        @kernel(description="Softmax in hardware", size=SIZE)
        class Softmax:
            pass
    """,
    "kernels/softmax_hls.py": """
        import no_such_tool
        from brainsmith.kernels.softmax import Softmax
        from brainsmith.registry import backend

        @backend(name="Softmax_hls", target_kernel="brainsmith:Softmax", language="hls")
        class SoftmaxHLS(Softmax):
            pass
    """,
    "steps/core.py": """
        from brainsmith.registry import step

        @step
        def streamline(model, cfg):
            return model
    """,
    "steps/tests/test_core.py": """
        from brainsmith.registry import step

        @step(name="only_a_test")
        def _(model, cfg): ...
    """,
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Installs a package of Brainsmith's shape."""
    forget("brainsmith")

    def write(contents: dict[str, str]) -> None:
        names = {f"brainsmith/{name}": text for name, text in contents.items()}
        folders = {str(Path(name).parent) for name in names} | {"brainsmith", "brainsmith/core"}
        files(tmp_path / "lib", {**{f"{folder}/__init__.py": "" for folder in folders}, **names})
        monkeypatch.syspath_prepend(tmp_path / "lib")

    yield write
    forget("brainsmith")


@pytest.fixture
def installed(install: Any) -> None:
    install(V010)


@pytest.mark.usefixtures("installed")
def test_it_is_listed_from_its_source(screen: Screen) -> None:
    lines = [" ".join(line.split()) for line in screen.type("kernels.brainsmith.all()").splitlines()]
    assert lines == ["kernels.Softmax description='Softmax in hardware' softmax.py:6"]
    assert "unavailable: no_such_tool is not installed" in screen.type("backends.for_kernel('Softmax')")
    assert "+" not in screen.type("steps.streamline")
    assert "only_a_test" not in screen.type("steps.all()")
    assert "brainsmith" in sys.modules  # once a step of it was taken
    assert "Brainsmith is not installed" not in screen.type("frameworks()")


PLUGIN = """
from brainsmith.registry import backend, kernel, step


@kernel(name="Mine")
class MyKernel:
    NUMBER = {number}


{backend}


@step(name="my_step")
def a_step(model, cfg):
    return {number}
"""
BACKEND = """@backend(name="Mine_hls", target_kernel="Mine", language="hls")
class Hls:
    pass
"""


def theirs() -> dict[str, Any]:
    """What Brainsmith's own registry holds: the number in each kernel, and the other names."""
    index = sys.modules["brainsmith.registry._state"]._component_index
    found = {place.rpartition(":")[2]: held.loaded_obj for place, held in index.items()}
    return {name: getattr(value, "NUMBER", None) for name, value in found.items()}


@pytest.mark.usefixtures("installed")
def test_both_registries_hold_what_a_plugin_file_says(screen: Screen) -> None:
    path = screen.folder / "mine.py"

    def save(number: int, backend: str = BACKEND, tail: str = "") -> str:
        path.write_text(PLUGIN.format(number=number, backend=backend) + tail)
        start = screen.out.tell()
        screen.console.look()
        return screen.out.getvalue()[start:]

    printed = save(1)
    assert "+ kernels.Mine " in printed
    assert "mine.py:6" in printed
    assert "kernel=Mine language=hls" in printed
    assert "+ steps.my_step" in printed
    assert "bsrepl's registry" not in printed
    assert theirs() == {"Mine": 1, "Mine_hls": None, "my_step": None}

    assert "~ kernels.Mine   NUMBER changed" in save(2)
    assert kernels.Mine.NUMBER == theirs()["Mine"] == 2

    assert "kept the previous version: kernels.Mine, backends.Mine_hls" in save(3, tail="1 / 0\n")
    assert kernels.Mine.NUMBER == theirs()["Mine"] == 2
    assert theirs().keys() == {"Mine", "Mine_hls", "my_step"}

    assert "- backends.Mine_hls" in save(4, backend="")
    assert kernels.Mine.NUMBER == theirs()["Mine"] == 4
    assert theirs().keys() == {"Mine", "my_step"}

    path.unlink()
    screen.console.look()
    screen.clock.ahead += 2
    screen.console.look()
    assert theirs() == {}
    assert "Mine" not in kernels


@pytest.mark.usefixtures("installed")
def test_backends_in_another_file_stay_linked_to_a_kernel_that_is_executed_again(screen: Screen) -> None:
    folder = screen.folder
    kernel = PLUGIN.format(number=1, backend="")
    files(folder, {"a_kernel.py": kernel})
    files(folder, {"b_hls.py": "from brainsmith.registry import backend\n" + BACKEND})
    screen.console.look()
    index = sys.modules["brainsmith.registry._state"]._component_index
    assert index["custom:Mine"].kernel_backends == ["custom:Mine_hls"]
    files(folder, {"a_kernel.py": kernel.replace("= 1", "= 2")})
    screen.console.look()
    assert index["custom:Mine"].loaded_obj.NUMBER == 2
    assert index["custom:Mine"].kernel_backends == ["custom:Mine_hls"]
    files(folder, {"a_kernel.py": kernel + "1 / 0\n"})
    screen.console.look()
    assert index["custom:Mine"].loaded_obj.NUMBER == 2
    files(folder, {"b_hls.py": "1 / 0\n"})
    screen.console.look()
    assert index["custom:Mine"].kernel_backends == ["custom:Mine_hls"]
    files(folder, {"b_hls.py": "# nothing\n"})
    screen.console.look()
    assert index["custom:Mine"].kernel_backends == []


@pytest.mark.usefixtures("installed")
def test_what_its_own_registry_comes_to_know_is_read_into_the_namespaces(screen: Screen) -> None:
    screen.type("import brainsmith.registry")
    text = "@brainsmith.registry.kernel(name='Typed')\nclass Typed:\n    pass"
    assert "+ kernels.Typed  <__main__>:1\n" in screen.type(text)
    assert kernels.Typed.__name__ == "Typed"
    origin = screen.type("import brainsmith.kernels.softmax; kernels.find('Softmax')")
    assert "softmax.py:6" in origin
    assert "+" not in origin


@pytest.mark.usefixtures("installed")
def test_what_it_registers_is_what_its_decorators_say_and_stays_its_own(tmp_path: Path) -> None:
    reloader = Reloader(registry, [], PRELOADED, time.time_ns, development=Development())
    try:
        index = import_module("brainsmith.registry._state")._component_index
        current = import_module("brainsmith.registry._decorators")._current_source
        token = current.set("acme")
        softmax = import_module("brainsmith.kernels.softmax")
        current.reset(token)
        reloader.refresh()
        assert index.keys() == {"acme:Softmax"}
        listed = registry.snapshot.seen(Key("kernel", "acme", "Softmax"))
        assert listed is not None
        assert listed.metadata["description"] == "Softmax in hardware"
        path = tmp_path / "lib" / "brainsmith" / "kernels" / "softmax.py"
        path.write_text(path.read_text().replace("SIZE = 3", "SIZE = 4"))
        assert reloader.refresh().executed
        assert softmax.SIZE == 4
        assert {place: held.loaded_obj for place, held in index.items()} == {"acme:Softmax": softmax.Softmax}
    finally:
        reloader.close()


@pytest.mark.usefixtures("installed")
def test_entries_of_another_shape_are_read_as_far_as_they_go(screen: Screen) -> None:
    index = import_module("brainsmith.registry._state")._component_index
    kind = SimpleNamespace(name="Bare", source="custom", component_type="kernel", loaded_obj=Screen)
    index["custom:Bare"] = kind
    index["custom:Empty"] = SimpleNamespace(name="Empty", source="custom", component_type="kernel")
    assert "+ kernels.Bare " in screen.type("1")
