"""Nothing is silently old: whatever is reached and was replaced has followed, or is named with the way to it."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from ..conftest import Screen

PLUGIN = """\
import enum, functools, typing

@transform
class A:
    def apply(self, model):
        return model, False
    def version(self):
        return VERSION
    @staticmethod
    def fixed():
        return VERSION
    @classmethod
    def called(cls):
        return cls, VERSION
    class Inner:
        def version(self):
            return VERSION

def answer():
    return VERSION

@functools.lru_cache
def cached():
    return VERSION
step(cached, name="cached")

def named(number):
    class Made:
        def version(self):
            return VERSION
    Made.__name__ = f"Made{number}"
    return Made

MADE = [named(number) for number in range(3)]
for made in MADE:
    kernel(made)
part = functools.partial(answer)
CFG = A()

class Color(enum.Enum):
    RED = 1

class Pair(typing.NamedTuple):
    left: object
    right: object

def waits(done):
    done.wait(9)

def outer():
    def inner():
        return VERSION
    return inner

def counting():
    while True:
        yield VERSION
"""

#: What the plugin file of another plugin holds of it, without importing it: it is not executed again.
OTHER = """\
PIPE = (tfm.A,)
def go(t=tfm.A):
    return t
class Keeps:
    T = tfm.A
"""


@pytest.fixture
def plugin(screen: Screen, tmp_path: Path) -> Path:
    path = tmp_path / "plugins" / "a_plugin.py"
    path.write_text(PLUGIN.replace("VERSION", "1"))
    screen.type("0")
    path.with_name("other.py").write_text(OTHER)
    screen.type(
        "import a_plugin as p, other, types, functools, collections, weakref, contextvars, typing, numpy, operator"
    )
    screen.type("class Box: pass")
    screen.type("class Slots: __slots__ = ('t', '__weakref__')")
    return path


#: How something is held -> what gets it back, to be compared with the live one.
FOLLOWS = [
    ("o = Box(); o.t = tfm.A", "o.t is tfm.A"),
    ("o = Box(); o.a = Box(); o.a.b = [Box()]; o.a.b[0].t = tfm.A", "o.a.b[0].t is tfm.A"),
    ("m = load('mnist-conv'); m.t = tfm.A", "m.t is tfm.A"),
    ("o = types.SimpleNamespace(t=tfm.A)", "o.t is tfm.A"),
    ("o = Slots(); o.t = tfm.A", "o.t is tfm.A"),
    ("class M: T = tfm.A", "M.T is tfm.A and vars(M)['T'] is tfm.A"),
    ("class M: T = (1, [tfm.A])", "M.T[1][0] is tfm.A"),
    ("class M: T = (1, tfm.A)", "M.T[1] is tfm.A"),
    ("class M: run = staticmethod(tfm.A.version)", "M.run(0) == 2"),
    ("class M: run = property(tfm.A.version)", "M().run == 2"),
    ("class M:\n    x: tfm.A", "M.__annotations__['x'] is tfm.A"),
    ("class M(tfm.A): pass", "M().version() == 2"),
    ("class M(tfm.A): pass\nm = M()", "m.version() == 2 and isinstance(m, tfm.A)"),
    ("class Meta(type): pass\nclass M(metaclass=Meta): T = tfm.A", "M.T is tfm.A"),
    ("def f(t=tfm.A): return t", "f() is tfm.A"),
    ("def f(*, t=tfm.A): return t", "f() is tfm.A"),
    ("def f(t=(tfm.A, 1)): return t[0]", "f() is tfm.A"),
    ("def f(t: tfm.A): pass", "f.__annotations__['t'] is tfm.A"),
    ("def f(): pass\nf.t = tfm.A", "f.t is tfm.A"),
    ("def make(t):\n    def f(): return t\n    return f\nf = make(tfm.A)", "f() is tfm.A"),
    ("def make(t):\n    def f(): return t\n    return f\nf = make((tfm.A,))", "f()[0] is tfm.A"),
    ("f = lambda t=tfm.A: t", "f() is tfm.A"),
    ("t = (tfm.A,)", "t[0] is tfm.A"),
    ("t = [(tfm.A, 1)]", "t[0][0] is tfm.A"),
    ("t = (tfm.A,)\nfor _ in range(5000): t = (t,)", "functools.reduce(lambda x, _: x[0], range(5001), t) is tfm.A"),
    ("t = [[((tfm.A,), 1)]]", "t[0][0][0][0] is tfm.A"),
    ("t = {tfm.A}", "t == {tfm.A}"),
    ("t = frozenset([tfm.A])", "t == {tfm.A}"),
    ("t = [frozenset([(tfm.A,)])]", "t[0] == {(tfm.A,)}"),
    ("t = {1: tfm.A, tfm.A: 2, 3: 4}", "list(t.items()) == [(1, tfm.A), (tfm.A, 2), (3, 4)]"),
    ("t = {(tfm.A, 1): 2}", "list(t) == [(tfm.A, 1)]"),
    ("t = collections.OrderedDict([(tfm.A, 1), (2, tfm.A)])", "list(t.items()) == [(tfm.A, 1), (2, tfm.A)]"),
    ("t = collections.defaultdict(tfm.A, {1: tfm.A})", "t[1] is t.default_factory is tfm.A"),
    ("t = collections.Counter([tfm.A])", "t[tfm.A] == 1"),
    ("t = collections.ChainMap({1: tfm.A})", "t[1] is tfm.A"),
    ("t = collections.deque([tfm.A, 1])", "t[0] is tfm.A"),
    ("class D(dict): pass\nt = D(a=tfm.A)", "t['a'] is tfm.A"),
    ("class L(list): pass\nt = L([tfm.A])", "t[0] is tfm.A"),
    ("class S(set): pass\nt = S([tfm.A])", "t == {tfm.A}"),
    ("class T(tuple): pass\nt = T([tfm.A]); t.x = 5", "t[0] is tfm.A and t.x == 5 and type(t) is T"),
    ("P = collections.namedtuple('P', 'x y'); t = P(tfm.A, 1)", "t.x is tfm.A and type(t) is P"),
    ("t = types.MappingProxyType({'a': tfm.A})", "t['a'] is tfm.A"),
    ("t = numpy.array([tfm.A, 1], dtype=object)", "t[0] is tfm.A"),
    ("t = [numpy.array([[tfm.A], [1]], dtype=object)]", "t[0][0, 0] is tfm.A"),
    ("t = weakref.ref(tfm.A)", "t() is tfm.A"),
    ("t = weakref.WeakSet([tfm.A])", "list(t) == [tfm.A]"),
    ("t = weakref.WeakKeyDictionary({tfm.A: 1})", "t[tfm.A] == 1"),
    ("t = weakref.WeakValueDictionary(a=tfm.A)", "t['a'] is tfm.A"),
    ("t = contextvars.ContextVar('t'); _ = t.set(tfm.A)", "t.get() is tfm.A"),
    ("import threading\nt = threading.local(); t.x = tfm.A", "t.x is tfm.A"),
    ("t = typing.Optional[tfm.A]", "t == typing.Optional[tfm.A] and t.__args__[0] is tfm.A"),
    ("t = tfm.A | None", "t.__args__[0] is tfm.A"),
    ("t = list[tfm.A]", "t == list[tfm.A]"),
    ("t = typing.Callable[[tfm.A], int]", "t == typing.Callable[[tfm.A], int]"),
    ("t = tfm.A.version", "t(0) == 2"),
    ("t = tfm.A.fixed", "t() == 2"),
    ("t = tfm.A.called", "t() == (tfm.A, 2)"),
    ("t = tfm.A().version", "t() == 2"),
    ("t = [tfm.A().version]", "t[0]() == 2"),
    ("t = operator.methodcaller('version'); a = tfm.A()", "t(a) == 2"),
    ("t = functools.partial(tfm.A.version, 0)", "t() == 2"),
    ("t = functools.partial(print, tfm.A)", "t.args[0] is tfm.A"),
    ("t = functools.partial(print, end=tfm.A)", "t.keywords['end'] is tfm.A"),
    ("t = tfm.find('A')", "list(t)[0] is tfm.A"),
    ("t = [tfm.all()]", "tfm.A in t[0]"),
    ("from a_plugin import CFG", "CFG is p.CFG"),
    ("from a_plugin import answer", "answer() == 2"),
    ("from a_plugin import cached", "cached is steps.cached and cached() == 2"),
    ("from a_plugin import part", "part is p.part and part() == 2"),
    ("from a_plugin import MADE", "MADE[0] is kernels.Made0"),
    ("t = kernels.Made1", "t is kernels.Made1 and t().version() == 2"),
    ("t = kernels.Made1()", "type(t) is kernels.Made1"),
    ("t = tfm.A.Inner", "t is tfm.A.Inner"),
    ("t = tfm.A.Inner()", "t.version() == 2"),
    ("t = p.Color.RED", "t is p.Color.RED"),
    ("t = {p.Color.RED: 1}", "t == {p.Color.RED: 1}"),
    ("t = p.Pair(tfm.A, 1)", "type(t) is p.Pair and t.left is tfm.A"),
    ("t = p", "t is p and t.answer() == 2"),
    ("o = Box(); o.p = p", "o.p.answer() == 2"),
    ("t = vars(p)", "t is vars(p)"),
    ("import colorsys; colorsys.held_in_a_test = tfm.A", "colorsys.held_in_a_test is tfm.A"),
    ("0", "other.PIPE[0] is tfm.A"),
    ("0", "other.go() is tfm.A"),
    ("0", "other.Keeps.T is tfm.A"),
    ("from other import PIPE", "PIPE[0] is tfm.A"),
    ("try:\n    raise ValueError(tfm.A)\nexcept ValueError as e: t = e", "t.args[0] is tfm.A"),
    ("o = Box(); t = weakref.finalize(o, p.answer)", "t() == 2"),
    ("o = Box(); t = weakref.finalize(o, print, tfm.A)", "t.peek()[2][0] is tfm.A"),
    ("t = weakref.finalize(tfm.A, print)", "t.peek()[0] is tfm.A and t.detach() is not None"),
    ("a = tfm.A(); t = weakref.ref(a, p.answer)", "t.__callback__() == 2"),
    ("t = numpy.zeros(2, [('x', object), ('y', int)]); t['x'][0] = tfm.A", "t['x'][0] is tfm.A"),
    ("t = numpy.zeros(2, [('x', object), ('y', int)])[0]; t['x'] = tfm.A", "t['x'] is tfm.A"),
    ("t = numpy.array([tfm.A], dtype=object).flat", "next(t) is tfm.A"),
    ("t = numpy.nditer(numpy.array([tfm.A], dtype=object), ['refs_ok'])", "t.operands[0][0] is tfm.A"),
    ("import colorsys; colorsys.held_in_a_test = [(tfm.A,)]", "colorsys.held_in_a_test[0][0] is tfm.A"),
    ("import colorsys; colorsys.rgb_to_yiq.held = (tfm.A,)", "colorsys.rgb_to_yiq.__dict__.pop('held')[0] is tfm.A"),
    ("import signal; _ = signal.signal(signal.SIGUSR1, tfm.A().version)", "signal.signal(signal.SIGUSR1, 0)() == 2"),
]  # fmt: skip


@pytest.mark.parametrize(("hold", "ask"), FOLLOWS)
def test_what_is_held_follows(screen: Screen, plugin: Path, hold: str, ask: str) -> None:
    screen.type(hold)
    plugin.write_text(PLUGIN.replace("VERSION", "2"))
    told = screen.type(ask)
    assert told.splitlines()[-1] == "True", told
    assert "stale" not in told


@pytest.mark.parametrize(
    ("hold", "ask"),
    [
        ("import gc; numpy.testing.held_in_a_test = tfm.A; gc.freeze()", "numpy.testing.held_in_a_test is tfm.A"),
        ("import logging; logging.root.addFilter(tfm.A().version)", "logging.root.filters.pop()() == 2"),
        ("import json; json.JSONEncoder.held_in_a_test = (tfm.A,)", "json.JSONEncoder.held_in_a_test[0] is tfm.A"),
    ],
)  # fmt: skip
def test_what_was_frozen_and_holds_something_follows(screen: Screen, plugin: Path, hold: str, ask: str) -> None:
    screen.thaw = gc.unfreeze
    gc.freeze()
    screen.type(hold)
    plugin.write_text(PLUGIN.replace("VERSION", "2"))
    told = screen.type(ask)
    gc.freeze()  # the next tests look at what they make, as before
    assert told.splitlines()[-1] == "True"


#: How something is held that cannot be changed -> the way to it, and why it is old.
STALE = [
    ("def g():\n    t = tfm.A\n    yield t\no = Box(); o.gen = g(); next(o.gen)", "o.gen.gi_frame.f_locals['t']: "),
    ("t = iter([(tfm.A,)])", None),
    ("t = map(tfm.A, [])", "t: it refers to the old A"),
    ("@functools.lru_cache\ndef f(): return tfm.A\nf()", "f: its cache refers to the old A; empty it"),
    ("t = p.outer()", "t: outer.<locals>.inner was created by the old code; create it again"),
    ("t = [p.counting()]; next(t[0])", "t[0]: it runs the old code; start it again"),
    ("t = p.named(7)", "t: named.<locals>.Made was created by the old code; create it again"),
    ("t = [p.named(7)()]", "t[0]: named.<locals>.Made was removed; this instance keeps the old code"),
    ("t = weakref.proxy(tfm.A)", "t: it refers to the old A"),
    ("import ctypes; t = (ctypes.py_object * 2)(tfm.A)", "t: it refers to the old A"),
    (
        "import ctypes\nclass S(ctypes.Structure): _fields_ = [('x', ctypes.py_object)]\nt = S(tfm.A); t.y = tfm.A",
        "t: it refers to the old A",
    ),
    ("t = run(lambda held: done.wait(9), tfm.A)", "thread held: <lambda>().held: it is the old A"),
    ("t = run(lambda *held: done.wait(9), [(tfm.A,)])", None),
    ("t = run(lambda held: done.wait(9), (1, tfm.A))", "thread held: <lambda>().held[1]: it is the old A"),
    ("t = run(p.waits, done)", "thread held: waits(): it runs the old code"),
]  # fmt: skip


THREAD = """\
import threading
started = threading.Event()
class Done(threading.Event):
    def wait(self, seconds):
        started.set()
        return super().wait(seconds)
