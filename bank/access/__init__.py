"""Who may use the pages: people and their roles, invitations, passkeys, passwords, sessions."""

from bank.access.desk import Access
from bank.access.model import Invitation, Person, Role, Session, Site
from bank.access.passwords import totp_uri

__all__ = ["Access", "Invitation", "Person", "Role", "Session", "Site", "totp_uri"]
