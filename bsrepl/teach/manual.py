"""The pages of the manual: read in the shell by `help("reload")`, and played by a test."""

from __future__ import annotations

from importlib.resources import files

#: Which page is about something that is asked for by another name.
PAGE_OF = {"tour": "teaching", "lessons": "teaching", "magics": "prompt", "magic": "prompt"}
_PACKAGE = f"{__package__.partition('.')[0]}.manual"


def titles() -> dict[str, str]:
    """The names of the pages and what each is about, as its first line says."""
    pages = sorted(file.name for file in files(_PACKAGE).iterdir() if file.name.endswith(".md"))
    return {name.removesuffix(".md"): page(name.removesuffix(".md")).partition("\n")[0][2:] for name in pages}


def page(name: str) -> str:
    """The Markdown of a page. Raises FileNotFoundError if there is none of that name."""
    return files(_PACKAGE).joinpath(f"{name}.md").read_text(encoding="utf-8")
