"""Appeals: against any decision, with a clock, decided by others than those who took it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keys import Json
from ledger.errors import Refused

KINDS = frozenset(("appeal", "appeal.decide", "revoke", "supersede", "suspend"))
ADVERSE = frozenset(("revoke", "supersede", "suspend"))


@dataclass(frozen=True, slots=True)
class Adverse:
    """A decision against a learner: whose, about which lot, and until when it may be appealed."""

    author: str
    lot: str
    until: str


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal, open while `outcome` is empty. `due` is the day it is to be decided by."""

    name: str
    against: str
    lodged: str
    due: str
    lot: str
    outcome: str = ""
    decided: str = ""


class Appeals:
    """All adverse decisions and appeals, after some number of entries."""

    def __init__(self) -> None:
        self.adverse: dict[int, Adverse] = {}
        self.appeals: dict[str, Appeal] = {}

    def copy(self) -> "Appeals":
        """The same, which later entries do not change."""
        other = Appeals()
        other.adverse, other.appeals = dict(self.adverse), dict(self.appeals)
        return other

    def check(self, kind: str, author: str, body: Mapping[str, Json], day: str) -> None:
        """Refused unless the statement may be made on `day`."""
        if kind in ADVERSE:
            if str(body["appeal"]) <= day:
                raise Refused(f"a {kind} names a day after today until which it may be appealed")
            if "upheld" in body:
                self._check_upheld(author, body)
        elif kind == "appeal":
            self._check_appeal(body, day)
        elif kind == "appeal.decide":
            appeal = self.appeals.get(str(body["appeal"]))
            if appeal is None:
                raise Refused(f"there is no appeal {body['appeal']}")
            if appeal.outcome:
                raise Refused(f"the appeal {appeal.name} was {appeal.outcome} on {appeal.decided}")
            if appeal.against == author:
                raise Refused("an appeal is decided by others than those who took the decision")

    def apply(self, kind: str, author: str, body: Mapping[str, Json], index: int, day: str) -> None:
        """Take a statement, checked before, into the state."""
        if kind in ADVERSE:
            self.adverse[index] = Adverse(author, str(body["lot"]), str(body["appeal"]))
        elif kind == "appeal":
            name, of = str(body["appeal"]), body.get("of")
            lot = self.adverse[of].lot if isinstance(of, int) else ""
            self.appeals[name] = Appeal(name, str(body["against"]), day, str(body["due"]), lot)
        elif kind == "appeal.decide":
            appeal = self.appeals[str(body["appeal"])]
            self.appeals[appeal.name] = replace(appeal, outcome=str(body["outcome"]), decided=day)

    def _check_appeal(self, body: Mapping[str, Json], day: str) -> None:
        name, of = str(body["appeal"]), body.get("of")
        if name in self.appeals:
            raise Refused(f"the appeal {name} was lodged already")
        if str(body["due"]) <= day:
            raise Refused(f"the appeal {name} is due on {body['due']}, which is not after today")
        if isinstance(of, int):
            adverse = self.adverse.get(of)
            if adverse is None:
                raise Refused(f"entry {of} is no suspension, correction or revocation")
            if adverse.author != body["against"]:
                raise Refused(f"entry {of} was decided by {adverse.author}, not {body['against']}")
            if adverse.until < day:
                raise Refused(f"entry {of} could be appealed until {adverse.until}")

    def _check_upheld(self, author: str, body: Mapping[str, Json]) -> None:
        appeal = self.appeals.get(str(body["upheld"]))
        fits = appeal is not None and (appeal.against, appeal.lot) == (author, body["lot"])
        if appeal is None or not fits or appeal.outcome != "upheld":
            raise Refused(f"no appeal {body['upheld']} about the lot {body['lot']} was upheld")
