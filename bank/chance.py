"""New random values: secrets, names, digits, identifiers."""

import random
from uuid import UUID

from keys import b64u_encode


class Chance:
    """Draws from one source of randomness, which tests give."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def secret(self) -> str:
        """24 bytes as base64url."""
        return b64u_encode(self._dice.getrandbits(192).to_bytes(24, "big"))

    def name(self) -> str:
        """16 bytes as base64url."""
        # None that begins with a dash: on a command line that looks like an option.
        while (name := b64u_encode(self._dice.getrandbits(128).to_bytes(16, "big")))[0] == "-":
            pass
        return name

    def digits(self, number: int) -> str:
        """That many decimal digits."""
        return f"{self._dice.randrange(10**number):0{number}d}"

    def identifier(self) -> UUID:
        """A UUID of version 4."""
        return UUID(int=self._dice.getrandbits(128), version=4)
