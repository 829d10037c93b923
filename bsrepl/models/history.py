"""What commands did to the models of the session, and the models as they were before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import NoHistory
from ..text.columns import cut
from ..text.format import counted, duration
from ..text.styled import StyledSequence, Text
from .snapshots import Snapshot, Snapshots

if TYPE_CHECKING:
    from .held import ModelChange

AWAITED = "awaited"  # a verdict that comes later
_LONGEST = 36  # characters of a command
_MOST = 100  # commands that are kept for each model
_MOST_BYTES = 1 << 29  # that all models before them take


@dataclass
class Event:
    """What one command did to one model."""

    name: str  # what to type for the model
    command: str
    passes: tuple[str, ...]  # that the command names
    summary: str  # `11 -> 17 nodes, 2 rewrites`
    verdict: str  # in short, or AWAITED; empty if the models were not executed
    seconds: float  # that the command took
    snapshot: Snapshot | None  # the model before; None if it is not kept

    @property
    def before(self) -> Any:
        """The model before, as a copy. Raises NoHistory if it is not kept."""
        if self.snapshot is None:
            raise NoHistory(f"{self.name} as it was before {cut(self.command, _LONGEST)} is not kept")
        return self.snapshot.model()


class Log(StyledSequence[Event]):
    """The events of a model, the last one last. Prints as a table."""

    def rows(self) -> list[tuple[str, ...]]:
        """A row for each event: what to type for the model before, verdict, passes or command, changes, time."""
        later: Counter[str] = Counter()
        rows: list[tuple[str, ...]] = []
        for event in reversed(self._items):
            later[event.name] += 1
            count = f", {later[event.name]}" if later[event.name] > 1 else ""
            call = f'before("{event.name}"{count})' if event.snapshot is not None else "not kept"
            cause = cut(", ".join(event.passes) or event.command, _LONGEST)
            rows.append((call, event.verdict, cause, event.summary, duration(event.seconds)))
        return rows[::-1]

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import history_table

        return history_table(self, width, shows_time)

    def __repr__(self) -> str:
        return "\n".join("  ".join(filter(None, row)) for row in self.rows())


class History:
    """Keeps what commands did to models, and the models before. `names` is the namespace of the session."""

    def __init__(self, names: Mapping[str, Any], snapshots: Snapshots) -> None:
        self._names = names
        self._events: list[Event] = []
        self._snapshots = snapshots

    def note(self, command: str, outcomes: Iterable[tuple[ModelChange, str]], seconds: float) -> None:
        """Keeps what a command did, with the verdicts in short. The oldest models are given up first."""
        from ..graphdiff.words import headline, in_short

        for change, verdict in outcomes:
            difference = change.difference
            if not (difference or difference.is_renamed_only):
                continue
            fits = change.before is not None and difference.old.parameter_bytes <= _MOST_BYTES
            before = self._snapshots.take(change.before, difference.old) if fits else None
            summary = in_short(difference) or headline(difference)
            line = " ".join(command.split())
            self._events.append(Event(change.name, line, change.passes, summary, verdict, seconds, before))
        self._limit()

    def settle(self, name: str, verdict: str) -> None:
        """Keeps a verdict that came after its command: of the first change of a model whose verdict is awaited."""
        for event in self._events:
            if event.name == name and event.verdict == AWAITED:
                event.verdict = verdict
                break

    def log(self, model: Any = None) -> Log:
        """The log of a model, given by its name or itself, or of all: a row for each command that changed it.

        It iterates over the events, whose `before` is the model before the command. Raises NoHistory if there are none.
        """
        names = None if model is None else self._names_of(model)
        events = [event for event in self._events if names is None or event.name in names]
        if not events:
            others = ", ".join(dict.fromkeys(event.name for event in self._events))
            what = "a model" if names is None else " or ".join(names)
            raise NoHistory(f"no command has changed {what} so far{f'; changed were: {others}' if others else ''}")
        return Log(events)

    def before(self, model: Any, commands: int = 1) -> Any:
        """A model as it was before the last command that changed it, or before the last few.

        Raises NoHistory if fewer commands have changed it, or it is not kept.
        """
        log = self.log(model)
        if not 1 <= commands <= len(log):
            few = "give 1" if len(log) == 1 else f"give a number from 1 to {len(log)}"
            raise NoHistory(f"{counted(len(log), 'command')} changed {log[-1].name} so far; {few}")
        return log[-commands].before

    def named(self, model: Any) -> Any:
        """The model that a name of the session holds; anything else as it is."""
        return self._names.get(model, model) if isinstance(model, str) else model

    def _names_of(self, model: Any) -> list[str]:
        if isinstance(model, str):
            return [model]
        names = [name for name, value in self._names.items() if value is model and not name.startswith("_")]
        if not names:
            raise NoHistory('no name of the session holds this model; give the name, as in before("m")')
        return names

    def _limit(self) -> None:
        kept: dict[str, int] = {}
        sizes: dict[int, int] = {}
        events = []
        for event in reversed(self._events):
            kept[event.name] = kept.get(event.name, 0) + 1
            if kept[event.name] > _MOST:
                continue
            events.append(event)
            if event.snapshot is not None:
                sizes |= event.snapshot.parts()
                if sum(sizes.values()) > _MOST_BYTES:
                    event.snapshot = None
        self._events = events[::-1]
