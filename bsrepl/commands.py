"""The commands that are preloaded in the shell. Each prints for people; what it knows comes from the modules below."""

from __future__ import annotations

from collections.abc import Callable
from os.path import basename
from pathlib import Path
from typing import Any

from . import details, render
from .analyses import inference_cost, range_analysis
from .changes import between
from .counted import counted
from .installed import Installed
from .namespaces import Listing, Namespace
from .plugin import Plugin
from .recording import Recording
from .registry import Registry
from .reload import Reloader
from .terminal import Terminal
from .workbench import Workbench, load


class Commands:
    """The commands on a registry and its plugin files; `all` has them by the name to type."""

    def __init__(
        self,
        registry: Registry,
        reloader: Reloader,
        installed: Installed,
        workbench: Workbench,
        out: Terminal,
        retry: Callable[[], bool],
    ) -> None:
        self._registry = registry
        self._reloader = reloader
        self._installed = installed
        self._workbench = workbench
        self._out = out
        self._retry = retry
        self._start = registry.snapshot
        self.last_error = ""  # the whole traceback of what a command raised last
        self.recording = Recording()
        self.all: dict[str, Callable[..., Any]] = {
            "show": self.show,
            "source": self.source,
            "changes": self.changes,
            "errors": self.errors,
            "retry": self.retry,
            "watching": self.watching,
            "status": self.status,
            "frameworks": self.frameworks,
            "load": load,
            "verify": workbench.verify,
            "trace": workbench.trace,
            "watch": workbench.watch,
            "passes": workbench.passes,
            "reproduce": self.reproduce,
            "inference_cost": inference_cost,
            "range_analysis": range_analysis,
            "record": self.record,
            "help": self.help,
        }

    def show(self, thing: Any) -> None:
        """Prints what is known of a plugin, by itself or by its name, or of any object. `x?` is `show(x)`."""
        if isinstance(thing, (Namespace, Listing)):
            self._out.write(render.listing(thing.all() if isinstance(thing, Namespace) else thing, self._out.width))
            return
        thing, plugin = self._found(thing)
        self._out.write(render.fields(details.fields(thing, plugin, self._registry.snapshot), self._out.width))
        if doc := details.docstring(thing):
            self._out.write([("", "\n"), *[("", f"  {line}".rstrip() + "\n") for line in doc.splitlines()]])

    def source(self, thing: Any) -> None:
        """Prints the source of a plugin, by itself or by its name, or of a class or function. `x??` is `source(x)`."""
        thing, plugin = self._found(thing)
        found = details.source(thing, plugin)
        if found is None:
            self._out.write(
                [("warning", f"no source is known of {getattr(thing, '__name__', type(thing).__name__)}\n")]
            )
        else:
            self._out.write_source(found if found.endswith("\n") else found + "\n")

    def changes(self) -> None:
        """Prints the changes of the registry since the start."""
        found = between(self._start, self._registry.snapshot)
        if not found:
            self._out.write([("dim", "no change since the start\n")])
            return
        self._out.write(render.change_lines(found, self._out.width))
        self._out.write(render.counts(self._start, self._registry.snapshot, self._out.width))

    def errors(self) -> None:
        """Prints the last command's error and the failures of plugin files again, each with its whole traceback."""
        if self.last_error:
            self._out.write_traceback(self.last_error)
        if not self._reloader.failures:
            self._out.write([("dim", "no plugin file fails\n")])
        for failed in self._reloader.failures.values():
            self._out.write(render.failure(failed, self._out.width))
            self._out.write_traceback(failed.trace)

    def retry(self) -> None:
        """Executes the plugin files that failed again, as they are: for when the cause was not in the file."""
        if not self._reloader.failures:
            self._out.write([("dim", "no plugin file fails\n")])
        elif not self._retry():
            self._out.write([("warning", "the same failure again; errors() tells it\n")])

    def watching(self) -> None:
        """Prints the files that are watched: plugin files, and the helpers that they import."""
        reloader = self._reloader
        rows = []
        for path in reloader.plugin_files:
            loaded = reloader.loaded.get(path)
            count = len(loaded.plugins) if loaded else 0
            state = "failed" if path in reloader.failures else counted(count, "plugin")
            rows.append((path, state))
        rows += [(path, "helper") for path in reloader.helpers]
        if not rows:
            self._out.write([("dim", "no file is watched; start with bsrepl PATH\n")])
        for path, state in rows:
            self._out.write([("path", path), ("", f"  {state}\n")])

    def status(self) -> None:
        """Prints the counts and how they changed since the start, the files, and what fails."""
        self._out.write(render.counts(self._start, self._registry.snapshot, self._out.width))
        files, helpers = self._reloader.plugin_files, self._reloader.helpers
        self._out.write([("", f"  {len(files)} plugin files, {len(helpers)} helpers watched\n")])
        for path, failed in self._reloader.failures.items():
            self._out.write([("error", f"  {basename(path)} failed"), ("", f"  {failed.place}  {failed.error}\n")])

    def frameworks(self) -> None:
        """Prints the frameworks: which version was found where, how much it brings, what is unavailable and why."""
        for each in self._installed.report():
            self._out.write(render.framework(each, self._out.width))

    def record(self, path: str) -> None:
        """Writes the session so far into a file that runs, with what was printed as comments.

        Raises RecordingError if the file exists and is no recording.
        """
        written = Path(path).expanduser()
        count = self.recording.write(written)
        self._out.write([("added", f"{written} has the session"), ("", f": {counted(count, 'command')}\n")])

    def reproduce(self, folder: str) -> None:
        """Writes the last failure of a pass, or the last difference, into a folder, with a script that shows it.

        The model, the inputs and the sources of the passes are in it; the script needs nothing but QONNX. Raises
        ReproductionError if there is none, it cannot be written down, or the folder has something else in it.
        """
        script = self._workbench.reproduce(folder)
        self._out.write([("added", f"{script} shows it"), ("", f": python {script}\n")])

    def help(self, thing: Any = None) -> None:
        """Prints what the shell preloads; with an argument, Python's own help on it."""
        if thing is not None:
            import pydoc

            pydoc.help(thing)
            return
        self._out.write(render.help_page({name: _first_line(command) for name, command in self.all.items()}))

    def _found(self, thing: Any) -> tuple[Any, Plugin | None]:
        """The object to tell about and the plugin that it is; a string that names a plugin means that."""
        plugin = details.plugin_of(thing, self._registry.snapshot)
        return (plugin.load() if plugin is not None else thing), plugin


def _first_line(command: Callable[..., Any]) -> str:
    return (command.__doc__ or "").strip().splitlines()[0]
