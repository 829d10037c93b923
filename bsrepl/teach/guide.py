"""Leads through a lesson: which step it is at, what stands at the prompt, whether the step was done, and back again."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..registry.plugin import Plugin
from ..registry.snapshot import Snapshot
from ..registry.store import Registry
from ..text.patterns import late_pattern
from .checks import unmet
from .lesson import Lesson, Step

_ERROR = late_pattern(r"^(Traceback |[\w.]+(Error|Exception)\b)", re.MULTILINE)  # in an output
_LIKE = 0.6  # how much two texts have in common, of 1, to be the same but for some edits


class Problem(NamedTuple):
    """A step that did not do what it should."""

    number: int  # from 1 on
    step: Step
    message: str


class Watching(Protocol):
    """What watches the files of a lesson."""

    def add(self, folder: str) -> None: ...

    def set_aside(self) -> list[str]: ...

    def drop(self, folder: str) -> None: ...


class Guide:
    """A lesson that is being done in a session. `end` leaves the session as it was found.

    `names` is the namespace of the session, `evaluate` gives the value of an expression in it. With `alone`, the
    user's own plugin files are set aside until the end: they may use the names that the lesson does.
    """

    def __init__(
        self,
        lesson: Lesson,
        names: dict[str, Any],
        registry: Registry,
        watching: Watching,
        evaluate: Callable[[str], Any],
        *,
        alone: bool = False,
    ) -> None:
        import tempfile  # only now, as other things here: few sessions have a lesson

        self.lesson = lesson
        self.folder = Path(tempfile.mkdtemp(prefix="bsrepl-"))
        self.place = 0  # of the step that is to be done next
        self._names = names
        self._before = dict(names)
        self._registry = registry
        self._snapshot = registry.snapshot
        self._watching = watching
        self._evaluate = evaluate
        self._introduced = -1  # the step that was introduced last
        self._hinted = 0  # how many hints of the step were given
        self._tried: str | None = None  # the content of the step's file that was told of last
        self._contents = self._content()  # of the step's file, when the step began
        self._aside = watching.set_aside() if alone else []
        watching.add(str(self.folder))

    @property
    def step(self) -> Step | None:
        """The step that is to be done, None at the end."""
        return self.lesson.steps[self.place] if self.place < len(self.lesson.steps) else None

    @property
    def proposal(self) -> str:
        """What stands at the prompt for the step."""
        step = self.step
        return "" if step is None else "tour.save()" if step.file else step.code.rstrip("\n")

    def introduced(self) -> bool:
        """Whether the step was introduced already; from now on it is."""
        was, self._introduced = self._introduced, self.place
        return was == self.place

    def save(self) -> Path:
        """Writes the file of the step, or nothing if it is a command. Returns its path."""
        step = self.step
        path = self.folder / (step.file if step is not None else "")
        if step is not None and step.file:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.code, encoding="utf-8")
            self._contents = None  # whatever it was, it has been saved
            self._tried = step.code
        return path

    def _content(self) -> str | None:
        """What is in the file of the step; None if there is no such file, or the step is a command."""
        path = self.folder / (self.step.file if self.step is not None else "")
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

    def missing(self) -> list[str]:
        """Why each check of the step that is not true is not."""
        checks = self.step.checks if self.step is not None else ()
        return list(filter(None, (unmet(check, self._evaluate) for check in checks)))

    def hint(self) -> str:
        """The next hint of the step, or the last one again; empty if it has none."""
        hints = self.step.hints if self.step is not None else ()
        self._hinted = min(self._hinted + 1, len(hints))
        return hints[self._hinted - 1] if hints else ""

    def is_try(self, code: str | None) -> bool:
        """Whether a command, or, with `code` None, files that were executed, tried to do the step."""
        step = self.step
        if step is None:
            return False
        if code is None:
            before, self._tried = self._tried, self._content() if step.file else None
            return self._tried not in (None, before, self._contents)
        if step.file:
            return code.strip() == self.proposal
        wanted = _assigned(step.code)
        names = _assigned(code)
        return bool(names & wanted) or (_resembles(code, step.code) and (bool(names) or not wanted))

    def done(self, code: str | None, failed: bool) -> bool:
        """Tells of a command, or, with `code` None, of files that were executed. Goes on if the step was done by it.

        A step with checks is done once they are all true, whoever made them so; one without, by its file, or by a
        command like its own that did not fail, unless the lesson expects that.
        """
        step = self.step
        if step is None:
            return False
        if step.checks:
            is_done = not self.missing()
        elif step.file:
            is_done = self._content() not in (None, self._contents)
        else:
            is_fine = not failed or _ERROR.search(step.output or "") is not None
            is_done = code is not None and is_fine and _resembles(code, step.code)
        if is_done:
            self.go(1)
        return is_done

    def go(self, by: int) -> None:
        """Goes on or back by so many steps, without doing them."""
        self.place = min(max(self.place + by, 0), len(self.lesson.steps))
        self._introduced = -1
        self._hinted = 0
        self._contents = self._content()
        self._tried = None

    def end(self) -> None:
        """Takes away the files, the names and the plugins that the lesson brought."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in self._aside:
            self._watching.add(path)
        self._watching.drop(str(self.folder))
        self._registry.change(_typed(self._registry.snapshot, self._snapshot), ())
        self._names.clear()
        self._names.update(self._before)


def _resembles(code: str, proposal: str) -> bool:
    """Whether a command is what was proposed, edited perhaps."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, code.strip(), proposal.strip(), autojunk=False).ratio() >= _LIKE


def _assigned(code: str) -> set[str]:
    """The names that a command assigns or defines."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError):
        return set()
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def _typed(now: Snapshot, before: Snapshot) -> list[Plugin]:
    """What commands have registered since another snapshot."""
    return [
        claim
        for key in now.changed_since(before)
        for claim in now.claims(key)
        if not claim.origin.is_file and claim not in before.claims(key)
    ]
