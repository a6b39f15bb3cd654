"""The regulator's and the operator's pages without a browser: who may see what, what is told."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.cli.main import app as cli
from bank.pages.page import assets
from bank.per_size import PerSize
from bank.proposals import Proposal, propose
from bank.reports import SMALLEST_CELL, Figures, Report, figures, make_report, tables
from bank.sign_in import Person, Role
from keys import encode
from tests.report_kit import SMALL_FLOW, PastBank, past_bank

REGULATOR = (
    "/regulator",
    "/regulator/awards",
    "/regulator/recognition",
    "/regulator/conservation",
    "/regulator/members",
    "/regulator/members/north",
    "/regulator/proposals",
)
FILES = (
    "/regulator/progress.json",
    "/regulator/figures.json",
    "/regulator/figures/awards.csv",
    "/regulator/figures/rules.json",
)
OPERATOR = (
    "/operator",
    "/operator/audit",
    "/operator/errors",
    "/operator/members",
    "/operator/people",
)
HTML = {"Accept": "text/html", "Accept-Language": "en"}


class Visitor:
    """Somebody with a session, or nobody."""

    def __init__(self, past: PastBank, role: Role | None) -> None:
        self.http = TestClient(make_app(past.bank), follow_redirects=False, headers=HTML)
        self.person: Person | None = None
        self.token = ""
        if role is not None:
            access = past.bank.sign_in
            scope = "north" if role.is_institution else ""
            self.person = access.admit(f"unit-{role}", f"Unit {role}", role, scope)
            session = access.begin(self.person.person)
            self.http.cookies.set("session", session)
            found = access.session(session)
            assert found is not None
            self.token = found.csrf

    def get(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer.text

    def post(self, path: str, status: int = 303, files: Any = None, **form: str) -> Any:
        answer = self.http.post(path, data={"form_token": self.token, **form}, files=files)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2500:])
        return answer


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastBank]:
    with past_bank(tmp_path_factory.mktemp("bank")) as made:
        yield made


@pytest.fixture(scope="module")
def regulator(past: PastBank) -> Visitor:
    return Visitor(past, Role.REGULATOR)


@pytest.fixture(scope="module")
def operator(past: PastBank) -> Visitor:
    return Visitor(past, Role.OPERATOR)


@pytest.mark.parametrize("role", [None, *Role])
def test_who_may_see_what(past: PastBank, role: Role | None) -> None:
    visitor = Visitor(past, role)
    for owner, paths in ((Role.REGULATOR, REGULATOR + FILES), (Role.OPERATOR, OPERATOR)):
        status = 303 if role is None else 200 if role is owner else 403
        for path in paths:
            visitor.get(path, status)
    for owner, path in (
        (Role.REGULATOR, "/regulator/members/north"),
        (Role.REGULATOR, "/regulator/proposals"),
        (Role.REGULATOR, f"/regulator/proposals/{'0' * 64}/hand-in"),
        (Role.REGULATOR, f"/regulator/proposals/{'0' * 64}/put-away"),
        (Role.OPERATOR, "/operator/audit"),
        (Role.OPERATOR, "/operator/people"),
        (Role.OPERATOR, "/operator/people/end"),
    ):
        if role is not owner:
            visitor.post(path, 303 if role is None else 403)


def test_a_form_without_its_token_does_nothing(past: PastBank) -> None:
    for role, path in (
        (Role.REGULATOR, "/regulator/members/north"),
        (Role.OPERATOR, "/operator/people"),
        (Role.OPERATOR, "/operator/audit"),
    ):
        visitor = Visitor(past, role)
        visitor.token = "another"
        assert "earlier session" in visitor.post(path, 400).text
    assert past.bank.oversight.proposals.waiting() == []
    assert not past.bank.oversight.audits.state().running


def test_pages_are_confined_and_tell_nobody_from_whom(regulator: Visitor) -> None:
    answer = regulator.http.get("/regulator/recognition")
    assert "script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert not re.findall(r"<[^>]+\sstyle=", answer.text)
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", answer.text)


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not check() and time.monotonic() < deadline:
        time.sleep(0.02)
    return check()


def drawn(page: str) -> dict[str, Any]:
    """The data of every chart on a page, by its name."""
    found = re.findall(r'<script type="application/json" id="([\w-]+)-data">(.*?)</script>', page)
    return {name: json.loads(data) for name, data in found}


def cells(page: str, name: str) -> list[list[str]]:
    """The rows of a chart's own table."""
    part = page.partition(f'id="{name}-table"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.S)[1:]
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t", row)]
        for row in rows
    ]


