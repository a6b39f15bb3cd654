"""A registrar's results file, and the mapping that explains it, become results ready for award.

Pure apart from reading the two files: no database, no network, no ledger, no clock.
"""

from bank.results.errors import BadEncoding, BadMapping, BadTable, ResultsError
from bank.results.mapping import Mapping, read_mapping
from bank.results.model import Learner, Preview, Problem, Result, UnitRef
from bank.results.reader import read_results

__all__ = [
    "BadEncoding",
    "BadMapping",
    "BadTable",
    "Learner",
    "Mapping",
    "Preview",
    "Problem",
    "Result",
    "ResultsError",
    "UnitRef",
    "read_mapping",
    "read_results",
]
