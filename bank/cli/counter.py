"""The bank that an institution stands before: in a folder here, or behind a URL.

Behind a URL only what is public is read, from the published log; what is private, such as whose a
lot is, the institution knows from what the learner shows.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bank.cli.options import bank_passphrase
from bank.errors import BadSetup, NoSuchThing

if TYPE_CHECKING:
    from bank.port import BankPort
    from bank.service import Bank
    from ledger import Lot, Registry


@dataclass(frozen=True)
class Counter:
    """What verbs of an institution need of a bank."""

    domain: str
    port: "BankPort"
    registry: "Registry"
    lot: "Callable[[str], Lot | None]"
    entry: Callable[[int], bytes]
    """The exact bytes of an entry."""
    trust: Callable[[], bytes]
    bank: "Bank | None"
    """The bank itself, where it is in a folder here."""

    def know(self, name: str) -> "Lot":
        """A lot; NoSuchThing where the bank has none of this name."""
        found = self.lot(name)
        if found is None:
            raise NoSuchThing(f"there is no lot {name[:60]} in this bank")
        return found


@contextmanager
def counter(data: Path, url: str, domain: str, members: Path, slug: str) -> Iterator[Counter]:
    """The bank in the folder `data`, or the one behind `url` whose domain is `domain`.

    Behind a URL it is called with the API key of the institution `slug`.
    """
    if url and not domain:
        raise BadSetup("give the bank's domain with --domain where --bank is a URL")
    if url:
        with _remote(url, domain, members, slug) as found:
            yield found
        return
    from bank.opening import LocalBank, open_bank

    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        yield Counter(
            bank.settings.domain,
            LocalBank(bank),
            bank.registry(),
            bank.lots.find,
            bank.log.entry,
            bank.trust.newest,
            bank,
        )


@contextmanager
def _remote(url: str, domain: str, members: Path, slug: str) -> Iterator[Counter]:
    import httpx

    from bank.cli.api_key_verbs import api_key_of
    from bank.cli.web_address import web_address
    from bank.client import BankUnreachable, RemoteBank
    from keys import did_web
    from ledger import Checkpoint, Entry, LotBook, Registry, open_note
    from ledger.sources import open_source

    web_address(url)
    key = {did_web(domain, "members", slug): api_key_of(members, slug)}
    source = open_source(f"{url.rstrip('/')}/log")
    size = Checkpoint.parse(open_note(source.checkpoint(), ()).text).size
    registry, book, entries = Registry(), LotBook(), []
    for data in source.entries(0, size):
        entry = Entry.parse(data)
        book.take(entry)
        registry.apply(entry)
        entries.append(data)

    with httpx.Client(base_url=url, timeout=120) as http:

        def trust() -> bytes:
            try:
                answer = http.get("/trust.json")
            except httpx.HTTPError as error:
                raise BankUnreachable(f"the bank at {url} did not answer ({error})") from error
            if answer.is_error:
                raise BankUnreachable(f"the bank at {url} gave no trust bundle")
            return answer.content

        port = RemoteBank(http, lambda: datetime.now(UTC), key)
        yield Counter(domain, port, registry, book.lots.get, entries.__getitem__, trust, None)
