"""The regulator's figures, from the log alone: anyone with it comes to the same."""

from bank.reports.alerts import Alert, alerts
from bank.reports.figures import Figures, figures
from bank.reports.suppression import Cell, suppress
from bank.reports.tables import Table, tables

__all__ = ["Alert", "Cell", "Figures", "Table", "alerts", "figures", "suppress", "tables"]
