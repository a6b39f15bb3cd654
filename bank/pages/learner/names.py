"""What things on the ledger are called by people: institutions, units, schemes, states."""

import re
from dataclasses import dataclass
from typing import Final

from bank.awards import Award, AwardState
from bank.pages.institution_names import name_by_did
from bank.pages.language import N_, Words
from bank.settings import Settings
from ledger import Registry

_DID: Final = re.compile(r"did:web:[A-Za-z0-9.%:_-]*[A-Za-z0-9]", re.ASCII)
_STATES: Final = {
    AwardState.USABLE: N_("Usable"),
    AwardState.EXPIRED: N_("Expired"),
    AwardState.RESERVED: N_("Held for an application"),
    AwardState.SUSPENDED: N_("Suspended"),
    AwardState.LEAVING: N_("On its way to another bank"),
    AwardState.REDEEMED: N_("Used for a qualification"),
    AwardState.CONVERTED: N_("Converted"),
    AwardState.TRANSFERRED: N_("At another bank"),
    AwardState.SUPERSEDED: N_("Corrected by another"),
    AwardState.REVOKED: N_("Revoked"),
    AwardState.CONFERRED: N_("Qualification"),
}
_MEANINGS: Final = {
    AwardState.USABLE: N_(
        "You can use it: have it recognised by an institution, or count it towards a qualification."
    ),
    AwardState.EXPIRED: N_(
        "Its last day was %(day)s. It still proves what you learned, but can no longer be used."
    ),
    AwardState.RESERVED: N_(
        "%(who)s holds it for your application until %(day)s. If it is not used by then it is "
        "yours to use again."
    ),
    AwardState.SUSPENDED: N_(
        "%(who)s has suspended it: it cannot be used until that ends. Ask there what for."
    ),
    AwardState.LEAVING: N_(
        "It is being moved to another credit bank, %(who)s. Until that is done nobody can use it."
    ),
    AwardState.REDEEMED: N_(
        "%(who)s counted it towards a qualification. It is spent, and still proves what you "
        "learned."
    ),
    AwardState.CONVERTED: N_(
        "%(who)s took it and awarded credits of its own for it; those count in its place."
    ),
    AwardState.TRANSFERRED: N_("It is kept by another credit bank now, %(who)s, and counts there."),
    AwardState.SUPERSEDED: N_("%(who)s replaced it by a corrected award, which counts instead."),
    AwardState.REVOKED: N_("%(who)s revoked it, so it counts no more."),
    AwardState.CONFERRED: N_("A qualification is no credits: it stays, and cannot be used up."),
}
_GOOD: Final = (AwardState.USABLE, AwardState.CONFERRED)
_WAITING: Final = (AwardState.RESERVED, AwardState.SUSPENDED, AwardState.LEAVING)
_BY_HOLDER: Final = (AwardState.RESERVED, AwardState.REDEEMED, AwardState.CONVERTED)
_ELSEWHERE: Final = (AwardState.LEAVING, AwardState.TRANSFERRED)
_MOVEMENTS: Final = {
    "awarded": N_("awarded"),
    "converted here": N_("converted from another award"),
    "recognised as prior learning": N_("recognised as prior learning"),
    "corrected": N_("awarded anew by a correction"),
    "transferred in": N_("came from another bank"),
    "redeemed": N_("used for a qualification"),
    "converted elsewhere": N_("converted by another institution"),
    "transferred out": N_("moved to another bank"),
    "replaced by a correction": N_("taken back by a correction"),
    "revoked": N_("taken back: revoked"),
    "expired": N_("expired"),
}


@dataclass(frozen=True, slots=True)
class ShownAward:
    """An award as a list shows it; `look` is the badge's class."""

    name: str
    title: str
    code: str
    institution: str
    credits: str
    scheme: str
    level: str
    awarded: str
    expires: str
    state: str
    look: str
    meaning: str
    entry: int
    usable: bool


class Names:
    """What the registry calls things, in one language."""

    def __init__(self, words: Words, registry: Registry, settings: Settings) -> None:
        self.words = words
        self._registry = registry
        self.institution = name_by_did(words, registry, settings)
        catalogue = registry.catalogue
        slugs = {name: one.titles for name, one in catalogue.schemes.items()}
        slugs |= {name: one.titles for name, one in catalogue.frameworks.items()}
        self._slugs = {name: words.pick(titles) for name, titles in slugs.items()}
        known = "|".join(sorted(map(re.escape, self._slugs), key=len, reverse=True))
        self._slug = re.compile(rf"(?<![\w-])(?:{known})(?![\w-])", re.ASCII) if known else None

    def unit(self, institution: str, name: str) -> str:
        """A unit or a qualification; its code where it is not published here."""
        catalogue = self._registry.catalogue
        unit = catalogue.units.get((institution, name))
        if unit is not None:
            return self.words.pick(unit.titles)
        qualification = catalogue.qualifications.get((institution, name))
        return self.words.pick(qualification.body["title"]) if qualification is not None else name

    def scheme(self, name: str) -> str:
        """A credit scheme."""
        return self._slugs.get(name, name)

    def level(self, level: str) -> str:
        """A level."""
        return self.words.say(N_("Level %(level)s")) % {"level": level}

    def movement(self, kind: str) -> str:
        """How credits came or went."""
        return self.words.say(_MOVEMENTS[kind])

    def spoken(self, sentence: str) -> str:
        """A sentence about the ledger with names for what has one, as a sentence begins."""
        named = _DID.sub(lambda match: self.institution(match[0]), sentence)
        if self._slug is not None:
            named = self._slug.sub(lambda match: self._slugs[match[0]], named)
        return named[:1].upper() + named[1:]

    def award(self, award: Award, time: str) -> ShownAward:
        """An award as it stands at `time`."""
        lot, state = award.lot, award.state(time)
        facts, standing = lot.facts, lot.standing
        who = facts.institution
        if state in _BY_HOLDER or state in _ELSEWHERE:
            who = standing.holder or who
        day = facts.expires if state is AwardState.EXPIRED else standing.until[:10]
        values = {"who": self.institution(who), "day": self.words.day(day)}
        return ShownAward(
            name=award.name,
            title=self.unit(facts.institution, facts.unit),
            code=facts.unit,
            institution=self.institution(facts.institution),
            credits="" if state is AwardState.CONFERRED else facts.credits,
            scheme=self.scheme(facts.scheme),
            level=facts.level,
            awarded=facts.awarded,
            expires=facts.expires,
            state=self.words.say(_STATES[state]),
            look=_look(state),
            meaning=self.words.say(_MEANINGS[state]) % values,
            entry=lot.award_index,
            usable=state is AwardState.USABLE,
        )


def _look(state: AwardState) -> str:
    if state in _GOOD:
        return "good"
    if state in _WAITING:
        return "warn"
    return "bad" if state is AwardState.REVOKED else ""
