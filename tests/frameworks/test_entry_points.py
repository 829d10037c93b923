"""Packages that publish plugins: listed from their metadata, loaded when used, reported when broken."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bsrepl import kernel, kernels, steps
from bsrepl.errors import PluginWarning, UnavailablePlugin, UnknownPlugin
from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.plugin import KINDS
from bsrepl.registry.store import registry
from bsrepl.shell.assembly import console as build_console
from bsrepl.shell.settings import Settings
from bsrepl.text.terminal import Terminal

from ..conftest import EXECUTOR, files, forget

PACKAGE = {
    "acme_hw/__init__.py": "",
    "acme_hw/publishing.py": """
        def register_all():
            return {
                "kernels": [
                    {"name": "Fast", "module": "acme_hw.kernels", "class_name": "FastKernel", "speed": 2},
                    {"name": "Lost", "module": "acme_hw.no_such", "class_name": "Lost"},
                ],
                "backends": [
                    {"name": "Fast_hls", "module": "acme_hw.kernels", "class_name": "Hls",
                     "target_kernel": "acme:Fast", "language": "hls"},
                ],
                "steps": [{"name": "tidy", "module": "acme_hw.kernels", "func_name": "tidy_step", "category": "x"}],
            }
    """,
    "acme_hw/kernels.py": """
        class FastKernel(object):
            pass

        class Hls(FastKernel):
            pass

        def tidy_step(model, cfg=None):
            return model
    """,
    "acme_hw/eager.py": """
        from bsrepl import kernel

        @kernel
        class Eager:
            pass
    """,
    "acme_hw/broken.py": """
        import acme_tools_that_are_missing
    """,
    "acme_hw/odd.py": """
        def a_list(): return [1]

        def nameless(): return {"kernels": [{"module": "m"}]}
    """,
}

Publish = Callable[[str], Installed]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Installs a package with entry points, and finds out what is installed."""
    files(tmp_path / "site", PACKAGE)
    monkeypatch.syspath_prepend(tmp_path / "site")

    def install(entry_points: str) -> Installed:
        text = "Metadata-Version: 2.1\nName: acme-hw\nVersion: 1.2\n"
        files(tmp_path / "site", {"acme_hw-1.2.dist-info/METADATA": text})
        (tmp_path / "site/acme_hw-1.2.dist-info/entry_points.txt").write_text(entry_points)
        return Installed(registry, tmp_path / "cache" / "index.json")

    yield install
    forget("acme_hw")


BRAINSMITH = "[brainsmith.plugins]\nacme = acme_hw.publishing:register_all\n"


def of_acme() -> dict[str, str]:
    return {str(p.key): str(p.origin) for kind in KINDS for p in registry.snapshot.plugins(kind, "acme")}


@pytest.mark.parametrize(
    "use",
    [
        lambda: kernels.acme,
        lambda: kernels["Fast"],
        lambda: kernels["acme:Fast"],
        lambda: steps["acme:tidy"],
        lambda: kernels.find(framework="acme"),
    ],
)
def test_a_published_function_is_called_at_the_first_use(publish: Publish, use: Callable[[], object]) -> None:
    publish(BRAINSMITH)
    assert len(kernels) == 14
    assert of_acme() == {}
    assert "acme_hw" not in sys.modules
    use()
    assert of_acme() == {
        "kernels.acme.Fast": "kernels.py:1",
        "kernels.acme.Lost": "acme_hw.no_such:1",
        "backends.acme.Fast_hls": "kernels.py:4",
        "steps.acme.tidy": "kernels.py:7",
    }
    assert kernels.acme.Fast.__name__ == "FastKernel"
    assert kernels.find(speed=2)[0] is kernels.Fast
    assert steps.acme.tidy("model") == "model"


def test_what_was_published_once_is_listed_from_the_next_start_on_without_being_called(publish: Publish) -> None:
    publish(BRAINSMITH)
    before = (kernels.acme, of_acme())[1]
    registry.replace(type(registry.snapshot)())
    forget("acme_hw")
    publish(BRAINSMITH)
    assert of_acme() == before
    assert "acme_hw" not in sys.modules
    assert registry.pending == {}


