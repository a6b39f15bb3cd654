"""The counter for uploads: kept sealed under a key of their own, which ends with the upload."""

import base64
import io
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import islice

from sqlalchemy import Connection, Engine, Row, delete, select

from bank.errors import BadRequest, NoSuchThing
from bank.operator_log import SHELL, Act, OperatorLog
from bank.results import (
    Preview,
    Problem,
    ResultsError,
    is_workbook,
    mapping_of,
    parse_toml,
    results_of,
    rows_of,
    workbook_rows,
)
from bank.tables import column_mappings, uploads
from bank.uploads.model import Contents, Upload, UploadState
from bank.vault import Vault
from ledger import format_time
from ledger.store import reading, scrub, writing

LARGEST = 32 * 1024 * 1024
"""Bytes in a file."""
_MOST_PROBLEMS = 50_000
_KEPT = 4
_OPEN = (UploadState.MAPPING, UploadState.PREVIEW, UploadState.SIGNING)
_DELIMITERS = (",", ";", "\t", "|")


class Uploads:
    """Uploads of all institutions; each call names the one it is for."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], datetime],
        identifier: Callable[[], str],
        log: OperatorLog,
    ) -> None:
        """`identifier` gives 128 new random bits in base64url."""
        self._log = log
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._identifier = identifier
        self._previews: OrderedDict[tuple[str, bytes], Preview] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, institution: str, name: str, data: bytes, mapping: bytes = b"") -> Upload:
        """Keep a file; ResultsError or BadRequest where it cannot be read as a table at all.

        `mapping` is a mapping file, if there is one; else the one used for this header before.
        """
        if not data:
            raise BadRequest(f"{name or 'the file'} is empty; choose the file again")
        if len(data) > LARGEST:
            raise BadRequest(f"{name} is over {LARGEST // 1024 // 1024} MiB; send it in parts")
        header = _header(data, name)
        document = _plain(parse_toml(mapping, "the mapping file")) if mapping else None
        if document is None:
            document = self._remembered(institution, header)
        upload = self._identifier()
        key = self._vault.new_key(upload)
        contents = Contents(name[:120], data, None, False)
        with writing(self._engine) as connection:
            connection.execute(
                uploads.insert().values(
                    upload=upload,
                    institution=institution,
                    made=format_time(self._clock()),
                    state=UploadState.MAPPING,
                    rows=0,
                    done=0,
                    key=key,
                    sealed=self._seal(upload, key, contents),
                )
            )
        if document is not None:
            # A mapping for other columns is no fault of the file: it is made anew at the page.
            if mapping:
                return self.map(institution, upload, document)
            try:
                return self.map(institution, upload, document)
            except ResultsError:
                return self.find(institution, upload)
        return self.find(institution, upload)

    def find(self, institution: str, upload: str) -> Upload:
        """One upload of an institution; NoSuchThing where it has none of this name."""
        with reading(self._engine) as connection:
            return _upload(_row(connection, institution, upload))

    def open(self, institution: str) -> list[Upload]:
        """An institution's uploads, newest first."""
        query = select(uploads).where(uploads.c.institution == institution)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(uploads.c.made.desc()).limit(50))
            return [_upload(row) for row in rows]

    def contents(self, institution: str, upload: str) -> Contents:
        """The file of an open upload; NoSuchThing once it has ended."""
        with reading(self._engine) as connection:
            row = _row(connection, institution, upload)
        return self._opened(row)

    def header(self, institution: str, upload: str) -> list[str]:
        """The columns of the file."""
        contents = self.contents(institution, upload)
        return _header(contents.data, contents.name)

    def rows(self, institution: str, upload: str, count: int) -> list[list[str]]:
        """The first rows below the header, to show."""
        contents = self.contents(institution, upload)
        found = islice(_rows(contents), 1, count + 1)
        return [cells for _, cells in found]

    def lines(self, institution: str, upload: str, wanted: set[int]) -> list[list[str]]:
        """The header, and the rows that begin on these lines, as they stand in the file."""
        found = _rows(self.contents(institution, upload))
        _, header = next(found)
        return [header, *(cells for line, cells in found if line in wanted)]

    def map(self, institution: str, upload: str, document: dict[str, object]) -> Upload:
        """Say how the columns are to be read; ResultsError where that cannot be.

        The mapping is remembered for the next file with this header.
        """
        with writing(self._engine) as connection:
            row = _row(connection, institution, upload, lock=True)
            _check_state(row, UploadState.MAPPING, UploadState.PREVIEW)
            contents = replace(self._opened(row), mapping=document, set_aside=False)
            preview = self._read(institution, contents)
            self._save(connection, row, contents, UploadState.PREVIEW, len(preview.results))
            digest = _digest(_header(contents.data, contents.name))
            _remember(connection, institution, digest, document)
        return self.find(institution, upload)

    def preview(self, institution: str, upload: str) -> Preview:
        """What the file holds by its mapping."""
        contents = self.contents(institution, upload)
        if contents.mapping is None:
            raise BadRequest("say first which column is which")
        return self._preview(institution, upload, contents)

    def start(self, institution: str, upload: str, set_aside: bool) -> Upload:
        """Go on to signing; BadRequest while there are rows with problems not set aside."""
        preview = self.preview(institution, upload)
        if preview.problems and not set_aside:
            raise BadRequest(
                f"{len(preview.problems)} rows need correction: set them aside, or correct the "
                "file and upload it again"
            )
        if not preview.results:
            raise BadRequest("no row of this file gives an award; check the columns, and the file")
        with writing(self._engine) as connection:
            row = _row(connection, institution, upload, lock=True)
            if row.state == UploadState.PREVIEW:
                contents = replace(self._opened(row), set_aside=set_aside)
                self._save(connection, row, contents, UploadState.SIGNING, len(preview.results))
        return self.find(institution, upload)

    def back(self, institution: str, upload: str) -> Upload:
        """Back to the columns, as long as nothing was signed."""
        with writing(self._engine) as connection:
            row = _row(connection, institution, upload, lock=True)
            if row.done:
                raise BadRequest("awards of this file are in the ledger already; finish it first")
            _check_state(row, *_OPEN)
            self._save(connection, row, self._opened(row), UploadState.MAPPING, 0)
        return self.find(institution, upload)

    def advance(self, institution: str, upload: str, done: int) -> Upload:
        """Note that the first `done` awards were handed to the ledger."""
        with writing(self._engine) as connection:
            row = _row(connection, institution, upload, lock=True)
            _check_state(row, UploadState.SIGNING)
            reached = min(max(row.done, done), row.rows)
            connection.execute(
                uploads.update().where(uploads.c.upload == upload).values(done=reached)
            )
        return self.find(institution, upload)

    def finish(self, institution: str, upload: str) -> Upload:
        """End an upload whose awards are in the ledger; the file is destroyed."""
        with writing(self._engine) as connection:
            row = _row(connection, institution, upload, lock=True)
            if row.state != UploadState.FINISHED:
                _check_state(row, UploadState.SIGNING)
                if row.done < row.rows:
                    raise BadRequest(
                        f"{row.rows - row.done} awards of this file are not in the ledger yet"
                    )
                _end(connection, upload, UploadState.FINISHED)
        return self._ended(institution, upload)

    def discard(self, institution: str, upload: str, by: str = SHELL) -> Upload:
        """Destroy an upload's file; what was signed stays in the ledger. `by` is a person."""
        with writing(self._engine) as connection:
            row = _row(connection, institution, upload, lock=True)
            if row.state in _OPEN:
                _end(connection, upload, UploadState.DISCARDED)
                facts = {"by": by, "institution": institution, "upload": upload}
                self._log.record(connection, Act.UPLOAD_DISCARDED, **facts)
        return self._ended(institution, upload)

    def _ended(self, institution: str, upload: str) -> Upload:
        with self._lock:
            for key in [key for key in self._previews if key[0] == upload]:
                del self._previews[key]
        scrub(self._engine)
        return self.find(institution, upload)

    def _preview(self, institution: str, upload: str, contents: Contents) -> Preview:
        written = json.dumps(contents.mapping, sort_keys=True, ensure_ascii=False)
        key = (upload, sha256(written.encode()).digest())
        with self._lock:
            found = self._previews.get(key)
        if found is None:
            found = self._read(institution, contents)
            with self._lock:
                self._previews[key] = found
                while len(self._previews) > _KEPT:
                    self._previews.popitem(last=False)
        return found

    def _read(self, institution: str, contents: Contents) -> Preview:
        assert contents.mapping is not None
        own = {"institution": institution, **contents.mapping}
        names = {institution: institution}
        listed = own["institution"]
        # A file of several institutions gives its own rows here; whose the others are is not known.
        if isinstance(listed, dict) and isinstance(listed.get("values"), dict):
            names |= {str(slug): str(slug) for slug in listed["values"].values()}
        mapping = mapping_of({**own, "delimiter": _delimiter(contents)}, "the mapping")
        preview = results_of(_rows(contents), contents.name, mapping, names, _MOST_PROBLEMS)
        mine = [item for item in preview.results if item.institution == institution]
        foreign = [
            Problem(item.line, "institution", f"is {item.institution}'s, and you are {institution}")
            for item in preview.results
            if item.institution != institution
        ]
        problems = sorted([*preview.problems, *foreign], key=lambda problem: problem.line)
        return replace(preview, results=tuple(mine), problems=tuple(problems))

    def _remembered(self, institution: str, header: list[str]) -> dict[str, object] | None:
        query = select(column_mappings.c.mapping).where(
            column_mappings.c.institution == institution,
            column_mappings.c.header == _digest(header),
        )
        with reading(self._engine) as connection:
            kept = connection.execute(query).scalar_one_or_none()
        return None if kept is None else dict(json.loads(kept))

    def _save(
        self,
        connection: Connection,
        row: Row[tuple[object, ...]],
        contents: Contents,
        state: UploadState,
        count: int,
    ) -> None:
        sealed = self._seal(row.upload, row.key, contents)
        values = {"sealed": sealed, "state": state, "rows": count}
        connection.execute(uploads.update().where(uploads.c.upload == row.upload).values(**values))

    def _seal(self, upload: str, key: bytes, contents: Contents) -> bytes:
        written = {
            "data": base64.b64encode(contents.data).decode(),
            "mapping": contents.mapping,
            "name": contents.name,
            "set_aside": contents.set_aside,
        }
        return self._vault.unwrap(upload, key).seal(json.dumps(written).encode(), "upload")

    def _opened(self, row: Row[tuple[object, ...]]) -> Contents:
        if row.key is None:
            raise NoSuchThing("this upload has ended, and its file was destroyed")
        opened = json.loads(self._vault.unwrap(row.upload, row.key).open(row.sealed, "upload"))
        data = base64.b64decode(opened["data"])
        return Contents(opened["name"], data, opened["mapping"], opened["set_aside"])


