"""What a page tells after a form was sent: sealed in a cookie, for its person, for some minutes.

A secret that is shown only once, such as a new link, is so in no address, no log and no table.
"""

from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from bank.errors import NoSuchThing
from bank.sign_in import Person
from bank.vault import Vault
from keys import KeysError, b64u_decode, b64u_encode, encode, parse

_COOKIE: Final = "notice"
_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, and what belongs to it."""

    kind: str
    values: tuple[str, ...] = ()


class Notices:
    """Hands notices over from one request to the next."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def onward(self, request: Request, person: Person, target: str, notice: Notice) -> Response:
        """On to a page under `target` that shows the notice."""
        sealed = self._vault.seal_access(encode([notice.kind, *notice.values]), _seal(person))
        response = RedirectResponse(target, 303)
        response.set_cookie(
            _COOKIE,
            b64u_encode(sealed),
            max_age=_SECONDS,
            path="/learner",
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
        return response

    def take(self, request: Request, person: Person) -> Notice | None:
        """The notice for this person, if there is one."""
        try:
            sealed = b64u_decode(request.cookies[_COOKIE])
            value = parse(self._vault.open_access(sealed, _seal(person)))
        except (KeyError, KeysError, NoSuchThing):
            return None
        texts = [str(item) for item in value] if isinstance(value, list) else []
        return Notice(texts[0], tuple(texts[1:])) if texts else None

    def drop(self, response: Response) -> None:
        """Forget the notice."""
        response.delete_cookie(_COOKIE, path="/learner")


def _seal(person: Person) -> str:
    return f"notice|{person.person}"