done = Done()
def run(function, *held):
    threading.Thread(target=function, args=held, name="held", daemon=True).start()
    started.wait(9)
"""


@pytest.mark.parametrize(("hold", "told"), STALE)
def test_what_cannot_follow_is_named(screen: Screen, plugin: Path, hold: str, told: str | None) -> None:
    screen.type(THREAD)
    screen.type(hold)
    plugin.write_text(PLUGIN.replace("VERSION", "2"))
    printed = " ".join(screen.type("0; done.set()").split())
    assert "internal error" not in printed
    if told is None:
        assert "stale" not in printed
    else:
        assert f"stale {told}" in printed
    assert "stale" not in screen.type("0")


def test_what_was_imported_at_the_prompt_is_executed_again_and_followed(screen: Screen, tmp_path: Path) -> None:
    helper = tmp_path / "plugins" / "_helper.py"
    helper.write_text("def answer():\n    return 1\n")
    screen.type(f"import sys; sys.path.insert(0, {str(helper.parent)!r})")
    (tmp_path / "plugins" / "a.py").write_text("def late():\n    import _helper\n    return _helper\n")
    screen.type("import a; from operator import attrgetter; held = a.late().answer")
    assert screen.type("held()") == "1\n"
    helper.write_text("def answer():\n    return 2\n")
    assert screen.type("held()").splitlines()[-1] == "2"


@pytest.mark.parametrize("again", ["importlib.reload(p)", "del sys.modules['a_plugin']; import a_plugin as p"])
def test_what_was_held_before_the_user_executes_a_file_again_follows(screen: Screen, plugin: Path, again: str) -> None:
    screen.type("import sys, importlib; a = tfm.A(); held = (tfm.A, p.answer); old = tfm.A")
    plugin.write_text(PLUGIN.replace("VERSION", "2").replace('step(cached, name="cached")', ""))
    screen.type("0")
    screen.type(again)
    told = screen.type("type(a) is tfm.A is p.A is held[0] is old and held[1] is p.answer")
    assert told.splitlines()[-1] == "True"
    assert "stale" not in told
    assert screen.type("'cached' in steps") == "False\n"


HOSTILE = """\
class Refuses(type):
    def __getattribute__(cls, name): raise RuntimeError(name)
    def __hash__(cls): raise RuntimeError
    def __eq__(cls, other): raise RuntimeError
    def __setattr__(cls, name, value): raise RuntimeError
    def __instancecheck__(cls, value): raise RuntimeError
    def __subclasscheck__(cls, other): raise RuntimeError