def counted(past: PastBank) -> Figures:
    return figures(past.bank.log.entries())


def test_files_are_the_library_s_own_report(
    past: PastBank, regulator: Visitor, tmp_path: Path
) -> None:
    report = make_report(past.bank.log.entries())
    for table in tables(counted(past), SMALLEST_CELL):
        assert report.tables[table.name] == table
        assert regulator.get(f"/regulator/figures/{table.name}.csv") == table.csv()
        told = json.loads(regulator.get(f"/regulator/figures/{table.name}.json"))
        assert (told["rows"], told["entries"]) == (
            [list(row) for row in table.rows],
            past.bank.log.size(),
        )
    assert regulator.get("/regulator/figures.json") == encode(report.open_data()).decode() + "\n"
    assert "there is no table nothing" in regulator.get("/regulator/figures/nothing.csv", 404)


def test_the_command_line_writes_the_same(
    past: PastBank, regulator: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    monkeypatch.setenv("CREDITBANK_PASSPHRASE", "p")
    folder = str(past.bank.settings.folder)
    done = CliRunner().invoke(
        cli, ["regulator", "report", "--data", folder, "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "figures.json").read_text() == regulator.get("/regulator/figures.json")
    for path in tmp_path.glob("*.csv"):
        assert path.read_text() == regulator.get(f"/regulator/figures/{path.name}"), path
    assert (tmp_path / "conservation.csv").exists()


def test_pages_show_the_figures_of_the_report(past: PastBank, regulator: Visitor) -> None:
    found, report = counted(past), make_report(past.bank.log.entries())
    page = regulator.get("/regulator/recognition")
    links = drawn(page)["flows"]["links"]
    shown = {(one["source"], one["target"]): one["value"] for one in links}
    assert shown == {
        (f"from {source}", f"to {target}"): tally.lots
        for (source, target), tally in found.flows.items()
        if tally.lots >= SMALLEST_CELL
    }
    assert ["Bayu Open University", "Jialing Institute of Technology", "40"] in cells(page, "flows")
    assert re.search(r"Computing from anywhere \(R-ICT@1\).*?>57<", page, re.S)
    overview = regulator.get("/regulator")
    awards = report.tables["awards-by-level"].rows
    total = sum(count for *_, count in awards if isinstance(count, int))
    assert f'<p class="figure">{total:,}</p>' in overview
    assert "Every credit is accounted for." in overview
    assert "Shancheng Skills Centre: " in overview  # what stands out
    levels = drawn(overview)["stack-level"]
    assert [one["name"] for one in levels["series"]] == ["Level 4", "Level 5", "Level 6"]
    by_level = {(level, month): count for level, month, count in awards}
    assert sum(filter(None, levels["series"][1]["values"])) == sum(
        count or 0
        for (level, _), count in by_level.items()
        if level == "5"  # type: ignore[misc]
    )
    table = cells(overview, "stack-level")
    assert len(table) == len(levels["categories"])
    assert table[-1] == [levels["categories"][0], *(f"{s['values'][0]}" for s in levels["series"])]
    statement = regulator.get("/regulator/conservation")
    assert f"On all {len(report.conservation.accounts)} accounts" in statement


def small_numbers_told(past: PastBank, visitor: Visitor) -> list[str]:
    """Every place that tells a count of lots under k, by the true figures of the log."""
    found, told = counted(past), []
    small: dict[str, set[tuple[str, ...]]] = {
        "awards": {key for key, tally in found.awarded.items() if tally.lots < SMALLEST_CELL},
        "recognition-flows": {
            key for key, tally in found.flows.items() if tally.lots < SMALLEST_CELL
        },
        "rules": {key for key, used in found.rules.items() if 0 < used < SMALLEST_CELL},
        "adverse-events": {key for key, many in found.adverse.items() if many < SMALLEST_CELL},
    }
    every = json.loads(visitor.get("/regulator/figures.json"))["tables"]
    for name, keys in small.items():
        assert keys, f"nothing small in {name}: the test would show nothing"
        text = visitor.get(f"/regulator/figures/{name}.csv")
        files: list[tuple[str, list[Any]]] = [("csv", list(csv.reader(io.StringIO(text)))[1:])]
        files.append(("json", json.loads(visitor.get(f"/regulator/figures/{name}.json"))["rows"]))
        files += [("figures", one["rows"]) for one in every if one["name"] == name]
        told += [
            f"{name} as {kind}: {row}"
            for kind, rows in files
            for row in rows
            if tuple(row[:-1]) in keys and row[-1] not in (None, "")
        ]
    for path in (*REGULATOR[:4], "/regulator/members/east", "/regulator/members/west"):
        page = visitor.get(path)
        for name, data in drawn(page).items():
            values = [value for one in data.get("series", ()) for value in one["values"]]
            values += [one["value"] for one in data.get("links", ())] + data.get("values", [])
            told += [f"{path} draws {name}: {v}" for v in values if v and v < SMALLEST_CELL]
        for row in cells(page, "flows") + cells(page, "member"):
            told += [f"{path} lists {row}" for cell in row[1:] if cell in map(str, range(1, 10))]
        if re.search(
            rf"(Mechanics of any member|Liangjiang College).{{0,300}}>{SMALL_FLOW}<", page, re.S
        ):
            told.append(f"{path} tells the small flow")
    return told


def test_small_cells_are_told_nowhere(past: PastBank, regulator: Visitor) -> None:
    assert small_numbers_told(past, regulator) == []


def test_without_suppression_the_test_above_fails(past: PastBank) -> None:
    """The control: the same pages over a report that leaves nothing out."""
    oversight = past.bank.oversight
    kept = oversight.report

    def everything(size: int, progress: Any) -> Report:
        return make_report(past.bank.log.entries(0, size), 1)

    oversight.report = PerSize(past.bank.log.size, everything, past.bank.now)
    try:
        told = small_numbers_told(past, Visitor(past, Role.REGULATOR))
    finally:
        oversight.report = kept
    text = "\n".join(told)
    for place in (
        "recognition-flows as csv",
        "recognition-flows as json",
        "recognition-flows as figures",
        "awards as csv",
        "rules as json",
        "adverse-events as csv",
        "/regulator/recognition draws flows: 7",
        "/regulator/recognition lists",
        "/regulator/recognition tells the small flow",
        "/regulator/awards draws lines-institution",
        "/regulator/members/east draws member",
    ):
        assert place in text, place


def test_it_says_so_where_credits_are_missing(past: PastBank) -> None:
    """The control of the sentence: a statement with a credit made up."""
    oversight = past.bank.oversight
    kept = oversight.report

    def wrong(size: int, progress: Any) -> Report:
        report = make_report(past.bank.log.entries(0, size))
        next(iter(report.conservation.accounts.values())).born["awarded"] += 1
        return report

    oversight.report = PerSize(past.bank.log.size, wrong, past.bank.now)
    visitor = Visitor(past, Role.REGULATOR)
    try:
        assert "Credits are missing." in visitor.get("/regulator")
        page = visitor.get("/regulator/conservation")
    finally:
        oversight.report = kept
    assert "The sides differ for: Liangjiang College" in page
    assert "Every credit is accounted for." not in page


def test_pages_say_as_of_when_and_come_while_the_report_is_made(past: PastBank) -> None:
    import threading

    oversight, go = past.bank.oversight, threading.Event()
    kept, size = oversight.report, past.bank.log.size()
    read = [size - 3]

    def slow(upto: int, progress: Any) -> Report:
        if upto == size:
            progress(7)
            go.wait(10)
        return make_report(past.bank.log.entries(0, upto))

    oversight.report = PerSize(lambda: read[0], slow, past.bank.now)
    visitor = Visitor(past, Role.REGULATOR)
    try:
        assert f"As of entry {size - 3:,}" in visitor.get("/regulator")
        read[0] = size
        page = visitor.get("/regulator")
        assert f"As of entry {size - 3:,}" in page
        assert "3 newer entries are not in these figures yet" in page
        # Soon, but not at once: what took long before is not made anew at every look.
        assert eventually(lambda: json.loads(visitor.get("/regulator/progress.json"))["done"] == 7)
        go.set()
        assert eventually(lambda: oversight.report.look().current)
        assert f"As of entry {size:,}" in visitor.get("/regulator")
        go.clear()
        oversight.report = PerSize(lambda: size, lambda *_: go.wait(10), past.bank.now)
        first = visitor.get("/regulator")
        assert "The figures are being computed" in first
        assert 'data-watch="/regulator/progress.json"' in first
        assert "try again in a moment" in visitor.get("/regulator/figures.json", 410)
        go.set()
    finally:
        go.set()
        oversight.report = kept


def test_warm_pages_come_at_once(past: PastBank, regulator: Visitor, operator: Visitor) -> None:
    slow = {}
    for visitor, paths in ((regulator, REGULATOR), (operator, OPERATOR)):
        for path in paths:
            visitor.get(path)
            took = []
            for _ in range(5):
                start = time.perf_counter()
                visitor.get(path)
                took.append(time.perf_counter() - start)
            if sorted(took)[1] > 0.05:
                slow[path] = took
    assert slow == {}


def test_a_member_s_page(regulator: Visitor) -> None:
    page = regulator.get("/regulator/members/north")
    for said in ("did:web:cq.example:members:north", "every field", "registrar", "Member admitted"):
        assert said in page
    assert "there is no member nobody" in regulator.get("/regulator/members/nobody", 404)


def test_a_proposal_from_making_to_the_ledger(past: PastBank, regulator: Visitor) -> None:
    bank, governance = past.bank, past.governance
    answer = regulator.post(
        "/regulator/members/east", measure="member.suspend", reason="irregular-awards"
    )
    where = answer.headers["location"]
    page = regulator.get(where)
    assert "2 of the 2 signatures it takes are missing." in page
    assert page.count("not yet") == 3
    file = Proposal.parse(regulator.get(f"{where}/file").encode())
    assert (file.statement.kind, file.signatures) == ("member.suspend", ())
    for place, key in enumerate(governance[:2]):
        signed = file.sign(key).encode()
        sent = regulator.post("/regulator/proposals", files={"proposal": ("a.json", signed)})
        assert sent.headers["location"] == where
        page = regulator.get(where)
        assert page.count(">signed<") == place + 1
    assert "can be handed in" in page
    assert "can be handed in" in regulator.get("/regulator/proposals")
    assert bank.registry().members[past.members["east"].did].active
    regulator.post(f"{where}/hand-in")
    assert not bank.registry().members[past.members["east"].did].active
    assert "This is in the ledger, as entry" in regulator.get(where)
    assert "suspended" in regulator.get("/regulator/members/east")
    regulator.post(f"{where}/put-away")
    assert "Nothing waits." in regulator.get("/regulator/proposals")
    assert "does not wait here" in regulator.get(where, 404)


def test_bad_input_is_told_on_the_page(past: PastBank, regulator: Visitor) -> None:
    other = propose(past.members["north"].did, "rule.withdraw", {"code": "R", "version": 1})
    body = {"member": past.members["north"].did, "reason": "x"}
    good = propose(past.bank.settings.did, "member.suspend", body)
    broken = json.loads(good.sign(past.governance[0]).encode())
    broken["statement"]["body"]["reason"] = "y"
    for data, said in (
        (b"", "this is no proposal"),
        (b"\xff\x00", "this is no proposal"),
        (b"[]", "have the fields signatures and statement"),
        (b"x" * 300_000, "this is no proposal"),
        (other.encode(), "only what the governance signs waits here"),
        (encode(broken), "this proposal does not hold"),
    ):
        answer = regulator.post("/regulator/proposals", 400, files={"proposal": ("p.json", data)})
        assert "The file was not taken:" in answer.text
        assert said in answer.text, (said, answer.text)
    assert "No file was chosen." in regulator.post("/regulator/proposals", 400).text
    for form, said in (
        ({"measure": "member.reinstate", "reason": "x"}, "is not suspended"),
        ({"measure": "member.suspend", "reason": ""}, "choose a reason"),
        ({"measure": "member.suspend", "reason": "Not A Slug!"}, "the proposal cannot be made"),
        ({"measure": "log.open"}, "no decision"),
        ({}, "no decision"),
    ):
        assert said in regulator.post("/regulator/members/north", 400, **form).text
    assert past.bank.oversight.proposals.waiting() == []
    regulator.post("/regulator/proposals", files={"proposal": ("p.json", good.encode())})
    (waiting,) = past.bank.oversight.proposals.waiting()
    answer = regulator.post(f"/regulator/proposals/{waiting.name}/hand-in", 400)
    assert "nobody has signed this proposal yet" in answer.text
    early = good.sign(past.governance[0]).encode()
    regulator.post("/regulator/proposals", files={"proposal": ("p.json", early)})
    answer = regulator.post(f"/regulator/proposals/{waiting.name}/hand-in", 400)
    assert "The ledger did not take it:" in answer.text
    assert past.bank.registry().members[past.members["north"].did].active
    past.bank.oversight.proposals.put_away(waiting.name)


def test_no_private_key_field_is_asked_for(regulator: Visitor) -> None:
    page = regulator.get("/regulator/proposals")
    assert re.findall(r'<input[^>]*name="(\w+)"', page).count("proposal") == 1
    assert 'type="password"' not in page


def test_an_audit_from_the_page(past: PastBank, operator: Visitor) -> None:
    operator.post("/operator/audit")
    progress = "/operator/audit/progress.json"
    assert eventually(lambda: not json.loads(operator.get(progress))["running"])
    page = operator.get("/operator/audit")
    assert "Nothing at all was wrong." in page
    assert f"<dd>{past.bank.log.size():,}" in page
    assert "passed" in operator.get("/operator")


def test_invitations_and_ends(past: PastBank, operator: Visitor) -> None:
    sent = operator.post("/operator/people", role="admin", institution="west")
    assert sent.headers["location"] == "/operator/people"
    assert "HttpOnly" in sent.headers["set-cookie"]
    page = operator.get("/operator/people")
    (link,) = re.findall(r"<code>(https://cq\.example/join\?code=[\w-]+)</code>", page)
    assert "Invitation made: Institution&#39;s administrator · Shancheng Skills Centre" in page
    assert "/join?code=" not in operator.get("/operator/people")
    code = link.partition("code=")[2]
    invited = past.bank.sign_in.invitation(code)
    assert (invited.role, invited.scope) == (Role.ADMIN, "west")
    for form, said in (
        ({"role": "learner"}, "Choose what the person is invited as."),
        ({"role": "registrar"}, "Choose what the person is invited as."),
        ({}, "Choose what the person is invited as."),
        ({"role": "admin"}, "Choose the institution"),
        ({"role": "admin", "institution": "nowhere"}, "Choose the institution"),
    ):
        assert said in operator.post("/operator/people", 400, **form).text
    operator.post("/operator/people", role="regulator", institution="west")
    kept = operator.http.cookies.get("invited")
    assert past.bank.sign_in.invitation(str(kept)).scope == ""
    operator.get("/operator/people")
    somebody = past.bank.sign_in.admit("leaving", "Somebody leaving", Role.REGULATOR, "")
    session = past.bank.sign_in.begin(somebody.person)
    operator.post("/operator/people/end", person=somebody.person)
    assert past.bank.sign_in.session(session) is None
    page = operator.get("/operator/people")
    assert re.search(r"<summary>May sign in no more.*Somebody leaving", page, re.S)
    assert operator.person is not None
    learner = past.bank.sign_in.admit("learning", "A learner", Role.LEARNER, "record")
    for person, said in (
        (operator.person.person, "You cannot end your own access"),
        (somebody.person, "could not sign in any more already"),
        (learner.person, "could not sign in any more already"),
        ("", "could not sign in any more already"),
    ):
        assert said in operator.post("/operator/people/end", 400, person=person).text
    assert past.bank.sign_in.begin(learner.person)
    assert "A learner" not in page


def test_errors_of_the_server_are_listed_without_addresses(
    past: PastBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(past, Role.OPERATOR)
    quiet = TestClient(make_app(past.bank), raise_server_exceptions=False, headers=HTML)
    before = len(past.bank.oversight.errors.newest())

    def fail(*_: object) -> None:
        raise RuntimeError("李明 500101199001011234")

    monkeypatch.setattr(past.bank.log, "entry", fail)
    answer = quiet.get("/ledger/entries/7318?of=a-secret-of-somebody")
    assert answer.status_code == 500
    assert "the server made a mistake" in answer.text
    assert quiet.get("/nothing-of-the-kind").status_code == 404
    kept = past.bank.oversight.errors.newest()
    assert len(kept) == before + 1
    assert (kept[0].route, kept[0].status) == ("GET /ledger/entries/{index}", 500)
    page = visitor.get("/operator/errors")
    assert "GET /ledger/entries/{index}" in page
    assert "RuntimeError at bank.api.app, line" in page
    for secret in ("7318", "a-secret-of-somebody", "李明", "500101199001011234"):
        assert secret not in page


def test_chinese(past: PastBank) -> None:
    for role, paths in ((Role.REGULATOR, REGULATOR), (Role.OPERATOR, OPERATOR)):
        visitor = Visitor(past, role)
        visitor.http.cookies.set("language", "zh")
        for path in paths:
            page = visitor.get(path)
            body = re.sub(r"<(script|style|pre|code)[^>]*>.*?</\1>|<[^>]*>", " ", page, flags=re.S)
            assert not re.findall(r"\b(the|of|and|is|not)\b", body.partition("<main")[2]), path


def test_vendored_charts_are_as_recorded_and_pages_are_light() -> None:
    files = assets()
    recorded = json.loads(files["vendor/hashes.json"].data)
    assert recorded == {
        name.removeprefix("vendor/"): sha256(file.data).hexdigest()
        for name, file in files.items()
        if name.startswith("vendor/") and not name.endswith("hashes.json")
    }
    assert b"Apache License" in files["vendor/echarts.LICENSE"].data
    own = ("style.css", "regulator.css", "charts.js", "watch.js")
    assert sum(len(files[name].data) for name in own) < 100_000
