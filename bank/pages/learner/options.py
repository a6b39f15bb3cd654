"""What a learner could do with the credits: who takes which award for what, what is near."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bank.pages.learner.desk import Desk, part
from bank.pages.learner.names import Names, ShownAward
from bank.pages.page import Pages
from bank.pages.visitor import Visitors
from bank.passbook import plain
from bank.prospects import Option, Prospect
from bank.qualifications import Line as Condition
from bank.qualifications import Unused
from bank.recognition import Decision, in_words
from bank.sign_in import Person

_AWARDS: Final = 10
_DECISIONS: Final = 4
_NEAREST: Final = 6
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a decision or an evaluation; `met` is None where it could not be checked."""

    met: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """What an institution takes an award for, and every line of why."""

    institution: str
    title: str
    rule: str
    credits: str
    exemption: bool
    expires: str
    unchecked: bool
    lines: tuple[ShownLine, ...]


@dataclass(frozen=True, slots=True)
class ShownOption:
    """An award with what it is taken for; `more` decisions are not shown."""

    award: ShownAward
    decisions: tuple[ShownDecision, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ShownProspect:
    """A qualification and how far the credits reach."""

    title: str
    institution: str
    level: str
    percent: int
    met: bool
    total: str
    wanted: str
    scheme: str
    missing: tuple[ShownLine, ...]
    there: tuple[ShownLine, ...]
    used: tuple[str, ...]
    unused: tuple[str, ...]
    complete: bool


def option_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The pages at `/learner/options`."""
    routes = APIRouter(include_in_schema=False)
    bank, desk = pages.bank, Desk(pages)
    learner = Annotated[Person, Depends(visitors.person)]

    @routes.get("/learner/options")
    def options(
        request: Request, person: learner, page: int = 1, award: str = "", near: str = ""
    ) -> Response:
        """Who takes which award, and the qualifications in reach; `award` alone where it is given.

        `near=all` shows every qualification.
        """
        names, time = desk.names(request), desk.time
        accounts = desk.accounts(person)
        awards = bank.reckoning.awards(accounts)
        found = bank.reckoning.options(awards)
        taken = [one for one in found if one.decisions]
        chosen = [one for one in taken if one.award.name == award]
        shown = part(chosen or taken, page, _AWARDS)
        reach = bank.reckoning.prospects(accounts, _MOST if near == "all" else _NEAREST)
        titles = {
            item.lot.lot: names.unit(item.lot.facts.institution, item.lot.facts.unit)
            for item in awards
        }
        return desk.show(
            request,
            person,
            "options.html",
            shown=shown,
            options=[
                _option(one, names, time, None if chosen else _DECISIONS) for one in shown.items
            ],
            one=bool(chosen),
            usable=len(found),
            untaken=len(found) - len(taken),
            prospects=[_prospect(one, names, titles) for one in reach.nearest],
            known=reach.known,
        )

    return routes


def _option(option: Option, names: Names, time: str, most: int | None) -> ShownOption:
    shown = option.decisions[:most]
    return ShownOption(
        names.award(option.award, time),
        tuple(_decision(one, names) for one in shown),
        len(option.decisions) - len(shown),
    )


def _decision(decision: Decision, names: Names) -> ShownDecision:
    chinese = names.words.language == "zh"
    lines = tuple(
        ShownLine(line.passed, names.spoken(in_words(line)[chinese])) for line in decision.lines
    )
    return ShownDecision(
        names.institution(decision.rule.author),
        names.unit(decision.rule.author, decision.rule.target),
        f"{names.words.pick(decision.rule.titles)} ({decision.rule.name})",
        plain(decision.credits),
        decision.exemption,
        decision.expires,
        bool(decision.unchecked),
        lines,
    )


def _prospect(prospect: Prospect, names: Names, titles: dict[str, str]) -> ShownProspect:
    evaluation, requirement = prospect.evaluation, prospect.requirement
    chinese = names.words.language == "zh"

    def shown(line: Condition) -> ShownLine:
        return ShownLine(line.met, names.spoken(line.zh if chinese else line.en))

    # That it is in force is known: no other is shown.
    lines = [line for line in evaluation.lines if line.code != "in-force"]
    total = next(line for line in lines if line.code == "total")
    return ShownProspect(
        title=names.words.pick(requirement.titles),
        institution=names.institution(requirement.author),
        level=str(requirement.level),
        percent=int(prospect.reached * 100),
        met=evaluation.met,
        total=total.got,
        wanted=total.wanted,
        scheme=names.scheme(requirement.scheme),
        missing=tuple(shown(line) for line in lines if not line.met),
        there=tuple(shown(line) for line in lines if line.met),
        used=tuple(titles.get(one.lot, one.lot) for one in evaluation.used),
        unused=tuple(
            f"{titles.get(one.lot, one.lot)} · {_why(one, names, titles)}"
            for one in evaluation.unused
        ),
        complete=evaluation.complete,
    )


def _why(unused: Unused, names: Names, titles: dict[str, str]) -> str:
    sentence = unused.zh if names.words.language == "zh" else unused.en
    return names.spoken(sentence.replace(unused.by, titles.get(unused.by, unused.by)))
