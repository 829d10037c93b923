"""The code of each file, compiled from the bytes on disk: no byte code cache can hide an edit."""

from __future__ import annotations

from types import CodeType


class Compiled:
    """What files were compiled to."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[bytes, CodeType]] = {}  # by their paths, with their sources

    def code(self, path: str, source: bytes) -> CodeType:
        """The code of a file. Raises whatever `compile` raises."""
        known = self._codes.get(path)
        if known is not None and known[0] == source:  # it is executed again for what it imports
            return _renewed(known[1])
        code = compile(source, path, "exec", dont_inherit=True)
        self._codes[path] = source, code
        return code


def _renewed(code: CodeType) -> CodeType:
    """The same code as other objects: functions that were made by it now can be told from those made before."""
    return code.replace(
        co_consts=tuple(_renewed(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    )
