"""Lessons: Markdown files as steps, done at the prompt, played, recorded and checked."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from bsrepl.errors import LessonError
from bsrepl.registry.changes import changes_between
from bsrepl.teach import bench as discovery
from bsrepl.teach import tour
from bsrepl.teach.lesson import Lesson, Step, parsed, written
from bsrepl.teach.outputs import first_difference, same_output
from bsrepl.teach.time_limit import limited

from ..command_line import forked
from ..conftest import Screen, Start
from .test_board import MEASURED

TEXT = """\
# Folding

Read this.

And this.

```python
x = 6
```

## Save a file

```python file=fold.py
@step(category="cleanup")
def fold(model, cfg=None):
    return model
```

```check
"fold" in steps
steps.fold.__module__ == "fold"
```

```sh
ls
```

~~~python
x * 7
~~~

```output
42
```
"""


def test_each_python_fence_is_a_step() -> None:
    assert parsed(TEXT, "fold.md") == Lesson(
        "Folding",
        (
            Step("Folding", "Read this.\n\nAnd this.", "x = 6\n", line=7),
            Step(
                "Save a file",
                "",
                '@step(category="cleanup")\ndef fold(model, cfg=None):\n    return model\n',
                "fold.py",
                ('"fold" in steps', 'steps.fold.__module__ == "fold"'),
                line=13,
            ),
            Step("", "    ls", "x * 7\n", output="42\n", line=28),
        ),
        "fold.md",
    )


FENCES = """\
# Kinds of fences

Read before all.

## One

<!-- A comment
```python
hidden = 1
```
-->
1. In a list:
   ```python
   if x:
       y = 1
   ```
   > quoted
> ```{python}
> a = 1
>
> b = 2
> ```

```python notest
left alone
```
~~~{code-cell} ipython3
c = 3
~~~
"""


def test_fences_in_lists_and_quotes_and_of_other_kinds() -> None:
    lesson = parsed(FENCES, "f.md")
    assert lesson.introduction == "Read before all."
    assert [step.code for step in lesson.steps] == ["if x:\n    y = 1\n", "a = 1\n\nb = 2\n", "c = 3\n"]
    assert lesson.steps[2].text == "    left alone"


EXERCISE = """\
# Exercise

```python exercise
answer = ...
```
```check
answer == 6 * 7
```
```hint
It is a number.
```
```hint
It is `6 * 7`.
```

```python file=fold.py exercise
@step
def fold(model): ...
```
```check
steps.fold(None) == "folded"
```
```hint
A step returns something.
```