def test_a_function_that_was_changed_is_called_again(publish: Publish, tmp_path: Path) -> None:
    publish(BRAINSMITH)
    assert "Fast" in kernels.acme
    registry.replace(type(registry.snapshot)())
    forget("acme_hw")
    (tmp_path / "site/acme_hw/publishing.py").write_text("def register_all(): return {'kernels': []}  # none now\n")
    publish(BRAINSMITH)
    assert of_acme() == {}
    assert list(registry.pending) == ["acme"]


def test_what_cannot_be_kept_is_called_again_at_the_next_start(publish: Publish, tmp_path: Path) -> None:
    text = "def register_all(): return {'kernels': [{'name': 'K', 'module': 'acme_hw.kernels', 'infer': object()}]}\n"
    (tmp_path / "site/acme_hw/publishing.py").write_text(text)
    publish(BRAINSMITH)
    assert "K" in kernels.acme
    registry.replace(type(registry.snapshot)())
    publish(BRAINSMITH)
    assert list(registry.pending) == ["acme"]


@pytest.mark.parametrize(
    "damage", [('"acme_hw.kernels"', "7"), ('"entry points"', '"entries"'), ('"held": [[', '"held": [5, [')]
)
def test_a_damaged_index_loses_nothing(publish: Publish, tmp_path: Path, damage: tuple[str, str]) -> None:
    publish(BRAINSMITH)
    assert kernels["Fast"]
    index = tmp_path / "cache" / "index.json"
    assert damage[0] in index.read_text()
    index.write_text(index.read_text().replace(*damage))
    registry.replace(type(registry.snapshot)())
    publish(BRAINSMITH)
    assert kernels["Fast"].__name__ == "FastKernel"


def test_finding_in_a_framework_that_is_listed_loads_nothing(publish: Publish) -> None:
    kernel(framework="acme")(type("Mine", (), {}))
    publish(BRAINSMITH)
    assert len(kernels.find(framework="acme")) == 1
    assert "acme_hw" not in sys.modules


def test_a_module_registers_by_its_decorators(publish: Publish) -> None:
    publish("[bsrepl.plugins]\nacme = acme_hw.eager\n")
    assert kernels["Eager"].__module__ == "acme_hw.eager"
    assert list(of_acme()) == ["kernels.acme.Eager"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("acme_hw.broken:register", r"acme_tools_that_are_missing is not installed \(broken.py:1\)"),
        ("acme_hw.publishing:no_such", "AttributeError: .*no_such"),
        ("acme_hw.odd:a_list", "it returned a list, not a dictionary of transforms, kernels, backends, steps"),
        ("acme_hw.odd:nameless", "one of its kernels has no name: {'module': 'm'}"),
    ],
)
def test_a_broken_one_is_reported_and_breaks_nothing_else(publish: Publish, value: str, why: str) -> None:
    installed = publish(f"[brainsmith.plugins]\nacme = {value}\nother = acme_hw.publishing:register_all\n")
    said = f"the entry point acme of acme-hw 1.2: {why}"
    with pytest.warns(PluginWarning, match=said):
        assert kernels["Fast"].__name__ == "FastKernel"
    with pytest.raises(UnavailablePlugin, match=said):
        _ = kernels.acme
    with pytest.raises(UnknownPlugin, match="kernels has no 'Fats'; nearest: Fast"):
        kernels["Fats"]
    (told,) = [each for each in installed.installations() if each.name == "acme"]
    assert re.search(why, str(told.entry_points[0].failure))


def test_frameworks_prints_who_publishes_what(publish: Publish, tmp_path: Path) -> None:
    publish("[brainsmith.plugins]\nacme = acme_hw.publishing:register_all\nbroken = acme_hw.broken:register\n")
    registry.replace(type(registry.snapshot)())
    out = io.StringIO()
    terminal = Terminal(out, color=False)
    console = build_console(registry, [], terminal, terminal, EXECUTOR, Settings(shows_time=False))
    try:
        console.run("frameworks()")
        console.run("kernels.acme")
        console.run("kernels.broken")
        console.run("frameworks()")
    finally:
        console.close()
    first, _, second = out.getvalue().partition("UnavailablePlugin")
    assert "acme nothing yet\n  entry point of acme-hw 1.2: not loaded yet; kernels.acme does\n" in first
    assert "acme 2 kernels, 1 backend, 1 step\n  entry point of acme-hw 1.2: 4 plugins\n" in second
    assert "acme_tools_that_are_missing is not installed (broken.py:1)\n" in second.replace("\n    ", " ")
