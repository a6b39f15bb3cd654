"""Rows of people, sessions, invitations and challenges; every function works in a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select

from bank.errors import NoSuchThing
from bank.sign_in.model import Invitation, Person, Role
from bank.sign_in.passkeys import NewPasskey
from bank.tables import challenges, identities, invitations, passkeys, people, sessions


@dataclass(frozen=True, slots=True)
class Login:
    """A person, and what their password is checked against."""

    person: Person
    password: str
    totp: bytes | None
    totp_step: int
    failures: int
    locked_until: str


def count_people(connection: Connection) -> int:
    """How many may sign in, and have a way to."""
    others = (passkeys.c.person, identities.c.person)
    known = [people.c.person.in_(select(column)) for column in others]
    query = select(func.count()).where(people.c.ended == "", or_(people.c.password != "", *known))
    return int(connection.execute(query).scalar_one())


def find_login(connection: Connection, login: str) -> Login | None:
    """Whoever signs in by this name, locked until the transaction ends."""
    query = select(people).where(people.c.login == login, people.c.ended == "").with_for_update()
    row = connection.execute(query).first()
    if row is None:
        return None
    return Login(
        _person(row), row.password, row.totp, row.totp_step, row.failures, row.locked_until
    )


def find_person(connection: Connection, person: str) -> Person:
    """A person who may sign in; NoSuchThing if there is none of this identifier."""
    query = select(people).where(people.c.person == person, people.c.ended == "")
    row = connection.execute(query).first()
    if row is None:
        raise NoSuchThing("there is no such person here any more")
    return _person(row)


def list_people(connection: Connection, scope: str | None) -> list[Person]:
    """Everybody of a scope, or all but learners, by name; those who have ended too."""
    keys = select(func.count()).where(passkeys.c.person == people.c.person).scalar_subquery()
    query = select(people, keys.label("keys")).order_by(people.c.name, people.c.person)
    if scope is None:
        query = query.where(people.c.role != Role.LEARNER)
    else:
        query = query.where(people.c.scope == scope)
    return [_person(row, row.keys) for row in connection.execute(query)]


def add_person(connection: Connection, person: Person, password: str, totp: bytes | None) -> None:
    """Keep a new person."""
    connection.execute(
        people.insert().values(
            person=person.person,
            login=person.login,
            name=person.name,
            role=person.role,
            scope=person.scope,
            password=password,
            totp=totp,
            totp_step=0,
            failures=0,
            locked_until="",
            made=person.made,
            ended="",
        )
    )


def change_person(connection: Connection, person: str, **values: object) -> None:
    """Change some columns of a person's row."""
    connection.execute(people.update().where(people.c.person == person).values(**values))


def forget_people(connection: Connection, scopes: Sequence[str]) -> None:
    """Delete everybody of these scopes, with all they sign in by."""
    own = select(people.c.person).where(people.c.scope.in_(scopes))
    for table in (sessions, passkeys, identities):
        connection.execute(delete(table).where(table.c.person.in_(own)))
    connection.execute(delete(people).where(people.c.scope.in_(scopes)))
    connection.execute(delete(invitations).where(invitations.c.scope.in_(scopes)))


def add_session(connection: Connection, session: bytes, person: str, now: str) -> None:
    """Keep a new session by its hash."""
    connection.execute(sessions.insert().values(session=session, person=person, made=now, seen=now))


def find_session(connection: Connection, session: bytes) -> tuple[Person, str, str] | None:
    """Whose session this is, when it began and when it was last seen."""
    query = select(people, sessions.c.made.label("begun"), sessions.c.seen).join(
        sessions, sessions.c.person == people.c.person
    )
    row = connection.execute(
        query.where(sessions.c.session == session, people.c.ended == "")
    ).first()
    return None if row is None else (_person(row), row.begun, row.seen)


def touch_session(connection: Connection, session: bytes, now: str) -> None:
    """Note that a session was used."""
    connection.execute(sessions.update().where(sessions.c.session == session).values(seen=now))


def end_sessions(connection: Connection, person: str) -> None:
    """End every session of a person."""
    connection.execute(delete(sessions).where(sessions.c.person == person))


def end_session(connection: Connection, session: bytes) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(sessions.c.session == session))


