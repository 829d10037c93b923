"""Regular expressions that are compiled when they are first used."""

import re

import pytest

from bsrepl.text.patterns import late_pattern


def test_a_late_pattern_is_compiled_when_it_is_first_used() -> None:
    wrong = late_pattern("(")
    with pytest.raises(re.error):
        wrong.search("(")
    late = late_pattern("(?P<letter>A)B", re.IGNORECASE)
    match = late.fullmatch("ab")
    assert match is not None
    assert match["letter"] == "a"
    assert (late.sub("", "cAb"), late.search("b"), late.pattern) == ("c", None, "(?P<letter>A)B")
