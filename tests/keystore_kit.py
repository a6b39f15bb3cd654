"""Keystores and passwords that open at once; what users get is shown in test_keystore.py."""

from nacl import pwhash

from keys import write_keystore

USERS = dict(write_keystore.__kwdefaults__ or {})
"""What a keystore costs that a user makes: 64 MiB and two passes, a tenth of a second each time."""


def make_cheap() -> None:
    """From here on, whatever this process derives for new keystores and passwords is cheap.

    A bank has four keystores, and nearly every test makes and opens a bank: at the cost that users
    have, that was a third of the time of all tests. The format is the same, and files and hashes
    say their cost themselves, so that whoever opens them does nothing differently.
    """
    least = {"operations": 1, "memory": 8192}
    write_keystore.__kwdefaults__ = {**USERS, **least}
    pwhash.argon2id.str.__defaults__ = tuple(least.values())
