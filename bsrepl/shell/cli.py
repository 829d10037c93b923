"""The command line."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ..errors import LessonError, PluginFileError, TimeLimit
from ..models.process.executor import Executor
from ..registry.store import registry
from ..reload import report as reload_report
from ..reload.files.signatures import read_once
from ..reload.imports.development import Development, unknown_package
from ..teach import lesson_text, tour
from ..teach.recording import LESSON
from ..teach.time_limit import limited
from ..text.styled import headed
from ..text.terminal import Terminal, wants_color
from . import about, assembly, check, comparison, places, starter, streams
from .console import Console
from .options import parsed
from .settings import Settings

_MODEL = ".onnx"  # what the name of a model's file ends with
_USAGE_ERROR = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs bsrepl. Returns the exit status."""
    streams.ensure_streams()
    return streams.status_of(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = parsed(arguments)
    if options.version or options.report:
        print(about.report(places.config_file(), places.error_file()) if options.report else about.versions())
        return 0
    _ensure_current_folder()
    out = Terminal(sys.stdout, wants_color(options.color, sys.stdout))
    err = Terminal(sys.stderr, wants_color(options.color, sys.stderr))
    plays = options.tour and options.auto
    is_script = options.code is not None or options.check or options.diff or plays or not sys.stdin.isatty()
    try:
        _ensure_packages(options.dev)
        _prepare(options.paths, err if is_script else out, is_check=options.check, is_script=is_script)
    except (OSError, ValueError) as error:
        print(f"bsrepl: {error}", file=sys.stderr)
        return _USAGE_ERROR

    with closing(Executor()) as executor:
        return _run(options, executor, out, err, is_script=is_script, plays=plays)


def _run(
    options: argparse.Namespace, executor: Executor, out: Terminal, err: Terminal, *, is_script: bool, plays: bool
) -> int:
    console = assembly.console(
        registry,
        [path for path in options.paths if not path.endswith((LESSON, _MODEL))],
        out,
        err,
        executor,
        _settings(options),
    )
    console.session.install()
    if options.check:
        return _check(console, options)
    if plays:
        return _play(console, options.speed)
    status = 0
    if is_script:
        err.write(reload_report.problems(console.reloader.refresh(), err.width) + console.notes())
        if options.diff:
            return _compare(console, options)
        if status := _run_script(console, "\n".join(_opening(options.paths)), "<command line>"):
            return status
        try:
            text = streams.script() if options.code is None else options.code
        except ValueError as error:
            print(f"bsrepl: {error}", file=sys.stderr)
            return 1
        status = _run_script(console, text, "<stdin>" if options.code is None else "<string>")
        err.write(console.notes())
        if not (options.interactive and sys.stdin.isatty()):
            return status
    return _converse(console, options)


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        shows_time=not options.no_timing,
        trusting=options.trust,
        plain_qonnx=options.plain_qonnx,
        index_file=places.index_file(),
        keep_error=lambda error: about.keep(error, places.error_file()),
        development=Development(options.dev, not options.no_dev, options.trust),
    )


def _opening(paths: Sequence[str]) -> list[str]:
    """The commands that open the models of the command line: as `m`, `m2` and so on."""
    models = [path for path in paths if path.endswith(_MODEL)]
    return [f"m{number if number > 1 else ''} = load({path!r})" for number, path in enumerate(models, 1)]


def _compare(console: Console, options: argparse.Namespace) -> int:
    try:
        return comparison.run(console.session.namespace["diff"], options, console.out)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _ensure_current_folder() -> None:
    """A session can begin in a folder that was deleted meanwhile: it then works in the user's own, or in the root."""
    try:
        os.getcwd()
    except FileNotFoundError:
        folder = Path.home() if Path.home().is_dir() else Path("/")
        os.chdir(folder)
        print(f"bsrepl: the current folder was deleted; working in {folder}", file=sys.stderr)


def _converse(console: Console, options: argparse.Namespace) -> int:
    gc.disable()  # what is imported now stays: looking for garbage in it would cost a tenth of the time
    from .prompt.quick_import import import_ptpython

    import_ptpython()
    from .prompt import history
    from .prompt.config_file import configure
    from .prompt.keyboard import Keyboard
    from .prompt.repl import Shell  # only now: a script has no use for ptpython

    gc.enable()
    if not options.quiet:
        console.greet()
    keyboard = Keyboard()
    commands = history.open_history(
        places.history_file(), lambda message: console.out.write([("warning", f"{message}\n")])
    )
    shell = Shell(console, interval=options.interval, color=console.out.color, history=commands, keyboard=keyboard)
    configure(shell, places.config_file(), trusting=options.trust)
    try:
        if options.tour:
            console.tour()
        _open(console, options.paths)
        _run_startup_file(console, os.environ.get("PYTHONSTARTUP", ""), options.trust)
        shell.run()
    except SystemExit as left:
        return _exit_status(left)
    finally:
        console.tour.quit()  # its files go with the shell
    return 0


