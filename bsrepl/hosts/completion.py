"""TAB in IPython and Jupyter: what belongs to our namespaces and commands is completed from the registry alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, DummyCompleter
from prompt_toolkit.document import Document

from ..registry.namespaces import Namespace, belonging
from ..registry.store import registry
from ..shell.prompt.completion import NamespaceCompleter
from ..shell.prompt.values_completion import ValuesCompleter

_PRIORITY = 1000.0  # before those of IPython, which then are not asked
_DEEPER = re.compile(r"(?<![\w.])(?P<namespace>\w+)\.(?P<path>(?:\w+\.)*)(?P<typed>\w*)$")


def matcher(names: Mapping[str, Any]) -> Any:
    """A matcher for IPython's `Completer.custom_matchers`, of the names of a user."""
    completer: Completer = ValuesCompleter(registry, names, DummyCompleter())
    completer = NamespaceCompleter(registry, lambda: names, completer)

    @context_matcher(identifier="bsrepl", priority=_PRIORITY)  # type: ignore[untyped-decorator]
    def match(context: CompletionContext) -> dict[str, Any]:
        above = context.full_text.split("\n")[: context.cursor_line]
        text = "\n".join([*above, context.text_until_cursor])
        found = list(completer.get_completions(Document(text), CompleteEvent())) or _itself(text, names)
        typed = text[len(text) + found[0].start_position :] if found else ""
        offered = [SimpleCompletion(text=each.text, type=_kind(each)) for each in found]
        return {"completions": offered, "matched_fragment": typed, "suppress": True, "ordered": True}

    return match


def _itself(text: str, names: Mapping[str, Any]) -> list[Completion]:
    """What is typed of an attribute that no namespace has, or of a plugin that is not imported: IPython would import
    that."""
    deeper = _DEEPER.search(text)
    namespace = names.get(deeper["namespace"]) if deeper is not None else None
    if deeper is None or not isinstance(namespace, Namespace) or _is_imported(namespace, deeper["path"].split(".")):
        return []
    return [Completion(deeper["typed"], -len(deeper["typed"]))]


def _is_imported(namespace: Namespace, path: list[str]) -> bool:
    """Whether a path in a namespace leads to a plugin whose module is imported."""
    if path[0] in namespace.frameworks():
        return _is_imported(getattr(namespace, path[0]), path[1:])
    kind, framework = belonging(namespace)
    plugin = registry.snapshot.get(kind, path[0], framework)
    return plugin is not None and plugin.is_loaded


def _kind(completion: Completion) -> str:
    """The first word or two of what stands beside a completion, such as `transform` or `12 transforms`."""
    return completion.display_meta_text.partition("  ")[0]
