"""The PostgreSQL server of the tests is real, durable by default, and reachable only from here."""

from __future__ import annotations

import sqlalchemy as sa


def test_postgres_answers(postgres: str) -> None:
    engine = sa.create_engine(postgres)
    with engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version()")).scalar_one()
        assert version.startswith("PostgreSQL ")
        settings = {
            name: connection.execute(sa.text(f"SHOW {name}")).scalar_one()
            for name in ("fsync", "synchronous_commit", "listen_addresses", "server_encoding")
        }
    engine.dispose()
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
    }
