"""What a plugin file may be written in, and what is said of one that is written in nothing."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from bsrepl import tfm

from ..conftest import Folder

FOLD = '@transform\nclass Fold:\n    """größe"""\n    def apply(self, model):\n        return "größe"\n'

ENCODED = {
    "utf-8": FOLD.encode(),
    "BOM": b"\xef\xbb\xbf" + FOLD.encode(),
    "latin-1 with its cookie": ("# -*- coding: latin-1 -*-\n" + FOLD).encode("latin-1"),
    "CRLF": FOLD.replace("\n", "\r\n").encode(),
    "CR": FOLD.replace("\n", "\r").encode(),
    "no final newline": FOLD.rstrip("\n").encode(),
    "form feed": FOLD.replace("class", "\x0cclass").encode(),
    "tabs": FOLD.replace("        ", "\t\t").replace("    ", "\t").encode(),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_readable(folder: Folder, kind: str) -> None:
    (folder.path / "fold.py").write_bytes(ENCODED[kind])
    report = folder.look()
    assert not report.failures
    assert tfm.Fold().apply(None) == "größe"
    assert tfm.Fold.__doc__ == "größe"
    assert 'return "größe"' in inspect.getsource(tfm.Fold.apply)


UNREADABLE = {
    "NUL bytes": (b"x = 1\nx = '\0'\n", "null bytes"),
    "invalid UTF-8": (b"x = 1\ny = '\xff'\n", "utf-8"),
    "unknown cookie": (b"# coding: klingon\n", "klingon"),
    "BOM against its cookie": (b"\xef\xbb\xbf# coding: latin-1\n", "encoding"),
    "tabs and spaces mixed": (b"if 1:\n        x = 1\n\ty = 2\n", "TabError"),
    "UTF-16": ("x = 1\n".encode("utf-16"), "Error: "),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_unreadable(folder: Folder, kind: str) -> None:
    data, said = UNREADABLE[kind]
    path = folder.path / "fold.py"
    path.write_text(FOLD)
    folder.look()
    path.write_bytes(data)
    (failure,) = folder.look().failures
    assert said in failure.error.lower() or said in failure.error
    assert Path(failure.file).name == "fold.py"
    assert folder.names() == ["tfm.Fold"]
    assert not folder.look()
    path.write_text(FOLD)
    assert folder.look().fixed
    assert folder.names() == ["tfm.Fold"]


def test_twenty_thousand_lines(folder: Folder) -> None:
    lines = [f"value_{n} = {n}" for n in range(20_000)]
    folder.write("fold.py", "\n".join([*lines, FOLD]))
    assert folder.changes() == ["+ tfm.Fold"]
    assert inspect.getsource(tfm.Fold.apply).startswith("    def apply")
    folder.write("fold.py", "\n".join([*lines, FOLD, "undefined"]))
    (failure,) = folder.look().failures
    assert failure.line == 20_007
