"""How people sign in to the pages: roles, invitations, passkeys, passwords, sessions.

What they, and every other caller, may call is in `bank.authorization`.
"""

from bank.sign_in.desk import SignIn
from bank.sign_in.model import Invitation, Person, Role, Session, Site
from bank.sign_in.passwords import totp_uri

__all__ = ["Invitation", "Person", "Role", "Session", "SignIn", "Site", "totp_uri"]