def _rows(contents: Contents) -> Iterator[tuple[int, list[str]]]:
    if is_workbook(contents.data):
        return workbook_rows(contents.data, contents.name)
    return rows_of(io.BytesIO(contents.data), contents.name, _delimiter(contents))


def _header(data: bytes, name: str) -> list[str]:
    first = next(_rows(Contents(name, data, None, False)), None)
    if first is None:
        raise BadRequest(f"{name} is empty; export the results again")
    return first[1]


def _delimiter(contents: Contents) -> str:
    if is_workbook(contents.data):
        return ","
    asked = (contents.mapping or {}).get("delimiter")
    if isinstance(asked, str):
        return asked
    head = contents.data[:4096].split(b"\n", 1)[0].decode("latin-1")
    return max(_DELIMITERS, key=head.count)


def _plain(document: dict[str, object]) -> dict[str, object]:
    """The document with days as texts, as JSON has them."""
    return dict(json.loads(json.dumps(document, default=str)))


def _digest(header: list[str]) -> bytes:
    return sha256(json.dumps(header, ensure_ascii=False).encode()).digest()


def _remember(
    connection: Connection, institution: str, header: bytes, document: Mapping[str, object]
) -> None:
    connection.execute(
        delete(column_mappings).where(
            column_mappings.c.institution == institution, column_mappings.c.header == header
        )
    )
    written = json.dumps(document, ensure_ascii=False, sort_keys=True)
    connection.execute(
        column_mappings.insert().values(institution=institution, header=header, mapping=written)
    )


def _row(
    connection: Connection, institution: str, upload: str, lock: bool = False
) -> Row[tuple[object, ...]]:
    query = select(uploads).where(uploads.c.upload == upload, uploads.c.institution == institution)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NoSuchThing("your institution has no such upload")
    return row


def _check_state(row: Row[tuple[object, ...]], *wanted: UploadState) -> None:
    if row.state not in wanted:
        raise BadRequest(
            f"this upload is {row.state} already; open it again to see where it stands"
        )


def _end(connection: Connection, upload: str, state: UploadState) -> None:
    connection.execute(
        uploads.update()
        .where(uploads.c.upload == upload)
        .values(state=state, key=None, sealed=None)
    )


def _upload(row: Row[tuple[object, ...]]) -> Upload:
    return Upload(row.upload, row.institution, row.made, UploadState(row.state), row.rows, row.done)
