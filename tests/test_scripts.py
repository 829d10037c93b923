"""The scripts, in a checkout whose path has a space, also through a link; stubs of Python note what they are asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STUB = """\
#!/bin/sh
# Python {version}: says its version, makes environments of copies of itself, and notes everything else.
case "$*" in
    *"sys.exit("*) exit 0 ;;
    -c*) echo {version} ;;
    "-m venv "*) [ -z "{broken}" ] || exit 1; for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;
    "-m pip --version") ;;
    *) echo "{version} $*" >>"{log}" ;;
esac
"""


class Checkout:
    """A checkout with a space in its path and scripts alone, on a machine with stubs of some Pythons."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a check out"
        self.log = folder / "log"
        self.pyenv = folder / "pyenv"
        self.commands = folder / "bin"
        self.commands.mkdir()
        for minor in range(10, 17):  # instead of what this machine has
            self.has_fault(self.commands / f"python3.{minor}")
        shutil.copytree(ROOT / "scripts", self.root / "scripts", ignore=shutil.ignore_patterns("measure*", "screen*"))
        for name in ("setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)

    def has_python(self, path: Path, version: str, broken: bool = False) -> None:
        """Puts a stub there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STUB.format(version=version, log=self.log, broken="broken" if broken else ""))
        path.chmod(0o755)

    def has_fault(self, path: Path) -> None:
        """Puts a command there that fails, as pyenv's do for a version that is not chosen."""
        path.write_text("#!/bin/sh\nexit 127\n")
        path.chmod(0o755)

    def run(self, *command: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.commands}:/usr/bin:/bin", "HOME": str(self.root), "PYENV_ROOT": str(self.pyenv)}
        done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    def asked(self) -> Sequence[str]:
        """What was asked of the stubs since the last time."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    checkout = Checkout(tmp_path)
    checkout.has_python(checkout.commands / "python3", "3.11")
    return checkout


def test_the_environment_is_made_once_and_then_nothing_is_asked_of_pip(checkout: Checkout, tmp_path: Path) -> None:
    install = f"3.11 -m pip install --quiet --disable-pip-version-check --editable {checkout.root}[test]"
    link = tmp_path / "link"
    link.symlink_to(checkout.root / "scripts" / "test")
    checkout.run(link, "-x")
    installing, testing = checkout.asked()
    assert (installing, testing.partition(" -n ")[0], testing.endswith(" -x")) == (install, "3.11 -m pytest", True)
    checkout.run(checkout.root / "scripts" / "test")
    assert [line.partition(" -n ")[0] for line in checkout.asked()] == ["3.11 -m pytest"]
    with (checkout.root / "setup.cfg").open("a") as file:
        file.write("\n# changed\n")
    checkout.run(checkout.root / "scripts" / "test")
    assert checkout.asked()[0] == install


def test_a_checkout_that_is_reached_through_a_linked_folder_works(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(checkout.root)
    checkout.run(tmp_path / "linked" / "scripts" / "test-hosts")
    assert len(checkout.asked()) == 2


def test_the_pythons_of_the_machine_are_listed_once_each(checkout: Checkout) -> None:
    """Those on PATH first; a stand-in that fails is passed over for the version that pyenv has."""
    versions = checkout.pyenv / "versions"
    for python, version in {"3.9.1": "3.9", "3.10.13": "3.10", "3.12.1": "3.12", "3.12.4": "3.12"}.items():
        checkout.has_python(versions / python / "bin" / "python", version)
    checkout.has_python(checkout.commands / "python3.10", "3.10")
    assert checkout.run(checkout.root / "scripts" / "pythons").stdout.splitlines() == [
        f"3.10 {checkout.commands / 'python3.10'}",
        f"3.12 {versions / '3.12.1' / 'bin' / 'python'}",
    ]


def test_the_suite_runs_on_each_python_but_that_of_scripts_test(checkout: Checkout) -> None:
    """Each in an environment of its own; one for which none can be made is left out, and a line says so."""
    for version in ("3.10", "3.11", "3.12", "3.13"):
        checkout.has_python(checkout.commands / f"python{version}", version, broken=version == "3.12")
    done = checkout.run(checkout.root / "scripts" / "test-pythons", "tests/text")
    ran = [line for line in checkout.asked() if " -m pytest " in line]
    assert [(line.split()[0], line.split()[-1]) for line in ran] == [("3.10", "tests/text"), ("3.13", "tests/text")]
    assert {path.name for path in checkout.root.glob(".venv*")} == {".venv-3.10", ".venv-3.13"}
    assert "Python 3.12 is left out: no environment could be made with " in done.stderr
    assert "3.11" not in done.stdout + done.stderr


def test_a_python_on_which_the_suite_fails_fails_the_run(checkout: Checkout) -> None:
    checkout.has_python(checkout.commands / "python3.10", "3.10")
    checkout.run(checkout.root / "scripts" / "test-pythons", "-x")
    checkout.has_fault(checkout.root / ".venv-3.10" / "bin" / "python")
    assert "Python 3.10" in checkout.run(checkout.root / "scripts" / "test-pythons", expect=127).stdout


def test_continuous_integration_runs_every_script_that_tests() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    testing = {f"scripts/{path.name}" for path in (ROOT / "scripts").iterdir() if path.name.startswith("test")}
    assert testing <= set(lines)
    assert all(os.access(ROOT / name, os.X_OK) for name in testing)
