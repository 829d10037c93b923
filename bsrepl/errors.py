"""What can go wrong, as types. A message says what happened, where (`file.py:LINE`) and what to do."""

from __future__ import annotations


class BsreplError(Exception):
    """Base of every error that bsrepl raises on purpose."""


class MetadataError(BsreplError, TypeError):
    """A decorator was called in a way that cannot register anything."""


class UnknownPlugin(BsreplError, KeyError):
    """A namespace was asked for a name that it does not hold; the message lists the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would quote the message


class UnavailablePlugin(BsreplError, ImportError):
    """A plugin is listed, but importing the module that defines it failed; the message says why, and where."""

    says_it_all = True


class ModelNotFound(BsreplError, FileNotFoundError):
    """`load` was given neither the name of a sample model nor the path of a file."""

    says_it_all = True

    def __str__(self) -> str:
        return str(self.args[0])


class NodeNotFound(BsreplError, LookupError):
    """A graph has no node of a name or of an op type; the message lists the nearest."""

    says_it_all = True


class NoHistory(BsreplError, LookupError):
    """No command has changed a model so far, fewer have than were asked for, or it is no longer kept as it was."""

    says_it_all = True


class UnreadableModel(BsreplError, ValueError):
    """What `load` was given is no model, or a part of it is missing."""

    says_it_all = True


class UntrustedModel(BsreplError, PermissionError):
    """A model could run code of its own choice when it is transformed or executed."""

    says_it_all = True

    def __str__(self) -> str:
        return str(self.args[0])


class RecordingError(BsreplError, FileExistsError):
    """`record` was given a file that is not a recording."""

    def __str__(self) -> str:
        return str(self.args[0])


class ReproductionError(BsreplError, ValueError):
    """A failure cannot be written down so that it shows without bsrepl, or there is none."""

    says_it_all = True


class ExecutionFailed(BsreplError, RuntimeError):
    """A model cannot be executed, or executing it raised something; the message says what."""

    says_it_all = True


class LessonError(BsreplError, ValueError):
    """A Markdown file is no lesson; the message says at which line of it."""

    says_it_all = True


class MeasurementFailed(BsreplError, RuntimeError):
    """A process that was to be measured did not do what it was to do."""

    says_it_all = True


class EndlessPass(BsreplError, RuntimeError):
    """The `apply` of a pass goes on asking to be called again."""


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
