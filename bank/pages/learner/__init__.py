"""The learner's pages: what they hold, what it could be used for, who sees it, what is kept."""

from bank.pages.learner.awards import award_routes
from bank.pages.learner.data import data_routes
from bank.pages.learner.keys import key_routes
from bank.pages.learner.options import option_routes
from bank.pages.learner.passbook import passbook_routes
from bank.pages.learner.shares import share_routes

ROUTES = (passbook_routes, award_routes, option_routes, share_routes, data_routes, key_routes)

__all__ = ["ROUTES"]
