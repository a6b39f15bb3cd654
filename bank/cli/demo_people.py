"""Who can sign in to the demonstration: one person for each role."""

import secrets
from typing import TYPE_CHECKING

from bank.cli.options import PASSPHRASE_FILE

if TYPE_CHECKING:
    from bank.pages import Demo
    from bank.service import Bank

_STAFF = (
    ("registrar", "周敏 Zhou Min", "bayu-open"),
    ("approver", "何伟 He Wei", "bayu-open"),
    ("admin", "唐静 Tang Jing", "bayu-open"),
    ("regulator", "罗建 Luo Jian", ""),
    ("operator", "谢云 Xie Yun", ""),
)


def demo_people(bank: "Bank") -> "Demo":
    """The demonstration's people, and a new address to sign in at."""
    from bank.pages import Demo
    from bank.sign_in import Role

    people = [
        bank.sign_in.admit(f"demo-{role}", name, Role(role), scope) for role, name, scope in _STAFF
    ]
    account = bank.accounts.names()[0]
    name = bank.accounts.learner_name(account)
    record = bank.learners.record_of(account) or bank.learners.open(name)
    bank.learners.link(record, account)
    people.append(bank.sign_in.admit("demo-learner", name, Role.LEARNER, record))
    data = bank.settings.folder
    hint = (
        f"The registrar signs with the keystores in {data}/members/bayu-open; their passphrase is "
        f"in {data}/{PASSPHRASE_FILE}"
    )
    return Demo(secrets.token_urlsafe(12), people, hint)
