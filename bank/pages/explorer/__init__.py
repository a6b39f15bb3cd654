"""The public ledger for everybody: entries in plain words, registers, checks of one's own."""

from bank.pages.explorer.registers import register_routes
from bank.pages.explorer.routes import explorer_routes

__all__ = ["explorer_routes", "register_routes"]
