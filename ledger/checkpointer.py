"""Signing checkpoints: only over bytes read back from the store and hashed again.

A checkpoint is stored before anyone sees it. The signer follows the log from the last
checkpoint it stored, so it can never sign two roots for one size, nor a shorter log.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from keys import Signer
from ledger.checkpoint import Checkpoint
from ledger.cosignature import Cosigner, cosign_all
from ledger.errors import NotFound, StoreFault
from ledger.log import latest_checkpoint, read_entries, read_head, tile_reader
from ledger.note import open_note, sign_note
from ledger.store import execute, fetch, writing
from ledger.tiles import TileTree
from ledger.tree import Frontier, leaf_hash


class Checkpointer:
    """Signs the log's checkpoints under its origin."""

    def __init__(
        self,
        engine: Engine,
        origin: str,
        signer: Signer,
        cosigners: Sequence[Cosigner] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`cosigners` are the log's further keys (ML-DSA-44), whose signatures bear a time."""
        self._engine = engine
        self._origin = origin
        self._signer = signer
        self._cosigners = cosigners
        self._clock = clock
        self._halted = ""
        self._lock = threading.Lock()
        self._signed: tuple[Frontier, bytes] | None = None

    def halt(self, reason: str) -> None:
        """Sign nothing from now on: someone has seen another history under this origin."""
        self._halted = reason

    @property
    def halted(self) -> str:
        """Why nothing is signed any more, or empty."""
        return self._halted

    def check(self) -> None:
        """StoreFault if nothing is signed any more: then nothing may be appended either.

        Entries of a restored backup would be another history, which no recovery could undo.
        """
        if self._halted:
            raise StoreFault(self._halted)

    def sign(self) -> str:
        """The signed checkpoint of everything committed; the last one again if nothing is new.

        StoreFault, and no signature, where the stored bytes are not what was committed to.
        """
        self.check()
        with self._lock:
            try:
                with writing(self._engine) as connection:
                    note, signed = self._follow(connection)
            except NotFound as error:
                raise StoreFault(f"{error}; nothing is signed") from error
            # Only now: before its commit a checkpoint counts for nothing.
            self._signed = signed
            return note

    def _follow(self, connection: Connection) -> tuple[str, tuple[Frontier, bytes]]:
        """The checkpoint of everything committed, stored, and where the tree then stands."""
        head = read_head(connection, lock=True)
        frontier, leaf = self._signed or _last_signed(connection)
        if head.size < frontier.size:
            raise StoreFault(
                f"the log has {head.size} entries, fewer than the {frontier.size} already "
                "signed; nothing is signed until the store is restored"
            )
        if head.size == frontier.size:
            if frontier.root != head.root:
                raise StoreFault(
                    f"the head row has another root than the one already signed for {head.size} "
                    "entries; nothing is signed until the store is restored"
                )
            try:
                return latest_checkpoint(connection), (frontier, leaf)
            except NotFound:
                pass
        frontier = frontier.copy()
        for data in read_entries(connection, frontier.size, head.size):
            start = b'{"index":%d,"prev":"%s",' % (frontier.size, leaf.hex().encode())
            if not data.startswith(start):
                raise StoreFault(f"stored entry {frontier.size} does not continue the chain")
            leaf = leaf_hash(data)
            frontier.append(leaf)
        if frontier.root != head.root:
            raise StoreFault(
                f"the {head.size} stored entries do not hash to the root in the head row; "
                "nothing is signed"
            )
        note = self._store(connection, Checkpoint(self._origin, head.size, head.root))
        return note, (frontier, leaf)

    def _store(self, connection: Connection, checkpoint: Checkpoint) -> str:
        time = int(self._clock().timestamp())
        note = sign_note(checkpoint.text, self._origin, self._signer)
        note += cosign_all(self._cosigners, checkpoint.text, time)
        query = "SELECT root, note FROM checkpoints WHERE size = ?"
        stored = fetch(connection, query, (checkpoint.size,))
        if not stored:
            values = (checkpoint.size, checkpoint.root, note)
            insert = "INSERT INTO checkpoints (size, root, note) VALUES (?, ?, ?)"
            execute(connection, insert, values)
            return note
        ((root, earlier),) = stored
        if bytes(root) != checkpoint.root:
            raise StoreFault(f"another root was signed for {checkpoint.size} entries before")
        return str(earlier)


def _last_signed(connection: Connection) -> tuple[Frontier, bytes]:
    """The tree and last leaf at the last stored checkpoint, checked against it."""
    try:
        last = Checkpoint.parse(open_note(latest_checkpoint(connection), ()).text)
    except NotFound:
        return Frontier(), bytes(32)
    if read_head(connection).size < last.size:
        raise StoreFault(
            f"the store holds fewer entries than the {last.size} already signed; nothing is "
            "signed until it is restored"
        )
    frontier = TileTree(tile_reader(connection)).frontier(last.size)
    if frontier.root != last.root:
        raise StoreFault(f"the stored tree of {last.size} entries has not the root once signed")
    if not last.size:
        return frontier, bytes(32)
    (data,) = read_entries(connection, last.size - 1, last.size)
    return frontier, leaf_hash(data)
