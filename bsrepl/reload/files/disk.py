"""The files that are watched: what was last read of each, what has changed since it was executed, what is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from os import getcwd
from os.path import abspath, dirname, isdir, islink, join, pardir, realpath, sep

from ...errors import PluginFileError
from . import checkout, signatures

GRACE = 1_000_000_000  # ns that a file may be gone or empty: some editors save that way


class Disk:
    """Plugin files, folders of them, and whatever else is to be watched.

    `paths` are plugin files and folders of them. `now` is the wall clock in ns, compared with the times of files.
    `trusting`, files are read even if somebody else may have written them.
    """

    def __init__(self, paths: Iterable[str], now: Callable[[], int], trusting: bool) -> None:
        self.plugin_files: set[str] = set()
        self.present: set[str] = set()  # those of them that exist
        self.contents: dict[str, bytes] = {}  # what was last read of each file
        self.changed: set[str] = set()  # files with other contents than were executed
        self.gone: set[str] = set()  # files that are gone for good
        self.missing_since: dict[str, int] = {}  # files that are gone or empty, and still count for the moment
        self._now = now
        self._trusting = trusting
        self._folders: list[str] = []
        self._seen: dict[str, signatures.Signature] = {}
        self._links: dict[str, str] = {}  # the files that plugin files are links to, with the link
        for path in map(_absolute, paths):
            self.add(path)

    def add(self, path: str) -> None:
        """Watches a plugin file, or a folder of them, too."""
        if isdir(path):
            self._folders.append(path)
            self.watch(path)
        else:
            self._add_plugin_file(path)

    def drop(self, folder: str) -> None:
        """Stops watching a folder. Its plugin files count as gone, whether they exist or not."""
        self._folders.remove(folder)
        self._seen.pop(folder, None)
        self._forget(path for path in self.plugin_files if path.startswith(folder + sep))

    def set_aside(self) -> list[str]:
        """Stops watching everything. Returns the paths to `add` again."""
        folders = list(self._folders)
        files = [path for path in self.plugin_files if not path.startswith(tuple(folder + sep for folder in folders))]
        for folder in folders:
            self.drop(folder)
        self._forget(files)
        return [*folders, *files]

    def _forget(self, paths: Iterable[str]) -> None:
        for path in list(paths):
            self.plugin_files.discard(path)
            self.present.discard(path)
            self._seen.pop(path, None)
            self.gone.add(path)

    def watch(self, path: str) -> None:
        """Looks at a file from now on, whether it exists or not."""
        self._seen.setdefault(path, signatures.UNSETTLED)

    def is_missing(self, path: str) -> bool:
        return self._seen.get(path) is None

    def is_given(self, path: str) -> bool:
        """Whether a file is a plugin file, or lies in a package that is one."""
        is_given = path in self.plugin_files
        while not is_given and path != dirname(path):
            path = dirname(path)
            is_given = join(path, "__init__.py") in self.plugin_files
        return is_given

    def read(self, path: str) -> bytes:
        """The bytes to execute: those that were looked at, or, of a file not looked at before, those on disk.

        Raises FileNotFoundError and PluginFileError, as `signatures.read` does.
        """
        if path not in self.contents:
            self.contents[path], self._seen[path] = signatures.read(path, self._now(), trusted=self._trusting)
        return self.contents[path]

    def look(self, executed: Mapping[str, bytes | None], has_appeared: bool = False) -> None:
        """Adds to `changed` and `gone`. `executed` are the contents that files were last executed with, None of one
        that could not be read; `has_appeared` tells whether a file has that is not watched here. Costs a stat for each
        file that is watched."""
        suspects = dict.fromkeys([*signatures.suspects(self._seen), *self.missing_since])
        if not suspects:
            return
        now = self._now()
        for folder in self._folders:
            if folder in suspects:
                del suspects[folder]
                suspects.update(dict.fromkeys(self._scan(folder, now)))
        have_appeared = [self._look_at(path, executed, now) for path in suspects]
        for path in [path for path in self.missing_since if self.is_missing(path)]:
            # A file that disappears while another appears was renamed: there is no need to wait.
            if has_appeared or any(have_appeared) or self._is_overdue(path, now) or checkout.is_final(path):
                self.gone.add(path)

    def forget(self, path: str, is_awaited: bool) -> None:
        """Forgets what was read of a file. One that is awaited, because another imports it, is watched further."""
        self.contents.pop(path, None)
        self.missing_since.pop(path, None)
        if path in self.plugin_files:  # what was another name for it may have to take its place
            self._links = {target: link for target, link in self._links.items() if link != path}
            self._seen.update(dict.fromkeys(self._folders, signatures.UNSETTLED))
        elif not is_awaited:
            self._seen.pop(path, None)

    def _look_at(self, path: str, executed: Mapping[str, bytes | None], now: int) -> bool:
        """Looks at one file. Returns whether it has appeared since the last look."""
        data: bytes | None = None
        try:
            data, signature = signatures.read(path, now, trusted=self._trusting)
        except FileNotFoundError:
            if path in executed:
                self.missing_since.setdefault(path, now)
            self._seen[path] = None
            self.present.discard(path)
            return False
        except PluginFileError:  # executing it will say why it cannot be read
            signature = signatures.signature(path, now)
        if path in self.plugin_files:
            self.present.add(path)
        if data == b"" and executed.get(path) and not self._is_overdue(path, now) and not checkout.is_final(path):
            self._seen[path] = signature
            return False
        self.missing_since.pop(path, None)
        is_changed = data is None or path not in executed or data != executed[path]
        if is_changed:
            self.changed.add(path)
        self.contents.pop(path, None)
        if data is not None:
            self.contents[path] = data
        self._seen[path] = signature  # last: an interrupted look is one that was not made
        return is_changed and path not in executed

    def _scan(self, folder: str, now: int) -> Iterator[str]:
        """The plugin files that have appeared in a folder."""
        self._seen[folder] = signatures.signature(folder, now)
        try:
            present, future = signatures.plugin_files(folder)
        except OSError:
            return  # gone, and its files with it; they are looked at one by one
        for path in sorted({*present, *future} - self.plugin_files, key=lambda path: (islink(path), path)):
            if self._add_plugin_file(path):
                yield path

    def _add_plugin_file(self, path: str) -> bool:
        """Watches a plugin file, unless it is one that is watched already, under another name."""
        if islink(path):
            target = realpath(path)
            if target in self.plugin_files or self._links.setdefault(target, path) != path:
                return False
        elif path in self._links:
            return False
        self.plugin_files.add(path)
        self._seen[path] = signatures.UNSETTLED
        return True

    def _is_overdue(self, path: str, now: int) -> bool:
        since = min(self.missing_since.get(path, now), now)
        self.missing_since[path] = since
        return now - since >= GRACE


def _absolute(path: str) -> str:
    """The path from the root. Without `..`, unless a link is before it: above that means above what it leads to."""
    plain = abspath(path)
    is_plain = pardir not in path.split(sep) or realpath(plain) == realpath(path)
    return plain if is_plain else join(getcwd(), path)
