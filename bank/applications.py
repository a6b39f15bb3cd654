"""Applications for a qualification: lots reserved, then used, then the qualification conferred.

Runs where the institution's key is. Every statement speaks of one lot alone and bears a claim
and a hash that only the institution can open, so that the log does not show which lots are one
person's. What gives them away is being appended side by side: so several applications are
handed in together, their statements shuffled.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bank.errors import BadRequest
from bank.institution import Institution, Submission
from bank.port import BankPort
from bank.qualifications import Evaluation, evaluation_to_json
from bank.results import Learner
from keys import Json, KeysError, encode, parse
from ledger import Slot, format_time
from ledger.catalogue import Qualification
from ledger.sequencer import Declined

_FIELDS = {"as_of", "evaluation", "institution", "learner", "lots", "qualification"}
HELD_FOR = timedelta(days=30)
"""How long lots are reserved for an application."""


@dataclass(frozen=True, slots=True)
class Application:
    """A learner's application to one institution: what it uses, as judged on its day."""

    institution: str
    qualification: str
    """`code@version`."""
    learner: Learner
    as_of: str
    """The moment it is judged by."""
    lots: tuple[str, ...]
    evaluation: dict[str, Json]

    def encode(self) -> bytes:
        """As a file of the institution's own: it holds personal data."""
        return encode(
            {
                "as_of": self.as_of,
                "evaluation": self.evaluation,
                "institution": self.institution,
                "learner": {"key": self.learner.key, "name": self.learner.name},
                "lots": list(self.lots),
                "qualification": self.qualification,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Application":
        """Of such a file; BadRequest if it is none."""
        try:
            value = parse(data)
        except KeysError as error:
            raise BadRequest(f"this is no application: {error}") from error
        if not isinstance(value, dict) or set(value) != _FIELDS:
            raise BadRequest("this is no application")
        learner, lots, judged = value["learner"], value["lots"], value["evaluation"]
        if not (
            isinstance(learner, dict)
            and set(learner) == {"key", "name"}
            and isinstance(lots, list)
            and isinstance(judged, dict)
        ):
            raise BadRequest("this is no application")
        return cls(
            str(value["institution"]),
            str(value["qualification"]),
            Learner(str(learner["key"]), str(learner["name"])),
            str(value["as_of"]),
            tuple(str(lot) for lot in lots),
            judged,
        )


def apply_for(
    institution: Institution, evaluation: Evaluation, learner: Learner, now: datetime
) -> Application:
    """An application by what was evaluated; BadRequest, with what is missing, if it is not met."""
    name = f"{evaluation.code}@{evaluation.version}"
    if not evaluation.met:
        missing = " ".join(line.en for line in evaluation.lines if not line.met)
        raise BadRequest(f"{name} is not reached: {missing}")
    lots = tuple(one.lot for one in evaluation.used)
    return Application(
        institution.did, name, learner, format_time(now), lots, evaluation_to_json(evaluation)
    )


def reserve(
    applications: Sequence[Application],
    institution: Institution,
    bank: BankPort,
    dice: random.Random,
) -> None:
    """Reserve every lot of these applications for 30 days, all or none.

    BadRequest says which lot cannot be had and why. Once more, it changes nothing.
    """
    submissions = [
        institution.use(
            "reserve", lot, application=institution.claim(one.as_of, lot), until=_until(one)
        )
        for one in applications
        for lot in one.lots
    ]
    _hand_in(submissions, bank, dice)


def redeem(
    applications: Sequence[Application],
    qualifications: Sequence[Qualification],
    institution: Institution,
    bank: BankPort,
    dice: random.Random,
    now: datetime,
) -> list[Submission]:
    """Use the reserved lots of these applications and confer what they are for, all or none.

    The submissions of the qualifications, in the order of the applications, with credentials.
    BadRequest says which lot cannot be used and why. Once more, it changes nothing.
    """
    slots = bank.slots(institution, [institution.conferment(one.lots) for one in applications])
    conferred = [
        _confer(one, qualification, institution, slot, now)
        for one, qualification, slot in zip(applications, qualifications, slots, strict=True)
    ]
    used = [
        institution.use("redeem", lot, evaluation=institution.sealed(lot, one.evaluation))
        for one in applications
        for lot in one.lots
    ]
    _hand_in([*used, *conferred], bank, dice)
    return conferred


def _confer(
    application: Application,
    qualification: Qualification,
    institution: Institution,
    slot: Slot,
    now: datetime,
) -> Submission:
    if qualification.name != application.qualification:
        raise BadRequest(f"the application is for {application.qualification}")
    return institution.confer(
        qualification,
        application.lots,
        application.learner,
        application.evaluation,
        application.as_of,
        slot,
        now,
    )


def _until(application: Application) -> str:
    # The end of a day, like everybody's: a second of its own would tell which lots are together.
    day = date.fromisoformat(application.as_of[:10]) + HELD_FOR
    return f"{day.isoformat()}T23:59:59Z"


def _hand_in(submissions: list[Submission], bank: BankPort, dice: random.Random) -> None:
    shuffled = dice.sample(submissions, len(submissions))
    reasons = [
        outcome.reason
        for outcome in bank.submit_together(shuffled)
        if isinstance(outcome, Declined) and not outcome.reason.startswith("nothing was appended")
    ]
    if reasons:
        raise BadRequest("; ".join(reasons))
