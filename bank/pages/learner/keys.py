"""Holder keys: one made in the page is bound by a proof that it is there, any is removed again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from bank.answers import json_answer
from bank.errors import BadRequest
from bank.openid4vci import WalletError, holder_of_proof
from bank.pages.learner.desk import Desk
from bank.pages.page import Pages
from bank.pages.sentences import told
from bank.pages.visitor import Visitors, field
from bank.sign_in import Person
from keys import Json


def key_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes under `/learner/keys`; the keys are shown with what else is held."""
    routes = APIRouter(include_in_schema=False)
    bank, desk = pages.bank, Desk(pages)
    learner = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    @routes.post("/learner/keys/challenge")
    def challenge(request: Request, form: posted, person: learner) -> Response:
        """What the page's new key is to sign; the bank's time, for clocks that are wrong."""
        asked: dict[str, Json] = {
            "issuer": bank.settings.public_url,
            "nonce": bank.wallets.nonce(),
            "time": int(bank.now().timestamp()),
        }
        return json_answer(asked)

    @routes.post("/learner/keys")
    def bind(request: Request, form: posted, person: learner) -> Response:
        """Bind the key that signed, to every account of the learner."""
        accounts = desk.accounts(person)
        if not accounts:
            raise BadRequest("there is no award in your record yet that a key could be for")
        proof = field(form, "proof")
        try:
            did, nonce = holder_of_proof(proof, bank.settings.public_url, bank.now())
            bank.wallets.bind_all(accounts, did, nonce)
        except WalletError as error:
            # A script shows it, which knows no languages.
            return json_answer({"detail": told(pages.words(request), str(error))}, 400)
        return json_answer({"did": did, "next": "/learner/data#keys"})

    @routes.post("/learner/keys/remove")
    def remove(request: Request, form: posted, person: learner) -> Response:
        """Bind a key no more."""
        bank.wallets.unbind(desk.accounts(person), field(form, "did"))
        return desk.onward(request, person, "/learner/data#keys", "unbound")

    return routes