class Sour(metaclass=Refuses):
    def __getattribute__(self, name): raise RuntimeError(name)
    def __setattr__(self, name, value): raise RuntimeError
    def __eq__(self, other): raise RuntimeError
    def __hash__(self): raise RuntimeError
    def __repr__(self): raise RuntimeError
    def __len__(self): raise RuntimeError
    def __iter__(self): raise RuntimeError
class Lies:
    __class__ = property(lambda self: 1 / 0)
    __dict__ = property(lambda self: 1 / 0)
class Slots:
    __slots__ = ('t',)
    def __getattr__(self, name): raise RuntimeError
class Items(dict):
    def __getitem__(self, key): raise RuntimeError
    def __iter__(self): raise RuntimeError
    def items(self): raise RuntimeError
    def __setitem__(self, key, value): raise RuntimeError
class Mro(type):
    broken = False
    def mro(cls): return 1 / 0 if Mro.broken else super().mro()
def put(value, name, new):
    object.__setattr__(value, name, new)
"""

#: What holds something and refuses to be asked -> how that is read all the same; None: it has to be named.
#: Up to Python 3.10 the attributes of an instance are a dictionary from the start, which follows like any other.
LYING = (
    None
    if sys.version_info >= (3, 11)
    else "[one for one in gc.get_referents(h) if type(one) is dict][0]['t'] is tfm.A"
)

REFUSING = [
    ("h = [Sour()]; put(h[0], 't', tfm.A)", "object.__getattribute__(h[0], 't') is tfm.A"),
    ("h = [Sour(), tfm.A]", "h[1] is tfm.A"),
    ("h = Slots(); h.t = tfm.A", "h.t is tfm.A"),
    ("h = Items(); dict.__setitem__(h, 'a', tfm.A)", "dict.get(h, 'a') is tfm.A"),
    ("type.__setattr__(Sour, 'T', tfm.A)", "type.__getattribute__(Sour, 'T') is tfm.A"),
    ("class H:\n    def __hash__(self): return 1 // self.n\nk = H(); k.n = 1; h = {k: tfm.A}; k.n = 0", None),
    ("import gc; h = Lies(); put(h, 't', tfm.A)", LYING),
    ("h = (Sour(), tfm.A)", "h[1] is tfm.A"),
    ("class h(tfm.A, metaclass=Mro): pass\nMro.broken = True", None),
]  # fmt: skip


@pytest.mark.parametrize(("hold", "ask"), REFUSING)
def test_objects_that_raise_whatever_is_asked_break_nothing(
    screen: Screen, plugin: Path, hold: str, ask: str | None
) -> None:
    screen.type(HOSTILE)
    assert "Error" not in screen.type(f"bystander = [Sour(), Lies(), Sour]\nfine = tfm.A\n{hold}")
    plugin.write_text(PLUGIN.replace("VERSION", "2"))
    told = screen.type("fine is tfm.A and fine().version() == 2")
    assert "internal error" not in told
    assert told.splitlines()[-1] == "True"
    if ask is None:
        assert "stale  h" in told
    else:
        assert "stale" not in told
        assert screen.type(ask) == "True\n"


def test_only_a_few_stale_objects_are_named_in_full(screen: Screen, plugin: Path) -> None:
    screen.type("one = [tfm.A() for _ in range(20)]; two = {'a': tfm.A()}")
    plugin.write_text(
        PLUGIN.replace("VERSION", "2").replace("def apply", "def __init__(self, x=1): pass\n    def apply")
    )
    told = screen.type("0")
    assert told.count("A.__init__() changed") == 5
    assert "16 more objects keep the old code: in one, two" in told
