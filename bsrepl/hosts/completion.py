"""TAB in IPython and Jupyter: what belongs to our namespaces and commands is completed from the registry alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from ..registry.store import registry
from ..shell.prompt.elsewhere import completer

_PRIORITY = 1000.0  # before those of IPython, which then are not asked


def matcher(names: Mapping[str, Any]) -> Any:
    """A matcher for IPython's `Completer.custom_matchers`, of the names of a user."""
    complete = completer(registry, names)

    @context_matcher(identifier="bsrepl", priority=_PRIORITY)  # type: ignore[untyped-decorator]
    def match(context: CompletionContext) -> dict[str, Any]:
        above = context.full_text.split("\n")[: context.cursor_line]
        offers = complete("\n".join([*above, context.text_until_cursor]))
        offered = [SimpleCompletion(text=offer.text, type=offer.kind) for offer in offers]
        typed = offers[0].typed if offers else ""
        return {"completions": offered, "matched_fragment": typed, "suppress": True, "ordered": True}

    return match
