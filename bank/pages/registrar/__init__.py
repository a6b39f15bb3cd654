"""The pages of an institution's own people: results, awards, approvals, rules and keys."""

from bank.pages.registrar.api_keys import api_key_routes
from bank.pages.registrar.approvals import approval_routes
from bank.pages.registrar.awards import award_routes
from bank.pages.registrar.keys import key_routes
from bank.pages.registrar.rules import rule_routes
from bank.pages.registrar.signing import signing_routes
from bank.pages.registrar.upload_files import upload_file_routes
from bank.pages.registrar.upload_signing import upload_signing_routes
from bank.pages.registrar.uploads import upload_routes

ROUTES = (
    upload_routes,
    upload_file_routes,
    upload_signing_routes,
    award_routes,
    signing_routes,
    approval_routes,
    rule_routes,
    key_routes,
    api_key_routes,
)