```python
answer
```
```output
42
```
"""

NESTED = "# T\n````python\na = '''\n```inner\n'''\n````\n````output\n````\n"


@pytest.mark.parametrize("text", [TEXT, NESTED, EXERCISE])
def test_what_is_written_is_read_again(text: str) -> None:
    lesson = parsed(text, "a.md")
    again = parsed(written(lesson.title, lesson.steps), "a.md")
    assert [step._replace(line=0) for step in again.steps] == [step._replace(line=0) for step in lesson.steps]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# A\nwords\n", "a.md has no python fence; each step is a fenced block marked python"),
        ("\n```python\nx\n", "a.md:2 opens a fence that is never closed; close it with ```"),
        ("```check\nx\n```\n", "a.md:1 is a check fence without a step; put a python fence before it"),
        ("```output\nx\n```\n", "a.md:1 is an output fence without a step; put a python fence before it"),
        (
            "```python file=../x.py\nx\n```\n",
            "a.md:1 names ../x.py; file= takes a .py file in the lesson's folder",
        ),
        ("```python file=/x.py\nx\n```\n", "a.md:1 names /x.py; file= takes a .py file in the lesson's folder"),
        ("```python file=x.sh\nx\n```\n", "a.md:1 names x.sh; file= takes a .py file in the lesson's folder"),
    ],
)
def test_what_is_no_lesson_says_where(text: str, said: str) -> None:
    with pytest.raises(LessonError, match=f"^{re.escape(said)}$"):
        parsed(text, "a.md")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("12.3 ms\n", "873 us", True),
        ("<a at 0x7f12>  x", "<a at 0x99> x", True),
        ("difference 2.9e-03 (relative", "difference 3.4e-03 (relative", True),
        ("11 -> 17 nodes", "11 -> 18 nodes", False),
        ("a\nb", "a", False),
        ("one two\nthree", "one\n  two three", True),
        ("a ... z", "a b\nc z", True),
        ("...", "anything", True),
        ("a\n...\nz\n", "a\nz", True),
        ("a\n...", "b\nc", False),
        ("Traceback (most recent call last):\n  File x\nValueError: no\n", "ValueError: no\n", True),
        ("Traceback (most recent call last):\n  File x\nValueError: no\n", "ValueError: yes\n", False),
    ],
)
def test_outputs_are_alike_but_for_what_is_different_each_time(one: str, other: str, same: bool) -> None:
    assert same_output(one, other) is same
    assert (first_difference(one, other) == ("", "")) is same


def test_the_tour_plays_and_every_step_does_what_it_says(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "measure", lambda runs, progress: MEASURED)  # other tests measure
    pauses: list[float] = []
    screen.type("kept = 1")
    before, names = screen.console.registry.snapshot, dict(screen.names)
    problems = screen.console.play(tour.own(), pauses.append)
    assert problems == []
    assert 170 < sum(pauses) < 235  # seconds: with what is run in between three to four minutes
    said = screen.out.getvalue()
    assert "+ tfm.RemoveRedundantOps  stage=cleanup  plugin_example.py:1\n" in said
    assert re.search(r"transforms 65 -> 66 .* reload ", screen.out.getvalue()) is None  # this console tells no times
    assert "failed plugin_example.py:3  NameError: name 'divsor' is not defined" in said
    assert "  OK  same outputs: " in said
    assert re.search(r"bsrepl +\S+ \d+\.\d ms  \d+\.\dx faster\n", said)
    assert screen.names == names
    assert list(changes_between(before, screen.console.registry.snapshot)) == []
    assert screen.console.reloader.plugin_files == []


def lesson(folder: Path, text: str = TEXT) -> str:
    (folder / "fold.md").write_text(text)
    return str(folder / "fold.md")


def test_a_lesson_is_done_step_by_step(screen: Screen, tmp_path: Path) -> None:
    screen.type("mine = 5; x = 1")
    screen.type(f"lesson({lesson(tmp_path)!r})")
    console = screen.console

    def shown() -> str:
        start = screen.out.tell()
        console.tour.show()
        return screen.out.getvalue()[start:]

    assert shown() == "\n[1/3] Folding\nRead this.\n\nAnd this.\n"
    assert shown() == ""  # once
    assert console.tour.guide is not None
    assert console.tour.guide.proposal == "x = 6"
    assert "ZeroDivisionError" in screen.type("1 / 0")  # not done
    assert console.tour.guide.place == 0
    screen.type("x = 6")
    assert '  @step(category="cleanup")\n' in shown()
    assert console.tour.guide.proposal == "tour.save()"
    assert screen.type("mine").endswith("5\n")  # something else is no step, and no complaint
    said = screen.type("tour.save()")
    assert "fold.py is written\n+ steps.fold  category=cleanup  fold.py:1\n" in said
    assert "[3/3] Save a file\n    ls\n" in shown()
    screen.type("tour.back()")
    assert "[2/3]" in shown()
    screen.type("tour.next()")
    assert screen.type("x * 7").startswith("42\nEnd of Folding. The session is as it was before it.\n- steps.fold")
    assert console.tour.guide is None
    assert screen.type("mine, x") == "(5, 1)\n"  # type: ignore[unreachable]
    assert screen.type("tour.next()") == "no tour is running; start one with tour()\n"
    assert screen.type("tour.back('two')") == (
        "WrongCall: tour.back() takes a number of steps, as in tour.back(2), not 'two'\n"
    )


def test_the_file_of_a_step_may_come_from_an_editor_and_what_is_missing_is_told(screen: Screen, tmp_path: Path) -> None:
    screen.type(f"lesson({lesson(tmp_path)!r})")
    guide = screen.console.tour.guide
    assert guide is not None
    screen.type("x = 6")
    (guide.folder / "fold.py").write_text("y = 1\n")
    screen.console.look()
    assert guide.place == 1
    (guide.folder / "fold.py").write_text("@step\ndef fold(model): ...\n")
    screen.console.look()
    assert guide.place == 2
    assert "+ tfm.Typed" in screen.type("@transform\nclass Typed(tfm.InferShapes):\n    pass")
    assert "tfm.Typed" in screen.type("tour.quit()")
    assert screen.type("'Typed' in tfm, 'fold' in steps") == "(False, False)\n"


def test_a_step_that_did_not_work_says_what_is_missing(screen: Screen, tmp_path: Path) -> None:
    screen.type(f"lesson({lesson(tmp_path, TEXT.replace('x * 7', 'y * 7'))!r})")
    screen.type("x = 6")
    screen.type("tour.next()")
    assert screen.type("y * 7").endswith("that did not work. Try again, or go on with tour.next().\n")


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_a_try_that_does_not_work_gives_a_hint_each_time_another_one(screen: Screen, tmp_path: Path) -> None:
    screen.type(f"lesson({lesson(tmp_path, EXERCISE)!r})")
    wrong = "not yet: answer == 6 * 7 is not true: answer is {}. Try again, or go on with tour.next(). hint {}"
    assert one_line(screen.type("answer = 41")) == wrong.format("41", "It is a number.")
    assert one_line(screen.type("answer = sum([20, 20])")) == wrong.format("40", "It is `6 * 7`.")
    assert screen.type("tour.hint()") == "hint It is `6 * 7`.\n"  # the last one, again
    assert screen.type("answer") == "40\n"  # looks around, tries nothing
    screen.type("answer = 42")
    guide = screen.console.tour.guide
    assert guide is not None
    assert guide.place == 1
    saved = screen.type("tour.save()")
    assert saved.count("hint A step returns something.") == 1
    assert "not yet: steps.fold(None) == 'folded'" in saved.replace('"', "'")

    def looked() -> str:
        start = screen.out.tell()
        screen.console.look()
        return screen.out.getvalue()[start:]

    (guide.folder / "fold.py").write_text("@step\ndef fold(model): return 'fold'\n")
    assert "steps.fold(None) is 'fold'. Try again, or go on with tour.next(). hint A step" in one_line(looked())
    (guide.folder / "other.py").write_text("@step\ndef other(model): ...\n")
    assert "hint" not in looked()
    (guide.folder / "fold.py").write_text("@step\ndef fold(model): return 'folded'\n")
    assert "hint" not in looked()
    assert guide.place == 2
    assert screen.type("tour.hint()") == "hint this step has no hint\n"


def test_a_command_that_is_meant_to_fail_does_its_step(screen: Screen, tmp_path: Path) -> None:
    text = (
        "# T\n```python\n1 / 0\n```\n```output\nTraceback (most recent call last):\n...\nZeroDivisionError: ...\n```\n"
    )
    screen.type(f"lesson({lesson(tmp_path, text)!r})")
    assert "End of T." in screen.type("1 / 0")


def test_work_that_is_handed_in_takes_the_place_of_the_exercises(tmp_path: Path) -> None:
    (tmp_path / "exercise.md").write_text(EXERCISE)
    (tmp_path / "student.py").write_text("answer = 42\n@step\ndef fold(model): return answer\n")
    status, said = check(tmp_path / "student.py", tmp_path / "exercise.md", "--json")
    (played,) = json.loads(said)["lessons"]
    assert (status, played["ok"]) == (1, False)
    assert [(result["step"], result["line"], result["ok"]) for result in played["results"]] == [
        (1, 3, True), (2, 16, False), (3, 27, True),
    ]  # fmt: skip
    assert played["results"][1]["messages"] == ['steps.fold(None) == "folded" is not true: steps.fold(None) is 42']


ENDLESS = {
    "a step": "```python\nwhile True: pass\n```\n",
    "a check": "```python\ndef f():\n    while True:\n        try: len(())\n        except Exception: pass\n```\n"
    "```check\nf()\n```\n",
}


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
def test_a_loop_without_an_end_is_stopped_and_the_rest_is_played(screen: Screen, tmp_path: Path, endless: str) -> None:
    (tmp_path / "loop.md").write_text(f"# Loop\n\n{endless}\n```python\nlen(tfm)\n```\n\n```output\n3\n```\n")
    problems = screen.console.play(tour.read_lesson(tmp_path / "loop.md"), lambda seconds: None, 0.05)
    told = "it ran longer than 0.05 s; --limit S sets another limit, 0 none"
    assert [told in problem.message for problem in problems] == [True, False]
    assert [problem.number for problem in problems] == [1, 2]
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_a_loop_without_an_end_in_a_plugin_file_is_a_failure_of_that_file(screen: Screen) -> None:
    (screen.folder / "endless.py").write_text("while True: pass\n")
    (screen.folder / "fine.py").write_text("@step\ndef fine(model): return model\n")
    with limited(0.3):
        screen.console.reloader.refresh()
    (failure,) = screen.console.reloader.failures.values()
    assert failure.error == "TimeLimit: it ran longer than 0.3 s; --limit S sets another limit, 0 none"
    assert "fine" in screen.type("[each.__name__ for each in steps.find('fine')]")


@pytest.mark.parametrize("leaving", ["exit()", "import sys\nsys.exit(0)"])
def test_a_step_that_leaves_the_shell_fails_and_the_rest_is_played(
    screen: Screen, tmp_path: Path, leaving: str
) -> None:
    (tmp_path / "left.md").write_text(
        f"# Left\n\n```python\n{leaving}\n```\n\n```python\nexit()\n```\n\n```python\n1 / 0\n```\n"
    )
    problems = screen.console.play(tour.read_lesson(tmp_path / "left.md"), lambda seconds: None)
    assert [problem.number for problem in problems] == [1, 2, 3]
    assert problems[1].message == "it failed: it leaves the shell"


def test_a_recording_is_a_lesson_and_check_tells_what_is_no_longer_the_same(screen: Screen, tmp_path: Path) -> None:
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    screen.type("m = m.transform(tfm.LowerConvsToMatMul())")
    screen.type("1 / 0")
    screen.type("@step(category='cleanup')\ndef mine(model):\n    pass")
    screen.type("len(m.graph.node), steps.find(category='cleanup', name='m*')[0].__name__")
    path = tmp_path / "recorded.md"
    assert screen.type(f"record({str(path)!r})") == f"{path} has the session: 5 commands\n"
    text = path.read_text()
    assert "```output\nm: LowerConvsToMatMul  mnist-conv   11 -> 17 nodes   2 rewrites, 9 untouched\n" in text
    assert "+ steps.mine  category=cleanup  <command 4>:1\n" in text

    assert check(path) == (0, f"ok {path.name}  5 steps\n")
    path.write_text(text.replace("11 -> 17 nodes", "11 -> 16 nodes"))
    status, said = check(path)
    assert status == 1
    assert " ".join(said.split()).startswith(
        "failed recorded.md:19 step 2 of 5: it printed 'm: LowerConvsToMatMul mnist-conv 11 -> 17"
    )


def test_a_recording_has_what_commands_of_the_shell_print(screen: Screen, tmp_path: Path) -> None:
    screen.type("def fold(): return 1")
    screen.type("print('first'); source(fold)")
    path = tmp_path / "recorded.md"
    screen.type(f"record({str(path)!r})")
    assert "```output\nfirst\ndef fold(): return 1\n```" in path.read_text()
    assert screen.console.play(tour.read_lesson(path), lambda seconds: None) == []


@pytest.mark.parametrize("name", ["recorded.py", "recorded.md", "recorded.cast", "test_recorded.py"])
def test_a_recording_has_commands_with_bytes_that_are_no_text(screen: Screen, tmp_path: Path, name: str) -> None:
    screen.type("'\udce9 \ud800'")
    path = tmp_path / name
    assert "has the session: " in screen.type(f"record({str(path)!r})")
    assert name.startswith("test_") or "udce9" in path.read_text()
    assert "MagicError" not in screen.type(f"%save {tmp_path}/saved.py 1")


def test_a_recorded_lesson_has_the_plugin_files_that_were_saved_meanwhile(screen: Screen, tmp_path: Path) -> None:
    file = screen.folder / "fold.py"
    file.write_text("@step\ndef fold(model): return 'first'\n")
    screen.type("steps.fold(None)")
    file.write_text("@step\ndef fold(model): return 'seco\n")  # saved half-way
    screen.console.look()
    file.write_text("@step\ndef fold(model): return 'second'\n")
    screen.console.look()
    screen.type("steps.fold(None)")
    screen.type("%timing off")
    file.write_text("@step\ndef fold(model): return 'third'\n")
    path = tmp_path / "recorded.md"
    screen.type(f"record({str(path)!r})")
    codes = [(step.file, step.code.count("return"), step.output) for step in tour.read_lesson(path).steps]
    assert codes[:4] == [("fold.py", 1, None), ("", 0, "'first'\n"), ("fold.py", 1, None), ("", 0, "'second'\n")]
    assert codes[-1] == ("fold.py", 1, None)
    file.unlink()
    screen.console.look()
    assert screen.console.play(tour.read_lesson(path), lambda seconds: None) == []


def test_a_recorded_lesson_has_all_files_that_failed_together(screen: Screen, tmp_path: Path) -> None:
    sources = {"_h.py": "OTHER = 1\n", "a.py": "import _h\n_h.VALUE\n", "b.py": "from _h import VALUE\n"}
    for name, text in sources.items():
        (screen.folder / name).write_text(text)
    assert "1 more file of its group failed: b.py:1" in screen.type("1")
    path = tmp_path / "recorded.md"
    screen.type(f"record({str(path)!r})")
    assert {step.file: step.code for step in tour.read_lesson(path).steps if step.file} == sources


def test_checking_what_is_no_lesson_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_text("# Nothing\n")
    assert check(tmp_path / "bad.md") == (
        1,
        "failed bad.md has no python fence; each step is a fenced block marked python\n",
    )


def test_checking_a_lesson_for_machines(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("```python\nx = 1\n```\n")
    (tmp_path / "wrong.md").write_text("```python\nx = 1\n```\n\n```python\nx\n```\n```output\n2\n```\n")
    (tmp_path / "bad.md").write_text("nothing\n")
    (tmp_path / "fold.py").write_text("@transform\nclass Fold: ...\n")
    paths = [tmp_path / name for name in ("good.md", "wrong.md", "bad.md", "fold.py")]
    status, said = check("--json", *paths)
    report = json.loads(said)
    good, wrong, bad = report["lessons"]
    assert (status, report["ok"], report["files"][0]["ok"]) == (1, False, True)
    assert (good["ok"], good["steps"], good["problems"], good["error"]) == (True, 1, [], None)
    assert (wrong["ok"], wrong["problems"][0]["step"], wrong["problems"][0]["line"]) == (False, 2, 5)
    assert (bad["ok"], bad["error"]) == (False, "bad.md has no python fence; each step is a fenced block marked python")
    status, said = check("--json", paths[0])
    assert (status, json.loads(said)["ok"]) == (0, True)


def check(*arguments: object) -> tuple[int, str]:
    done = forked("--check", *arguments, cwd=Path.cwd())
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_wrong_name_is_a_try(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "names.md"
    path.write_text("# Names\n\n```python\nconvs = len('abc')\n```\n\n```check\nconvs == 3\n```\n\n```python\n1\n```\n")
    screen.type(f"lesson({str(path)!r})")
    assert "not yet: convs == 3 raises NameError" in screen.type("conv = len('abc')")
    assert "not yet" not in screen.type("unlike = 'anything'")
    screen.type("tour.next(2)")
    assert screen.console.tour.guide is None


def test_a_tour_stands_at_the_prompt(start: Start) -> None:
    shell = start("--tour")
    shell.expect("[1/", "Introduction", "Enter saves it", ">>> tour.save()", "tfm 65")
    shell.type("\r")
    shell.expect("is written", "[2/", ">>> status()", "tfm 65")
    shell.type("\x03")
    shell.expect(">>>", "tfm 65")
    shell.enter("6 * 7")
    shell.expect("\n42\n", ">>>", "tfm 65")
    shell.type("\x03")
    shell.expect(">>>", "tfm 65")
    shell.type("\r")
    shell.expect(">>> status()", "tfm 65")
    shell.type("\x03")
    shell.enter("tour.quit()")
    shell.expect(">>>", "tfm 65")
    shell.enter("exit")
    assert shell.status() == 0


def test_the_tour_by_enter_alone_takes_each_step_once(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a folder whose plugin files have the names that the tour uses: they are set aside meanwhile."""
    monkeypatch.setattr(discovery, "measure", lambda runs, progress: MEASURED)  # other tests measure
    own = "@transform\nclass RemoveRedundantOps:\n    def apply(self, model): return model, False\n"
    (screen.folder / "plugin_example.py").write_text(own)
    screen.console.look()
    mine = screen.names["tfm"].RemoveRedundantOps
    screen.type("tour()")
    guide = screen.console.tour.guide
    assert guide is not None
    places: list[int] = []
    while screen.console.tour.guide is not None and len(places) < 100:
        places.append(guide.place)
        screen.type(guide.proposal)
        screen.console.look()  # as the prompt does
    assert places == list(range(len(guide.lesson.steps)))
    screen.console.look()
    assert screen.names["tfm"].RemoveRedundantOps.__module__ == mine.__module__
    assert "missing" not in screen.type("tfm.RemoveRedundantOps")


def test_a_lesson_begins_at_a_step_and_goes_on_where_it_was_left(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "folding.md").write_text(TEXT)
    path = str(tmp_path / "folding.md")
    assert "folding.md goes on at step 3" in screen.type(f"lesson({path!r}, 3)")
    screen.type("tour.back()")
    screen.type("tour.quit()")
    assert "folding.md goes on at step 2" in screen.type(f"lesson({path!r})")
    screen.type("tour.quit()")
    assert "goes on" not in screen.type(f"lesson({path!r}, 1)")
    assert screen.type(f"lesson({path!r}, 9)") == "LessonError: folding.md has steps 1 to 3, not 9\n"


def test_a_session_that_ends_takes_the_folder_of_its_tour_with_it(tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.type("tour()")
    guide = screen.console.tour.guide
    assert guide is not None
    assert guide.folder.is_dir()
    screen.console.close()
    assert not guide.folder.exists()