def _open(console: Console, paths: Sequence[str]) -> None:
    """Opens the models of the command line, as if typed, and begins its lesson."""
    for command in _opening(paths):
        console.out.write([("bold", f">>> {command}\n")])
        console.run(command)
    try:
        for path in paths:
            if path.endswith(LESSON):
                console.tour.lesson(path)
    except LessonError as error:
        console.tell_error(error)


def _run_startup_file(console: Console, path: str, trusting: bool) -> None:
    """Runs the file that PYTHONSTARTUP names, as Python does before its first prompt."""
    if not path:
        return
    try:
        console.session.run_script(read_once(path, trusted=trusting).decode("utf-8"), path)
    except (OSError, PluginFileError) as error:
        console.err.write([("warning", f"PYTHONSTARTUP: {error}\n")])
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        console.tell_error(error)


def _run_script(console: Console, text: str, filename: str) -> int:
    try:
        console.session.run_script(text, filename)
    except SystemExit as left:
        return _exit_status(left)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has gone; Python would complain about it at exit
        return 1
    except BaseException as error:
        console.tell_error(error)
        return 1
    return 0


def _play(console: Console, speed: float) -> int:
    """Plays the tour. Returns 1 if a step of it did not do what it should."""
    lesson = tour.own()
    console.look()
    try:
        problems = console.play(lesson, lambda seconds: time.sleep(seconds / speed) if speed else None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    console.out.write(lesson_text.check_report(lesson, problems, console.out.width))
    return 1 if problems else 0


def _check(console: Console, options: argparse.Namespace) -> int:
    """Loads the plugin files and plays the lessons, quietly, and reports. Returns 1 if anything fails."""
    try:
        with limited(options.limit):
            report = console.reloader.refresh()
    except TimeLimit as error:
        print(f"bsrepl: the plugin files: {error}", file=sys.stderr)
        return 1
    lessons = [_played(console, path, options) for path in options.paths if path.endswith(LESSON)]
    if options.json:
        print(check.as_json(console.reloader, report, lessons))
    else:
        console.out.write(check.as_text(console.reloader, report, lessons, console.out.width) + console.notes())
    return 0 if check.is_ok(console.reloader, lessons) else 1


def _played(console: Console, path: str, options: argparse.Namespace) -> check.Played:
    try:
        lesson = tour.read_lesson(path, trusting=options.trust)
    except LessonError as error:
        return check.Played(path, None, error=str(error))
    with console.quiet():
        return check.Played(path, lesson, console.play(lesson, lambda seconds: None, options.limit))


def _exit_status(left: SystemExit) -> int:
    if left.code is None or isinstance(left.code, int):
        return left.code or 0
    print(left.code, file=sys.stderr)
    return 1


def _ensure_packages(names: Sequence[str]) -> None:
    """Raises ValueError for a package to follow that cannot be imported."""
    for name in names:
        if (problem := unknown_package(name)) is not None:
            raise ValueError(f"--dev {name}: {problem}")


def _prepare(paths: Sequence[str], terminal: Terminal, *, is_check: bool, is_script: bool) -> None:
    """Writes the starter files.

    Raises ValueError for a path that cannot hold plugins, a model or a lesson, OSError if writing fails.
    """
    if "" in paths:  # a variable of a shell that is not set; as a path it would be the current folder
        raise ValueError("a PATH is empty; . is the current folder")
    for path in map(Path, paths):
        if path.is_dir():
            continue
        if path.suffix in (LESSON, _MODEL):
            if not path.is_file():
                raise ValueError(f"no {'lesson' if path.suffix == LESSON else 'model'} {path}")
            if path.suffix == _MODEL and is_check:
                raise ValueError(f"{path} is a model, and --check takes plugin files and lessons; --diff takes models")
            if path.suffix == LESSON and is_script and not is_check:
                raise ValueError(f"{path} is a lesson, which needs a terminal; bsrepl {path} --check plays it")
            continue
        if path.suffix != ".py":
            raise ValueError(f"{path} is neither a folder nor a .py, .onnx or .md file")
        if starter.create(path):
            what = "a starter file with examples to uncomment"
            terminal.write(headed("added", f"{path} is new:", what, terminal.width))
