"""What can go wrong, as types. A message says what happened, where (`file.py:LINE`) and what to do."""

from __future__ import annotations

from collections.abc import Callable


class BsreplError(Exception):
    """Base of every error that bsrepl raises on purpose."""

    #: Whether the message alone tells what to do, without the code that it came through.
    says_it_all = True

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """What IPython shows instead of a traceback through this package; it asks for it by this name."""
        if not self.says_it_all:
            raise AttributeError("_render_traceback_")
        return lambda: [f"{type(self).__name__}: {self}"]


class TimeLimit(BaseException):
    """Code took longer than it may. No `except Exception` of that code catches it."""

    __module__ = "builtins"  # Python prints the name alone


class MetadataError(BsreplError, TypeError):
    """A decorator was called in a way that cannot register anything."""


class WrongCall(BsreplError, TypeError):
    """A command was given something else than it takes; the message says what it takes, with an example."""


class MagicError(BsreplError, ValueError):
    """A magic was given something that it cannot use; the message says what it takes."""


class UnknownPlugin(BsreplError, KeyError):
    """A namespace was asked for a name that it does not hold; the message lists the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would quote the message


class UnavailablePlugin(BsreplError, ImportError):
    """A plugin is listed, but importing the module that defines it failed; the message says why, and where."""


class ModelNotFound(BsreplError, FileNotFoundError):
    """`load` was given neither the name of a sample model nor the path of a file."""


class SweepFailed(BsreplError, AssertionError):
    """`sweep(..., check=True)` had models that fail; the message has a line for each."""


class UnwritableFile(BsreplError, OSError):
    """A file cannot be written; the message says why. What was there is as it was."""


class NodeNotFound(BsreplError, LookupError):
    """A graph has no node of a name or of an op type; the message lists the nearest."""


class NoHistory(BsreplError, LookupError):
    """No command has changed a model so far, fewer have than were asked for, or it is no longer kept as it was."""


class DrawingError(BsreplError, ValueError):
    """A drawing was to be written into a file of another kind, or one that cannot be written."""


class UnreadableModel(BsreplError, ValueError):
    """What `load` was given is no model, or a part of it is missing."""


class UntrustedModel(BsreplError, PermissionError):
    """A model could run code of its own choice when it is transformed or executed."""


class RecordingError(BsreplError, FileExistsError):
    """`record` was given a file that is not a recording."""


class ReproductionError(BsreplError, ValueError):
    """A failure cannot be written down so that it shows without bsrepl, or there is none."""


class ExecutionFailed(BsreplError, RuntimeError):
    """A model cannot be executed, or executing it raised something; the message says what."""


class UnreadableInputs(BsreplError, ValueError):
    """Values for the inputs of a model were given in a form that cannot be understood, or in a file that is none."""


class TaskEnded(BsreplError, RuntimeError):
    """What ran in another process raised, crashed or reached a limit; the message says which.

    `is_late`: it reached its limit of time. `trace`: the traceback of what it raised.
    """

    def __init__(self, message: str, *, is_late: bool = False, trace: str = "") -> None:
        super().__init__(message)
        self.is_late = is_late
        self.trace = trace


class LessonError(BsreplError, ValueError):
    """A Markdown file is no lesson; the message says at which line of it."""


class MeasurementFailed(BsreplError, RuntimeError):
    """A process that was to be measured did not do what it was to do."""


class EndlessPass(BsreplError, RuntimeError):
    """The `apply` of a pass goes on asking to be called again."""

    says_it_all = False


class StepConfigError(BsreplError, ValueError):
    """A build step was not given an option that it cannot do without."""


class PluginFileError(BsreplError):
    """A plugin file cannot be read or counted: not a regular file, too large, undecodable, a name taken."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class UntrustedFile(PluginFileError):
    """Somebody besides the user and root could have changed a file, so it is not executed."""


class PluginWarning(UserWarning):
    """A slip in a plugin's metadata. It registers all the same."""


class Terminated(SystemExit):
    """A signal wants the process to end; `code` is the exit status that a shell gives to it: 128 and its number."""


class Left(SystemExit):
    """`exit()` was typed: the session ends, and what it was opened in goes on."""
