"""What people's roles are called, and the institutions that they serve."""

from bank.pages.language import N_, Words
from bank.pages.page import Pages
from bank.sign_in import Role


def role_name(words: Words, role: Role) -> str:
    """What a role is called."""
    names = {
        Role.REGISTRAR: N_("Registrar"),
        Role.APPROVER: N_("Approver"),
        Role.ADMIN: N_("Institution's administrator"),
        Role.OPERATOR: N_("Operator"),
        Role.REGULATOR: N_("Regulator"),
        Role.LEARNER: N_("Learner"),
    }
    return words.say(names[role])


def scope_name(pages: Pages, words: Words, role: Role, scope: str) -> str:
    """The name of the institution that a person serves; empty for others."""
    if not role.is_institution:
        return ""
    members = pages.bank.registry().members
    found = [item.names for did, item in members.items() if did.endswith(f":members:{scope}")]
    return words.pick(found[0]) if found else scope
