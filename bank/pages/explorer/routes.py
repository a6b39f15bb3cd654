"""Entries, checkpoints, look-up, and the status of the log and its witnesses."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from bank.answers import json_answer
from bank.errors import NoSuchThing
from bank.pages.explorer.stories import story
from bank.pages.institution_names import name_by_did
from bank.pages.page import Pages
from bank.service import Bank
from keys import Json, encode
from ledger import Checkpoint, Entry, format_time, open_note, parse_time
from ledger.note import COSIGNATURE_MLDSA44, VerifierKey

_PAGE = 25
_MOST_TEXT = 120


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness and the newest checkpoint it cosigned; size None where it cosigned none shown."""

    operator: str
    url: str
    size: int | None
    time: str
    suites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogStatus:
    """How the log stands: what is published, who cosigned it, and how old that is."""

    origin: str
    size: int
    published: int
    """The entries under the newest checkpoint that is shown to everybody."""
    time: str
    """When it was cosigned last; of the newest entry where there are no witnesses."""
    age: int
    """Seconds since."""
    quorum: int
    cosigners: tuple[Cosigner, ...]

    @property
    def witnessed(self) -> int:
        """How many operators cosigned the published checkpoint."""
        return sum(1 for item in self.cosigners if item.size == self.published)

    def to_json(self) -> dict[str, Json]:
        """For programs."""
        cosigners: list[Json] = [
            {
                "operator": item.operator,
                "size": item.size,
                "time": item.time,
                "url": item.url,
            }
            for item in self.cosigners
        ]
        return {
            "age": self.age,
            "origin": self.origin,
            "published": self.published,
            "quorum": self.quorum,
            "size": self.size,
            "time": self.time,
            "witnessed": self.witnessed,
            "witnesses": cosigners,
        }


def log_status(bank: Bank, now: datetime) -> LogStatus:
    """How the log stands now; every signature that is told of was checked."""
    registry = bank.registry()
    note = bank.log.checkpoint()
    keys = {key: record for record in registry.witnesses.values() for key in record.keys}
    opened = open_note(note, [*bank.log_keys, *keys])
    published = Checkpoint.parse(opened.text).size
    cosigners = []
    for record in registry.witnesses.values():
        own = [item for item in opened.signatures if item.key in record.keys]
        times = [item.time for item in own if item.time is not None]
        seen = format_time(datetime.fromtimestamp(max(times), UTC)) if times else ""
        suites = tuple(_suite(item.key) for item in own)
        size = published if own else None
        cosigners.append(Cosigner(record.operator, record.url, size, seen, suites))
    newest = max((item.time for item in cosigners), default="")
    time = newest or Entry.parse(bank.log.entry(published - 1)).time
    age = int((now - parse_time(time)).total_seconds())
    size = bank.log.size()
    return LogStatus(
        *(bank.settings.origin, size, published, time, max(age, 0), registry.quorum),
        tuple(sorted(cosigners, key=lambda item: item.operator)),
    )


def explorer_routes(pages: Pages) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank = pages.bank

    @routes.get("/explore")
    def explore(request: Request, before: int = 2**53, index: str = "") -> Response:
        """The newest entries, and the checkpoint they stand under."""
        if index.strip().isdigit():
            return RedirectResponse(f"/entries/{int(index)}", 303)
        words = pages.words(request)
        name_of = name_by_did(words, bank.registry(), bank.settings)
        end = max(0, min(before, bank.log.size()))
        start = max(0, end - _PAGE)
        entries = [Entry.parse(data) for data in bank.log.entries(start, end)]
        told = [(entry, story(entry.signed.statement, words, name_of)) for entry in entries]
        return pages.show(
            request,
            "explorer/explore.html",
            status=log_status(bank, bank.now()),
            note=bank.log.checkpoint(),
            told=told[::-1],
            start=start,
            end=end,
            asked=index,
        )

    @routes.get("/entries/{index}")
    def entry(request: Request, index: int) -> Response:
        """One entry: what it says, who signed it, and how to check it oneself."""
        if not 0 <= index < 2**53:
            raise NoSuchThing("entries are numbered from 0")
        found = Entry.parse(bank.log.entry(index))
        statement = found.signed.statement
        words = pages.words(request)
        name_of = name_by_did(words, bank.registry(), bank.settings)
        lot = statement.body.get("lot")
        known = bank.lots.find(lot) if isinstance(lot, str) else None
        return pages.show(
            request,
            "explorer/entry.html",
            entry=found,
            statement=statement,
            sentence=story(statement, words, name_of),
            fields=[(name, _text(value)) for name, value in statement.body.items()],
            signers=_signers(bank, found, name_of),
            lot=known,
            last=bank.log.size() - 1,
        )

    @routes.get("/explore/lookup")
    def lookup(request: Request, q: str = "") -> Response:
        """The entry that records a credential, by commitment or lot."""
        found, problem = None, ""
        wanted = q.strip()[:_MOST_TEXT]
        if wanted:
            found = bank.lots.find(wanted) or bank.lots.committed(wanted)
            problem = "" if found else wanted
        return pages.show(
            request, "explorer/lookup.html", 404 if problem else 200, found=found, missing=problem
        )

    @routes.get("/explore/status")
    def status(request: Request) -> Response:
        """The log, its witnesses, and how to watch it oneself."""
        return pages.show(
            request,
            "explorer/status.html",
            status=log_status(bank, bank.now()),
            program=_version(),
            public_url=bank.settings.public_url,
        )

    @routes.get("/explore/status.json")
    def status_json() -> Response:
        """The same for programs."""
        value = log_status(bank, bank.now()).to_json()
        return json_answer({**value, "version": _version()})

    return routes


def _signers(bank: Bank, entry: Entry, name_of: Callable[[str], str]) -> list[tuple[str, str, str]]:
    """Key, whose it is, and in whose hand, of each signature."""
    registry = bank.registry()
    found = []
    for key, _ in entry.signed.signatures:
        who, hand = "", ""
        for did, member in registry.members.items():
            if key in member.keys:
                who, hand = name_of(did), member.keys[key].person
        roots = () if registry.identity is None else registry.identity.roots
        if not who and any(key in root.keys for root in roots):
            who, hand = "", "governance"
        found.append((key, who, hand))
    return found


def _text(value: Json) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _suite(key: VerifierKey) -> str:
    return "ML-DSA-44" if key.kind == COSIGNATURE_MLDSA44 else "Ed25519"


@cache
def _version() -> str:
    try:
        return version("creditbank")
    except PackageNotFoundError:
        return ""
