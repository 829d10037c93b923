"""What Jedi may know of a session: it works out what calls return, and must run no code for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prompt_toolkit.document import Document
from ptpython.signatures import Signature, get_signatures_using_jedi

from ...registry.namespaces import Namespace
from ...registry.snapshot import Snapshot
from ..command import Command
from .call_signatures import known_signatures
from .unasked_values import has_hooks, runs_code


def names_for_jedi(names: Mapping[str, Any]) -> dict[str, Any]:
    """The names that Jedi may evaluate; those that would run code have a value that does not.

    A namespace is left out: it would import each plugin that Jedi looks at.
    """
    import jedi.settings  # only now, as Jedi itself

    jedi.settings.allow_unsafe_interpreter_executions = False  # properties, for example
    known = {name: value for name, value in list(names.items()) if not issubclass(type(value), Namespace)}
    return {name: _harmless(value) for name, value in known.items()}


def signatures(document: Document, names: Mapping[str, Any], snapshot: Snapshot) -> list[Signature]:
    """What stands below a call: of what is known here, or else what Jedi knows, which takes its time."""
    ours = known_signatures(document, names, snapshot)
    if ours is not None or runs_code(document.text_before_cursor, names):
        return ours or []
    return get_signatures_using_jedi(document, {}, names_for_jedi(names))


def _harmless(value: Any) -> Any:
    if type(value) is Command:
        return value.stub
    return object() if has_hooks(value) else value
