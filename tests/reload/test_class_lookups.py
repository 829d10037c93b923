"""What Python itself remembers of classes holds nothing, and is right after a class was replaced."""

from __future__ import annotations

from collections.abc import Sized
from types import ModuleType
from typing import Any

import pytest

from bsrepl.reload.follow.rebind import follow
from bsrepl.reload.follow.successors import Replaced

HEAD = "import abc, functools\nfrom collections.abc import Sized\n"
DISPATCH = "@functools.singledispatch\ndef f(x): return 'any'\n"
HOOK = "class P(abc.ABC):\n    @classmethod\n    def __subclasshook__(cls, other): return hasattr(other, 'go')\n"
ABSTRACT = "class P(abc.ABC): pass\n"
NO = "class A: pass\n"

#: The module before, the module after, what the session does, and what it asks afterwards and must hear.
ANSWERS = [
    (NO, "class A: go = 1", HOOK + "a = A(); isinstance(a, P)", "isinstance(a, P)", True),
    ("class A: go = 1", NO, HOOK + "a = A(); isinstance(a, P)", "isinstance(a, P)", False),
    (NO + "class C(A, abc.ABC): pass", "class A: go = 1\nclass C(A, abc.ABC): pass",
     HOOK + "class D(C): pass\nisinstance(D(), P)", "isinstance(D(), P)", True),
    ("class A(list): pass", "class A(dict): pass",
     DISPATCH + "f.register(list)(lambda x: 'list'); f(A())", "f(A())", "any"),
    ("class B: pass\nclass A(B): pass\nclass C(A): pass", "class B: pass\nclass A: pass\nclass C(A): pass",
     DISPATCH + "class D(C): pass\nf.register(B)(lambda x: 'B'); f(D())", "f(D())", "any"),
    (NO, NO, DISPATCH + "f.register(A)(lambda x: 'A'); f(A())", "f(A())", "A"),
    (DISPATCH, DISPATCH + "# edited", "class S: pass\nf.register(S)(lambda x: 'S')", "f(S())", "S"),
    (NO, NO, "library.f.register(A)(lambda x: 'A')", "library.f(A())", "A"),
    (NO, NO, ABSTRACT + "P.register(A)", "issubclass(A, P)", True),
    (ABSTRACT, ABSTRACT, "class S: pass\nP.register(S)", "issubclass(S, P)", True),
    (NO, NO, "import copy, copyreg; copyreg.pickle(A, lambda a: (str, ('reduced',)))", "copy.copy(A())", "reduced"),
    (NO, NO, "import weakref\nown = weakref.WeakKeyDictionary({A: 1}); clear = own.clear", "own.get(A)", 1),
]  # fmt: skip


class World:
    """A module that is replaced, and a session that took all its names."""

    def __init__(self, before: str, session: str) -> None:
        self.old = module(before)
        self.names: dict[str, Any] = {**vars(self.old), "__name__": "session", "library": module(DISPATCH)}
        exec(session, self.names)

    def replace(self, after: str) -> list[str]:
        """Returns what is told as stale."""
        followed = follow([Replaced(self.old, module(after))], lambda: {"": self.names}, lambda key: None)
        assert followed.error is None
        return [f"{stale.holder}: {stale.why}" for stale in followed.stale]


def module(code: str) -> ModuleType:
    made = ModuleType("replaced_in_a_test")
    exec(HEAD + code, vars(made))
    return made


@pytest.mark.parametrize(("before", "after", "session", "ask", "answer"), ANSWERS)
def test_python_answers_as_if_it_were_asked_for_the_first_time(
    before: str, after: str, session: str, ask: str, answer: object
) -> None:
    world = World(before, session)
    assert world.replace(after) == []
    assert eval(ask, world.names) == answer


def test_what_an_abstract_class_has_looked_at_is_not_held_by_it() -> None:
    world = World(NO + "class Gone: pass", ABSTRACT + "isinstance(Gone(), P); held = A(); gone = Gone(); del Gone")
    assert world.replace(NO) == ["gone: Gone was removed; this instance keeps the old code"]


def test_a_registration_that_nobody_repeats_is_told() -> None:
    world = World(NO, "Sized.register(A); del A")
    told = "Sized: A is no longer registered with it; if it should be, register it again"
    assert world.replace(NO) == [told]


def test_a_module_that_registers_its_own_classes_is_left_alone() -> None:
    code = NO + "Sized.register(A)"
    world = World(code, "")
    assert world.replace(code) == []
    assert issubclass(world.names["A"], Sized)


FLAGS = "import enum\nclass Color(enum.Flag):\n    RED = 1\n    BLUE = 2\n"


def test_combinations_of_flags_follow_as_long_as_the_flags_mean_the_same() -> None:
    world = World(FLAGS, "both, none = Color.RED | Color.BLUE, Color(0)")
    assert world.replace(FLAGS + "    GREEN = 4\n") == []
    color = world.names["Color"]
    assert world.names["both"] is color.RED | color.BLUE
    assert world.names["none"] is color(0)
    world = World(FLAGS, "both = Color.RED | Color.BLUE; del Color")
    assert len(world.replace(FLAGS.replace("2", "4"))) == 1
