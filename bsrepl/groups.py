"""Which files count together: those that import each other, directly or not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

_Imports = Mapping[str, Collection[str]]


def groups(paths: Iterable[str], now: _Imports, before: _Imports, failed: Collection[str]) -> list[frozenset[str]]:
    """Parts `paths` into the sets that are joined by imports, in the order of their least paths.

    `now` are the imports that the files were seen to do this time, `before` those of the versions that are live. A file
    that failed, and whatever is joined to it, will go on living as it was; so it needs what it needed, and what it
    needed before joins it as well.
    """
    joined: dict[str, set[str]] = {path: set() for path in paths}

    def join(path: str, others: Iterable[str]) -> None:
        for other in others:
            if other in joined:
                joined[path].add(other)
                joined[other].add(path)

    def closure(start: Iterable[str]) -> set[str]:
        found = set(start)
        rest = list(found)
        while rest:
            new = joined[rest.pop()] - found
            found |= new
            rest += new
        return found

    for path in joined:
        join(path, now.get(path, ()))
    kept: set[str] = set()
    while more := closure(kept | set(failed)) - kept:
        for path in more:
            join(path, before.get(path, ()))
        kept |= more

    found: list[frozenset[str]] = []
    rest = set(joined)
    for path in sorted(joined):
        if path in rest:
            group = frozenset(closure([path]))
            rest -= group
            found.append(group)
    return found
