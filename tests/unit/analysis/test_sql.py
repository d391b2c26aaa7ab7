"""SQL gives the sums that the report gives."""

import pytest

from kprof.analysis.sql import query
from kprof.analysis.top import top
from kprof.errors import UsageError
from kprof.model import Event, Frame, ProfileBuilder

pytest.importorskip("duckdb")
TOTALS = "select function, module, sum(weight) total from samples join holds using (stack) group by all"


def profile():
    builder = ProfileBuilder()
    for weight in (3, 1 << 61):
        builder.add(["a", "b", "a", Frame("c", "/lib/c.so")], weight, comm="x", pid=1, tid=2)
    builder.add(["b"], 5, comm="y; z", pid=1, tid=3, event=Event("faults", "events"))
    builder.add([], 7, comm=None)
    return builder.build()


def test_totals_are_those_of_the_report():
    found = {(row["function"], row["module"]): row["total"] for row in query(profile(), TOTALS).rows()}
    assert found == {(r["function"], r["module"]): r["total"] for r in top(profile()).rows()}
    assert found["a", ""] == (1 << 61) + 3


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select comm, sum(weight) w from samples where pid = 1 and tid = 3 group by 1", [{"comm": "y; z", "w": 5}]),
        ("select text from texts join samples using (stack) where comm = 'y; z'", [{"text": "b"}]),
        ("select unit, count(*) n from samples join events using (event) group by 1 order by 1",
         [{"unit": "events", "n": 1}, {"unit": "samples", "n": 3}]),
        ("select comm from samples where comm is null", [{"comm": ""}]),
        ("select path from mappings", [{"path": "/lib/c.so"}]),
        ("create table x as select 1 a; select a, a + 0.5 b, a from x", [{"a": 1, "b": "1.5", "a_2": 1}]),
        ("select sum(weight) * 100 w from samples", [{"w": ((1 << 61) + 15) * 100}]),
        ("select 1 a where false", []),
    ],
)  # fmt: skip
def test_questions(sql, rows):
    assert list(query(profile(), sql).rows()) == rows


@pytest.mark.parametrize("sql", ["selec 1", "select nothing from samples"])
def test_what_is_no_question_ends_in_one_line(sql):
    with pytest.raises(UsageError) as caught:
        query(profile(), sql)
    assert "\n" not in str(caught.value)
