"""Builds a console: every part is made here, and handed to those that need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..frameworks.brainsmith.installed import InstalledBrainsmith
from ..frameworks.brainsmith.stand_in import BrainsmithImporter
from ..frameworks.catalogue import Installed
from ..frameworks.qonnx.acceleration import Acceleration
from ..models.history import History
from ..models.last_failure import LastFailure
from ..models.process.executor import Executor
from ..models.process.prover import Prover
from ..models.snapshots import Snapshots
from ..models.unasked import UnaskedProofs
from ..models.workbench import Workbench
from ..registry.namespaces import steps, tfm
from ..registry.plugin import NAMESPACES, Lazy
from ..registry.store import Registry
from ..reload.hints import hint
from ..reload.reloader import Reloader
from ..reload.sources import Source
from ..session.evaluation import Evaluator
from ..session.session import Session
from ..teach.board import Board
from ..text.styled import progress
from ..text.terminal import Terminal
from . import worker
from .commands import Commands
from .console import Console
from .error_output import ErrorOutput
from .looking import Looking
from .preloaded import PRELOADED
from .settings import Settings
from .sweeping import Sweeping

_PLAIN = (bool, int, float, complex, str, bytes)  # types of values that another process is given


def console(
    registry: Registry, paths: Iterable[str], out: Terminal, err: Terminal, executor: Executor, settings: Settings
) -> Console:
    """A console for plugin files and folders of them, which prints on `out` and `err`.

    `executor` executes models in another process. `Console.close` takes out of the process what this puts into it.
    """

    def take_notes() -> list[str]:
        return [*stand_in.take_notes(), *reloader.take_notes()]

    def show_progress(done: int, total: int, name: str) -> None:
        out.write_over(progress(done, total, name, out.width))

    adopt = partial(InstalledBrainsmith().adopt, registry)
    reloader = Reloader(
        registry, paths, PRELOADED, settings.now, hint=lambda error: hint(error, registry.snapshot), adopt=adopt,
        trusting=settings.trusting, development=settings.development,
    )  # fmt: skip
    installed = Installed(registry, settings.index_file)
    reloader.follow_listings(installed)
    stand_in = BrainsmithImporter()
    stand_in.install()
    session = Session(PRELOADED, settings.module)
    failure = LastFailure(partial(_source_of, reloader, session), partial(_importable, registry))
    workbench = _workbench(registry, reloader, session, executor, failure, settings.clock, show_progress)
    board = Board(registry, reloader, settings.now)
    errors = ErrorOutput(err, registry, settings.keep_error)
    looking = Looking(
        reloader, session.namespace, workbench, board, out, take_notes, settings.clock, settings.thaw,
        settings.shows_time,
    )  # fmt: skip
    snapshots = Snapshots()
    history = History(session.namespace, snapshots)
    proofs = UnaskedProofs(workbench, failure)
    acceleration = Acceleration(is_on=not settings.plain_qonnx)
    evaluator = Evaluator(session, registry, failure, proofs, acceleration, snapshots, adopt, settings.clock)
    built = Console(
        registry, reloader, session, evaluator, looking, proofs, history, board, errors, out, err,
        notes=take_notes, trusting=settings.trusting, on_close=(stand_in.uninstall, proofs.close),
    )  # fmt: skip
    live_code = partial(_live_code, reloader, session)
    sweeping = Sweeping(live_code, partial(_named, registry), show_progress)
    commands = Commands(
        registry, reloader, installed, acceleration, workbench, history, board, built.recording, sweeping,
        built.tour.lesson, errors, looking, out, show_progress,
    )  # fmt: skip
    session.provide({**commands.all, "tour": built.tour})
    session.start_workers_with(worker.__name__, worker.Arguments(live_code))
    return built


def _workbench(
    registry: Registry,
    reloader: Reloader,
    session: Session,
    executor: Executor,
    failure: LastFailure,
    clock: Callable[[], float],
    progress: Callable[[int, int, str], None],
) -> Workbench:
    return Workbench(
        clock,
        Prover(executor, partial(_preparation, registry, reloader, session)),
        failure,
        named=partial(_named, registry),
        held=lambda: {name: value for name, value in session.namespace.items() if name[0] != "_"},
        transforms=lambda: registry.snapshot.find("transform"),
        progress=progress,
    )


def _live_code(reloader: Reloader, session: Session) -> worker.LiveCode:
    reloader.adopt_imports()
    followed = reloader.package_modules.items()
    alone = {
        path: module for path, module in followed if "." not in module.__name__ and not hasattr(module, "__path__")
    }
    modules = {**reloader.modules, **alone, **reloader.unlike_disk}
    sources = {path: reloader.live_source(path) for path in modules}
    names = {path: module.__name__ for path, module in modules.items()}
    return worker.LiveCode(sources, names, list(reloader.unlike_disk), session.definitions())


def _preparation(
    registry: Registry, reloader: Reloader, session: Session, ops: list[tuple[str, str]]
) -> Callable[[], object]:
    """What makes custom ops of this session known in another process."""
    kernels = (plugin for kind in ("kernel", "backend") for plugin in registry.snapshot.plugins(kind))
    loaded = {plugin.module for plugin in kernels if not isinstance(plugin.target, Lazy)}
    modules = sorted(loaded - {"__main__"})
    live = _live_code(reloader, session)
    values = {name: value for name, value in session.namespace.items() if type(value) in _PLAIN and name[0] != "_"}
    return partial(worker.provide, live, values, modules, ops)


def _named(registry: Registry, name: str) -> Any:
    """The transform, or the step, of a name. Raises UnknownPlugin with the nearest names."""
    is_step = registry.snapshot.get("transform", name) is None and registry.snapshot.get("step", name) is not None
    return (steps if is_step else tfm)[name]


def _source_of(reloader: Reloader, session: Session, module: str) -> Source | None:
    """The source of a module that is not installed: a plugin file, or what commands defined."""
    if module == "__main__":
        return Source("session.py", {"session.py": session.definitions().encode()})
    return reloader.source_of(module)


def _importable(registry: Registry, namespace: str, name: str) -> tuple[str, str] | None:
    """The module of a plugin and its name there."""
    kind = next(kind for kind, typed in NAMESPACES.items() if typed == namespace)
    plugin = registry.snapshot.get(kind, name)
    if plugin is None:
        return None
    attribute = plugin.target.attribute if isinstance(plugin.target, Lazy) else plugin.target.__qualname__
    return plugin.module, attribute