def clear_old(connection: Connection, now: str, oldest: str) -> None:
    """Delete sessions begun before `oldest`, and what has expired by `now`."""
    connection.execute(delete(sessions).where(sessions.c.made < oldest))
    connection.execute(delete(invitations).where(invitations.c.expires < now))
    connection.execute(delete(challenges).where(challenges.c.expires < now))


def add_invitation(connection: Connection, code: bytes, invitation: Invitation) -> None:
    """Keep an invitation by its hash."""
    connection.execute(
        invitations.insert().values(
            code=code, role=invitation.role, scope=invitation.scope, expires=invitation.expires
        )
    )


def drop_invitations(connection: Connection, role: Role, scope: str) -> None:
    """Delete the open invitations to a role in a scope."""
    connection.execute(
        delete(invitations).where(invitations.c.role == role, invitations.c.scope == scope)
    )


def find_invitation(connection: Connection, code: bytes) -> Invitation | None:
    """The invitation of this hash, locked until the transaction ends."""
    query = select(invitations).where(invitations.c.code == code).with_for_update()
    row = connection.execute(query).first()
    return None if row is None else Invitation(Role(row.role), row.scope, row.expires)


def use_invitation(connection: Connection, code: bytes) -> bool:
    """Delete an invitation; whether it was still there."""
    done = connection.execute(delete(invitations).where(invitations.c.code == code))
    return done.rowcount == 1


def add_challenge(connection: Connection, challenge: bytes, purpose: str, expires: str) -> None:
    """Keep a challenge by its hash."""
    connection.execute(
        challenges.insert().values(challenge=challenge, purpose=purpose, expires=expires)
    )


def use_challenge(connection: Connection, challenge: bytes, purpose: str, now: str) -> bool:
    """Delete a challenge; whether it was there, for this purpose, and not too old."""
    done = connection.execute(
        delete(challenges).where(
            challenges.c.challenge == challenge,
            challenges.c.purpose == purpose,
            challenges.c.expires >= now,
        )
    )
    return done.rowcount == 1


def add_passkey(connection: Connection, person: str, made: NewPasskey, name: str, now: str) -> None:
    """Keep a passkey."""
    connection.execute(
        passkeys.insert().values(
            credential=made.credential,
            person=person,
            public_key=made.public_key,
            count=made.count,
            name=name,
            added=now,
        )
    )


def find_passkey(connection: Connection, credential: bytes) -> tuple[str, bytes, int] | None:
    """Person, public key and signature count of a passkey, locked until the transaction ends."""
    query = select(passkeys).where(passkeys.c.credential == credential).with_for_update()
    row = connection.execute(query).first()
    return None if row is None else (row.person, row.public_key, int(row._mapping["count"]))


def count_passkey(connection: Connection, credential: bytes, count: int) -> None:
    """Keep a passkey's new signature count."""
    connection.execute(
        passkeys.update().where(passkeys.c.credential == credential).values(count=count)
    )


def list_passkeys(connection: Connection, person: str) -> list[tuple[bytes, str, str]]:
    """Identifier, name and day of each of a person's passkeys."""
    query = select(passkeys).where(passkeys.c.person == person).order_by(passkeys.c.added)
    return [(row.credential, row.name, row.added) for row in connection.execute(query)]


def drop_passkey(connection: Connection, person: str, credential: bytes) -> None:
    """Forget a passkey of a person's."""
    connection.execute(
        delete(passkeys).where(passkeys.c.person == person, passkeys.c.credential == credential)
    )


def find_identity(connection: Connection, issuer: str, subject: str) -> str | None:
    """Who this subject of an OpenID provider is here."""
    query = select(identities.c.person).where(
        identities.c.issuer == issuer, identities.c.subject == subject
    )
    return connection.execute(query).scalar_one_or_none()


def add_identity(connection: Connection, issuer: str, subject: str, person: str) -> None:
    """Keep whom a subject of an OpenID provider is."""
    connection.execute(identities.insert().values(issuer=issuer, subject=subject, person=person))


def _person(row: Row[Any], keys: int = 0) -> Person:
    return Person(
        row.person,
        row.login,
        row.name,
        Role(row.role),
        row.scope,
        row.made,
        row.ended,
        keys,
        bool(row.password),
    )
