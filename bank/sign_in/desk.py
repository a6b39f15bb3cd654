"""The door: invitations, signing in and out; each operation one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from bank.errors import BadRequest, NoLonger, NotAllowed
from bank.operator_log import SHELL, Act, OperatorLog
from bank.sign_in import passkeys, passwords, store
from bank.sign_in.model import Invitation, Person, Role, Session, Site
from bank.vault import Vault
from keys import b64u_encode
from ledger import format_time, parse_time
from ledger.store import reading, writing

IDLE = timedelta(hours=12)
"""A session that is not used for this long ends."""
LONGEST = timedelta(days=7)
"""No session lasts longer."""
_CHALLENGE = timedelta(minutes=5)
_SEEN_AGAIN = timedelta(minutes=5)
_FREE_TRIES = 5
_FIRST_LOCK = timedelta(minutes=1)
_LONGEST_LOCK = timedelta(hours=1)
_NAME = 80
_WRONG = "the name, the password or the code is wrong"
_SEAL = "totp"


class SignIn:
    """Who may sign in. Secrets are kept as hashes, an authenticator's secret sealed."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], datetime],
        identifier: Callable[[], str],
        log: OperatorLog,
    ) -> None:
        """`identifier` gives 128 new random bits in base64url; `log` hears of everybody's but
        learners' comings and goings.
        """
        self._log = log
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._identifier = identifier

    def anybody(self) -> bool:
        """Whether anybody may sign in yet."""
        with reading(self._engine) as connection:
            return store.count_people(connection) > 0

    def set_up_code(self) -> str:
        """A new code for the first operator, good for a day; earlier ones end."""
        with writing(self._engine) as connection:
            store.drop_invitations(connection, Role.OPERATOR, "")
        return self.invite(Role.OPERATOR, "", timedelta(days=1))

    def invite(
        self, role: Role, scope: str, lasting: timedelta = timedelta(days=14), by: str = SHELL
    ) -> str:
        """The code of a new invitation, told this once; `by` is the person who invites."""
        code = self._identifier()
        expires = format_time(self._clock() + lasting)
        with writing(self._engine) as connection:
            store.add_invitation(connection, _hash(code), Invitation(role, scope, expires))
            self._record(connection, Act.INVITED, role, by=by, institution=scope)
        return code

    def invitation(self, code: str) -> Invitation:
        """What a code invites to; NoLonger where it was used, has ended, or never was."""
        with reading(self._engine) as connection:
            found = store.find_invitation(connection, _hash(code.strip()))
        if found is None or found.expires < self._now():
            raise NoLonger("this invitation was used or has ended; ask for a new one")
        return found

    def spend(self, code: str) -> None:
        """Use an invitation up without joining by it; NoLonger where it was used or has ended."""
        self.invitation(code)
        with writing(self._engine) as connection:
            if not store.use_invitation(connection, _hash(code.strip())):
                raise NoLonger("this invitation was used or has ended; ask for a new one")

    def totp_secret(self, code: str) -> bytes:
        """The secret that an authenticator is to hold when an invitation is taken up."""
        return passwords.totp_secret(self._vault.access, code.strip())

    def accept(
        self, code: str, login: str, name: str, password: str, totp: str, scope: str | None = None
    ) -> str:
        """Take up an invitation with a password and an authenticator; the new session's token."""
        code = code.strip()
        secret = self.totp_secret(code)
        step = passwords.totp_step(secret, totp, self._clock(), 0)
        kept = passwords.hash_password(password)
        if step is None:
            raise BadRequest(
                "the authenticator's code is wrong; check that its clock is right and try the next"
            )
        sealed = self._vault.seal_access(secret, _SEAL)
        return self._join(code, login, name, scope, kept, sealed, step, None)

    def accept_with_passkey(
        self, code: str, login: str, name: str, site: Site, answer: str, scope: str | None = None
    ) -> str:
        """Take up an invitation with a passkey; the new session's token."""
        made = self._registered(site, answer, f"join {code.strip()}")
        return self._join(code.strip(), login, name, scope, "", None, 0, made)

    def accept_as_identity(
        self, code: str, login: str, name: str, issuer: str, subject: str
    ) -> str:
        """Take up an invitation as a subject of an institution's OpenID provider."""
        token = self._join(code.strip(), login, name, None, "", None, 0, None, (issuer, subject))
        return token

    def joining_options(self, code: str, login: str, site: Site, issuer: str) -> str:
        """What the browser is asked for a passkey to take up an invitation with, as JSON."""
        self.invitation(code)
        challenge = self._challenge(f"join {code.strip()}")
        person = b64u_encode(_hash(code.strip())[:16])
        return passkeys.registration_options(site, issuer, person, login or "me", challenge, [])

    def sign_in_with_password(self, login: str, password: str, totp: str) -> str:
        """The token of a new session; NotAllowed where name, password or code is wrong.

        After five failures the name is locked, from a minute up to an hour.
        """
        now = self._clock()
        with writing(self._engine) as connection:
            found = store.find_login(connection, _login(login))
            if found is not None and found.locked_until > format_time(now):
                wait = int((parse_time(found.locked_until) - now).total_seconds() / 60) + 1
                raise NotAllowed(f"too many failures: try again in {wait} minutes")
            right = passwords.password_holds(found.password if found else "", password)
            step = None
            if found is not None and right and found.totp is not None:
                secret = self._vault.open_access(found.totp, _SEAL)
                step = passwords.totp_step(secret, totp, now, found.totp_step)
            if found is not None and step is not None:
                store.change_person(
                    connection, found.person.person, totp_step=step, failures=0, locked_until=""
                )
                return self._begin(connection, found.person)
            if found is not None:
                failures = found.failures + 1
                locked, who = _locked_until(failures, now), found.person
                store.change_person(connection, who.person, failures=failures, locked_until=locked)
                if locked:
                    self._record(connection, Act.LOCKED, who.role, person=who.person)
        raise NotAllowed(_WRONG)

    def sign_in_options(self, site: Site) -> str:
        """What the browser is asked for a passkey to sign in with, as JSON."""
        return passkeys.authentication_options(site, self._challenge("sign in"))

    def sign_in_with_passkey(self, site: Site, answer: str) -> str:
        """The token of a new session; NotAllowed where the passkey is not known here."""
        challenge = passkeys.challenge_of(answer)
        credential = passkeys.credential_of(answer)
        self._use(challenge, "sign in")
        with writing(self._engine) as connection:
            known = store.find_passkey(connection, credential)
            if known is None:
                raise NotAllowed("this passkey is not known here; sign in another way")
            person, key, count = known
            new = passkeys.check_authentication(site, answer, challenge, key, count)
            store.count_passkey(connection, credential, new)
            return self._begin(connection, store.find_person(connection, person))

    def sign_in_as_identity(self, issuer: str, subject: str) -> str:
        """The token of a new session of whoever an OpenID provider says this is."""
        with writing(self._engine) as connection:
            person = store.find_identity(connection, issuer, subject)
            if person is None:
                raise NotAllowed(
                    "nobody here has joined with this account yet; open your invitation first"
                )
            return self._begin(connection, store.find_person(connection, person))

    def passkey_options(self, person: Person, site: Site, issuer: str) -> str:
        """What the browser is asked for one more passkey, as JSON."""
        challenge = self._challenge(f"add {person.person}")
        known = [credential for credential, _, _ in self.passkeys_of(person.person)]
        return passkeys.registration_options(
            site, issuer, person.person, person.login, challenge, known
        )

    def add_passkey(self, person: Person, site: Site, answer: str, name: str) -> None:
        """Keep one more passkey."""
        made = self._registered(site, answer, f"add {person.person}")
        with writing(self._engine) as connection:
            self._keep_passkey(connection, person.person, made, name)
            self._record(connection, Act.PASSKEY_ADDED, person.role, person=person.person)

    def passkeys_of(self, person: str) -> list[tuple[bytes, str, str]]:
        """Identifier, name and day of each of a person's passkeys."""
        with reading(self._engine) as connection:
            return store.list_passkeys(connection, person)

    def drop_passkey(self, person: Person, credential: bytes) -> None:
        """Forget a passkey; BadRequest where it is the only way in."""
        with writing(self._engine) as connection:
            known = store.list_passkeys(connection, person.person)
            if len(known) == 1 and not person.has_password:
                raise BadRequest("this passkey is the only way in; add another first")
            store.drop_passkey(connection, person.person, credential)
            self._record(connection, Act.PASSKEY_DROPPED, person.role, person=person.person)

    def session(self, token: str) -> Session | None:
        """Who is signed in with a token; None where it has ended."""
        digest, now = _hash(token), self._clock()
        with reading(self._engine) as connection:
            found = store.find_session(connection, digest)
        if found is None:
            return None
        person, made, seen = found
        if now - parse_time(made) > LONGEST or now - parse_time(seen) > IDLE:
            self.sign_out(token)
            return None
        if now - parse_time(seen) > _SEEN_AGAIN:
            with writing(self._engine) as connection:
                store.touch_session(connection, digest, format_time(now))
        return Session(person, b64u_encode(_hash(f"form {token}")[:16]))

    def begin(self, person: str) -> str:
        """The token of a new session of somebody whom the caller answers for."""
        with writing(self._engine) as connection:
            return self._begin(connection, store.find_person(connection, person))

    def admit(self, login: str, name: str, role: Role, scope: str) -> Person:
        """Somebody with no way in of their own, for a demonstration; found again if there."""
        with writing(self._engine) as connection:
            found = store.find_login(connection, _login(login))
            if found is not None:
                return found.person
            person = Person(self._identifier(), _login(login), name, role, scope, self._now(), "")
            store.add_person(connection, person, "", None)
            self._record_person(connection, Act.JOINED, person)
            return person

    def sign_out(self, token: str) -> None:
        """End a session."""
        with writing(self._engine) as connection:
            found = store.find_session(connection, _hash(token))
            store.end_session(connection, _hash(token))
            if found is not None:
                self._record_person(connection, Act.SIGNED_OUT, found[0])

    def anybody_of(self, scopes: Sequence[str]) -> bool:
        """Whether anybody who may sign in has one of these scopes."""
        with reading(self._engine) as connection:
            found = [one for scope in scopes for one in store.list_people(connection, scope)]
        return any(not person.ended for person in found)

    def people(self, scope: str | None = None) -> list[Person]:
        """Everybody of a scope; without one, everybody who is no learner."""
        with reading(self._engine) as connection:
            return store.list_people(connection, scope)

    def end(self, person: str, scope: str | None, by: str = SHELL) -> None:
        """Let somebody sign in no more, from now on; of a scope where one is given."""
        with writing(self._engine) as connection:
            found = store.find_person(connection, person)
            if scope is not None and found.scope != scope:
                raise NotAllowed("this person is not one of yours")
            store.change_person(connection, person, ended=self._now())
            store.end_sessions(connection, person)
            self._record(connection, Act.ACCESS_ENDED, found.role, by=by, person=person)

    def _join(
        self,
        code: str,
        login: str,
        name: str,
        scope: str | None,
        password: str,
        totp: bytes | None,
        step: int,
        passkey: passkeys.NewPasskey | None,
        identity: tuple[str, str] | None = None,
    ) -> str:
        invitation = self.invitation(code)
        now = self._now()
        person = Person(
            b64u_encode(_hash(code)[:16]),
            _login(login),
            _text(name, "a name"),
            invitation.role,
            invitation.scope if scope is None else scope,
            now,
            "",
        )
        try:
            with writing(self._engine) as connection:
                if not store.use_invitation(connection, _hash(code)):
                    raise NoLonger("this invitation was used or has ended; ask for a new one")
                store.add_person(connection, person, password, totp)
                store.change_person(connection, person.person, totp_step=step)
                if passkey is not None:
                    self._keep_passkey(connection, person.person, passkey, "")
                if identity is not None:
                    store.add_identity(connection, *identity, person.person)
                token = self._begin(connection, person)
                self._record_person(connection, Act.JOINED, person)
                return token
        except IntegrityError as error:
            raise BadRequest(f"the name {person.login} is taken; choose another") from error

    def _registered(self, site: Site, answer: str, purpose: str) -> passkeys.NewPasskey:
        challenge = passkeys.challenge_of(answer)
        self._use(challenge, purpose)
        return passkeys.check_registration(site, answer, challenge)

    def _keep_passkey(
        self, connection: Connection, person: str, made: passkeys.NewPasskey, name: str
    ) -> None:
        store.add_passkey(connection, person, made, name[:_NAME], self._now())

    def _challenge(self, purpose: str) -> bytes:
        challenge = self._identifier().encode() + self._identifier().encode()
        expires = format_time(self._clock() + _CHALLENGE)
        with writing(self._engine) as connection:
            store.add_challenge(connection, _digest(challenge), purpose, expires)
        return challenge

    def _use(self, challenge: bytes, purpose: str) -> None:
        # By itself, so that an answer that then fails has used its challenge up.
        with writing(self._engine) as connection:
            known = store.use_challenge(connection, _digest(challenge), purpose, self._now())
        if not known:
            raise NotAllowed("that took too long; try again")

    def _begin(self, connection: Connection, person: Person) -> str:
        now = self._clock()
        store.clear_old(connection, format_time(now), format_time(now - LONGEST))
        token = self._identifier() + self._identifier()
        store.add_session(connection, _hash(token), person.person, format_time(now))
        self._record_person(connection, Act.SIGNED_IN, person)
        return token

    def _record_person(self, connection: Connection, act: Act, person: Person) -> None:
        """Record what somebody does who is no learner."""
        facts = {"institution": person.scope, "person": person.person}
        self._record(connection, act, person.role, **facts)

    def _record(self, connection: Connection, act: Act, role: Role, **facts: str) -> None:
        if role is Role.LEARNER:
            return
        self._log.record(connection, act, role=role.value, **{k: v for k, v in facts.items() if v})

    def _now(self) -> str:
        return format_time(self._clock())


def _locked_until(failures: int, now: datetime) -> str:
    if failures < _FREE_TRIES:
        return ""
    lock = min(_FIRST_LOCK * 2 ** min(failures - _FREE_TRIES, 10), _LONGEST_LOCK)
    return format_time(now + lock)


def _login(login: str) -> str:
    return _text(login, "a name to sign in with").casefold()


def _text(text: str, what: str) -> str:
    tidy = " ".join(text.split())
    if not 0 < len(tidy) <= _NAME:
        raise BadRequest(f"{what} has 1 to {_NAME} characters")
    return tidy


def _hash(text: str) -> bytes:
    return _digest(text.encode())


def _digest(data: bytes) -> bytes:
    return sha256(data).digest()
