"""The regulator's figures, from the log alone: anyone with it comes to the same."""

from bank.reports.alerts import Alert, alerts
from bank.reports.balance import balance_table
from bank.reports.figures import Figures, figures
from bank.reports.report import SMALLEST_CELL, Act, Report, make_report
from bank.reports.suppression import Cell, suppress
from bank.reports.tables import Table, tables

__all__ = [
    "SMALLEST_CELL",
    "Act",
    "Alert",
    "Cell",
    "Figures",
    "Report",
    "Table",
    "alerts",
    "balance_table",
    "figures",
    "make_report",
    "suppress",
    "tables",
]
