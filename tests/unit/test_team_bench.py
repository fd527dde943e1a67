"""The comparison of a team's images: its arithmetic, its page, and the bytes that it counts."""

import json
import socket
import socketserver
from contextlib import closing

import pytest
from bench.serving import serving
from bench.team.counting import counting
from bench.team.members import TEAM, Member, bases_of
from bench.team.page import Run, as_json, as_markdown
from bench.team.rows import altogether, first_day, later
from bench.team.tally import Job, Row, Stage, middle, per_service, saved, sending, took
from hypothesis import given
from hypothesis import strategies as st

OCR = Member("svc-ocr", "ml", ("pillow",), ("PIL",))
API = Member("svc-api", "runtime", ("jinja2", "click"), ("jinja2", "click"))


def job(image: str, base: str, *figures: int) -> Job:
    return Job(image, base, *figures)


def ways(cheaper: int = 10) -> tuple[list[Stage], ...]:
    """Three days of two services; what ours takes is a part of the first way's."""
    fat = [job("svc-ocr", "ml", 600, 300, 60_000_000), job("svc-api", "runtime", 200, 100, 0)]
    whole = Stage(tuple(fat), 90_000_000, 70_000_000)
    bases = (job("ml", "", 300, 100, 50_000_000), job("runtime", "", 100, 50, 9_000_000))
    thin = tuple(job(one.image, one.base, 20, 10, 1_000_000) for one in fat)
    ours = tuple(
        job(one.image, one.base, one.build // cheaper, one.push // cheaper, one.sent // cheaper)
        for one in fat
    )
    return (
        [whole, whole, Stage(tuple(fat[:1]), 160_000_000, 140_000_000)],
        [
            Stage((*bases, *thin), 70_000_000, 0),
            Stage(thin, 71_000_000, 0),
            Stage((bases[0], thin[0]), 130_000_000, 0),
        ],
        [Stage((job("ml", "", 0, 0, 0), *ours), 90_000_000 // cheaper, 0)] * 3,
    )


def run(cheaper: int = 10) -> Run:
    return Run((OCR, API), "", "nltk", "ml", 1.5, ways(cheaper), "A machine.", "2026-11-21")


def test_the_team_is_the_one_that_is_asked_for() -> None:
    on_ml = [member for member in TEAM if member.base == "ml"]
    assert (len(TEAM), len(on_ml)) == (14, 3)
    assert bases_of(TEAM) == ("ml", "runtime")
    assert len({member.name for member in TEAM}) == 14
    assert len({member.requirements for member in TEAM}) == 14


def test_a_service_bears_its_share_of_the_bases() -> None:
    whole, shared, _ = ways()
    assert per_service(whole[0]) == 400
    assert per_service(shared[0]) == (300 + 100 + 20 + 20) / 2
    assert took(shared[0].jobs) == 300 + 100 + 100 + 50 + 4 * 15
    assert sending(shared[0].jobs) == 61_000_000
    assert middle(took, whole[0].on("ml")) == 900
    assert middle(took, whole[0].on("gpu")) is None


@pytest.mark.parametrize(
    ("theirs", "ours", "share"),
    [(100, 13, 0.87), (100, 100, 0), (50, 100, -1), (None, 1, None), (1, None, None), (0, 1, None)],
)
def test_what_is_saved_is_a_share_of_theirs(
    theirs: float | None, ours: float | None, share: float | None
) -> None:
    assert saved(theirs, ours) == share


@given(st.floats(1, 1e9), st.floats(0, 1))
def test_who_saves_a_share_takes_the_rest(theirs: float, share: float) -> None:
    assert saved(theirs, theirs * (1 - share)) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize(("ours", "holds"), [(12, True), (13, True), (14, False)])
def test_a_bound_is_the_least_share(ours: float, holds: bool) -> None:
    assert Row("build", "s", (100, 14, ours), 0.87).holds is holds
    assert Row("build", "s", (100, 14, ours)).holds


def test_a_bound_without_a_figure_is_missed() -> None:
    assert not Row("build", "s", (None, 1, 1), 0.87).holds


def test_rows_of_the_first_day() -> None:
    rows = {row.name: row for row in first_day([stages[0] for stages in ways()])}
    assert rows["build base ml"].values == (None, 300, 0)
    assert rows["build a service on runtime, median"].values == (200, 20, 20)
    assert rows["build a service, the bases shared out"].values == (400, 220, 40)
    assert rows["of that the bases"].values == (None, 550, 0)
    assert rows["sent all"].values == (60_000_000, 61_000_000, 6_000_000)
    assert [name for name, row in rows.items() if row.least] == [
        "build a service, the bases shared out",
        "sent all",
        "the registry's storage",
    ]


def test_rows_of_later_days_are_what_came_on_top() -> None:
    whole, shared, ours = ways()
    before, after = [[one[day] for one in (whole, shared, ours)] for day in (1, 2)]
    rows = {row.name: row for row in later(before, after)}
    assert rows["the registry's storage grew by"].values == (70_000_000, 59_000_000, 0)
    assert "build a service on runtime, median" not in rows
    assert not any(row.least for row in rows.values())


def test_rows_of_everything_are_sums_and_the_last_state() -> None:
    rows = {row.name: row for row in altogether(ways())}
    assert rows["build and push"].values == (2 * 1200 + 900, 610 + 60 + 430, 3 * 120)
    assert rows["the registry's storage"].values == (160_000_000, 130_000_000, 9_000_000)


def test_the_page_tells_figures_shares_and_bounds() -> None:
    page = as_markdown(run())
    assert page.startswith("# A team of 2 services, three ways\n")
    assert "Run on 2026-11-21." in page
    assert "Services on ml: 1, on runtime: 1." in page
    assert (
        "| build a service, the bases shared out | 400 s | 220 s | 40.0 s | 45.0% | 90.0% "
        "| at least 87% |\n"
    ) in page
    assert "| svc-api | runtime | jinja2, click | 200 s, 100 s | 20.0 s, 10.0 s |" in page
    assert "**missed**" not in page
    assert run().holds


def test_a_missed_bound_shows() -> None:
    missed = run(cheaper=2)
    assert not missed.holds
    assert as_markdown(missed).count("**missed**") == 3


def test_the_document_has_every_job_and_row() -> None:
    document = json.loads(as_json(run()))
    assert document["holds"] is True
    assert document["ways"]["shared base"][0]["jobs"][0]["image"] == "ml"
    (row,) = (row for row in document["tables"]["The first day"] if row["name"] == "sent all")
    assert (row["values"][0], row["least"], row["holds"]) == (60_000_000, 0.65, True)


class Shouting(socketserver.StreamRequestHandler):
    """Answers all that it got, in capitals, when its client has ended."""

    def handle(self) -> None:
        self.wfile.write(self.rfile.read().upper())


@given(st.lists(st.binary(max_size=100_000), max_size=3))
def test_the_proxy_passes_on_and_counts_what_is_sent(messages: list[bytes]) -> None:
    with serving(Shouting) as upstream, counting(upstream) as counter:
        for message in messages:
            host, _, port = counter.address.partition(":")
            connection = socket.create_connection((host, int(port)), timeout=60)
            with closing(connection), connection.makefile("rb") as answer:
                connection.sendall(message)
                connection.shutdown(socket.SHUT_WR)
                assert answer.read() == message.upper()
        assert counter.sent == sum(map(len, messages))
