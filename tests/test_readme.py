"""What the README shows is so: its shell blocks run, its session plays, and every command is in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bsrepl.teach import tour

from .conftest import Screen

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.M | re.S)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("#")[0].split("\n")[0].strip())
def test_a_shell_block_runs(block: str, tmp_path: Path) -> None:
    """As they stand, from the checkout, by a shell that stops at the first failure; nobody is there to type."""
    own = {"HOME": str(tmp_path), "BSREPL_VENV": str(Path(sys.executable).parent.parent)}
    environment = {**os.environ, **own, "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}
    done = subprocess.run(
        ["sh", "-e", "-c", block],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout.replace("0 failed", "").replace("failed plugin_example.py:3", "")


def test_the_page_is_a_lesson_that_does_what_it_says(screen: Screen) -> None:
    assert screen.console.play(tour.read_lesson(ROOT / "README.md"), lambda seconds: None) == []


def test_every_command_is_on_the_page(screen: Screen) -> None:
    names = screen.commands
    assert [name for name in names if not re.search(rf"\b{name}\(", README)] == []
    assert [name for name, command in names.items() if not (command.__doc__ or "").strip()] == []


def test_every_picture_is_there_and_tells_of_no_machine() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        drawn = (ROOT / picture).read_text()
        text = re.sub(r"<[^>]+>", "", drawn).replace("&gt;", ">")
        assert "screenshots" not in picture or ">>>" in text or "drawn by bsrepl" in text
        assert not re.search(r"/(home|root|work|tmp|Users)/", drawn)
