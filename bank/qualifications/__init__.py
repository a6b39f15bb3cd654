"""What a learner's credit lots come to under a qualification requirement.

Pure: no database, no network, no clock. Whoever has the lots, the requirement and the day comes
to the same evaluation, whatever order the lots are given in.
"""

from bank.qualifications.errors import BadHolding, BadRequirement, QualificationsError
from bank.qualifications.evaluation import evaluate, evaluation_to_json
from bank.qualifications.ledger_facts import (
    evaluate_lots,
    holding_of,
    requirement_of,
    usable_holdings,
)
from bank.qualifications.model import (
    Cap,
    Evaluation,
    Holding,
    InstitutionCap,
    Line,
    Minimum,
    PeriodCap,
    Requirement,
    Source,
    Unused,
    Used,
)

__all__ = [
    "BadHolding",
    "BadRequirement",
    "Cap",
    "Evaluation",
    "Holding",
    "InstitutionCap",
    "Line",
    "Minimum",
    "PeriodCap",
    "QualificationsError",
    "Requirement",
    "Source",
    "Unused",
    "Used",
    "evaluate",
    "evaluate_lots",
    "evaluation_to_json",
    "holding_of",
    "requirement_of",
    "usable_holdings",
]
