"""A registrar's results file, and the mapping that explains it, become results ready for award.

Pure apart from reading the two files: no database, no network, no ledger, no clock.
"""

from bank.results.errors import BadEncoding, BadMapping, BadTable, ResultsError
from bank.results.mapping import Mapping, mapping_of, parse_toml, read_mapping
from bank.results.model import Learner, Preview, Problem, Result, UnitRef
from bank.results.reader import read_results, results_of
from bank.results.rows import rows_of
from bank.results.values import DATE_FORMATS
from bank.results.workbook import is_workbook, workbook_rows

__all__ = [
    "DATE_FORMATS",
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
    "is_workbook",
    "mapping_of",
    "parse_toml",
    "read_mapping",
    "read_results",
    "results_of",
    "rows_of",
    "workbook_rows",
]
