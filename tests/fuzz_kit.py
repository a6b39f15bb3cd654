"""Every parser of what strangers hand in, as a function of bytes, and the errors it may raise.

`scripts/fuzz` gives them changed inputs for minutes, `tests/fuzz` what was kept.
Anything but a target's own errors is a crash.
"""

from __future__ import annotations

import binascii
import functools
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bank.errors import BankError
from bank.http_signature import API, check_request
from bank.http_signature import Target as Asked
from bank.results.errors import ResultsError
from bank.results.mapping import mapping_of, parse_toml
from bank.results.reader import results_of
from bank.results.rows import rows_of
from bank.results.workbook import is_workbook, workbook_rows
from credentials import CredentialsError, read_credential, read_status_list, verify_proofs
from credentials.baking import unbake_png, unbake_svg
from credentials.certificate import read_attachment
from credentials.presentation import read_presentation
from credentials.qr import from_digits, parse_url, scan, to_digits
from credentials.qr.compact import from_bytes
from credentials.qr.dictionary import dictionary
from credentials.qr.digits import digits_to_bytes
from credentials.qr.stream import Reader, Writer
from credentials.verification_method import key_in_did_key
from keys import KeysError, KeystoreError, PrivateKey, parse, parse_exact, read_keystore
from ledger import Entry, LedgerError, Receipt, SignedStatement, Statement, VerifierKey, open_note
from ledger.landmarks import LandmarkReceipt
from ledger.tlog_tiles import Resource, decode_bundle, encode_bundle
from ledger.witness import AddCheckpoint
from verifier import (
    Trust,
    VerifierError,
    open_trust,
    read_collection,
    read_evidence,
    verify,
    verify_foreign,
    verify_presentation,
    verify_transcript,
)
from verifier.collection import PRESENTATION, TRANSCRIPT

REPO = Path(__file__).resolve().parent.parent
CORPUS = REPO / "tests" / "fuzz" / "corpus"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
INSTITUTIONS = {
    "bayu-open": "Bayu Open University",
    "jialing-tech": "Jialing Institute of Technology",
    "shancheng-skills": "Shancheng Skills Centre",
}


@dataclass(frozen=True)
class Target:
    """A parser: what it is called with, what it may raise, and whose corpus it shares."""

    run: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    longest: int = 16_384
    """No longer input is made; what is kept may be."""


@functools.cache
def known_trust() -> Trust:
    """A trust bundle of a bank that was, for what is verified under one."""
    return open_trust((CORPUS / "trust" / "bundle.json").read_bytes())


@functools.cache
def known_keys() -> tuple[VerifierKey, ...]:
    trust = known_trust()
    return (*trust.log_keys, *(witness.key for witness in trust.witnesses))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _json(data: bytes) -> Any:
    return parse(data, limit=1024 * 1024)


def _statement(data: bytes) -> None:
    SignedStatement.parse(data).verify()


def _bare_statement(data: bytes) -> None:
    Statement.from_json(_json(data))


def _entry(data: bytes) -> None:
    entry = Entry.parse(data)
    assert entry.data == data
    entry.signed.verify()


def _note(data: bytes) -> None:
    from ledger import Checkpoint

    opened = open_note(_text(data), known_keys())
    Checkpoint.parse(opened.text)


def _verifier_key(data: bytes) -> None:
    key = VerifierKey.parse(_text(data))
    assert str(key) == _text(data)


def _receipt(data: bytes) -> None:
    text = _text(data)
    one = (LandmarkReceipt if text.startswith("creditbank") else Receipt).parse(text)
    assert one.encode() == text


def _tile(data: bytes) -> None:
    name, _, body = data.partition(b"\n")
    resource = Resource.parse(_text(name))
    assert resource is None or resource.path == _text(name)
    decode_bundle(body)


def _credential(data: bytes) -> None:
    document = _json(data)
    read_credential(document)
    verify_proofs(document, key_in_did_key)


def _verdict(data: bytes) -> None:
    """A report on anything that can be read at all, and never an error about what it says."""
    evidence = read_evidence(data, "the file")
    report = verify(evidence, known_trust(), NOW)
    assert report.to_json()
    assert verify_foreign(evidence.credential, None, NOW).to_json()


def _status_list(data: bytes) -> None:
    read_status_list(_json(data), "revocation")


def _qr_payload(data: bytes) -> None:
    """With the check value that belongs to it, or nothing would ever come past that."""
    from_bytes(data + binascii.crc_hqx(data, 0).to_bytes(2, "big"))


def _qr_fields(data: bytes) -> None:
    """What is in a payload, before it is compressed: the kind, the raw bytes, the text."""
    head, body = Writer(), Writer()
    kind, size = (*data[:2], 0, 0)[:2]
    head.put_int(len(data[2 : 2 + size]))
    chinese, packed = dictionary().deflate(data[2 + size :].decode("utf-8", "replace"))
    flags = dictionary().version << 4 | chinese << 2 | kind & 3
    body.put(bytes([flags]) + head.raw + data[2 : 2 + size] + packed)
    _qr_payload(bytes(body.raw))


def _fields_of(payload: bytes) -> bytes:
    """The input of `_qr_fields` that makes a payload."""
    frame = Reader(payload[1:], "")
    raw = frame.take(frame.take_int())
    assert len(raw) < 256
    text = dictionary(payload[0] >> 4).inflate(frame.rest(), bool(payload[0] & 4))
    return bytes([payload[0] & 3, len(raw)]) + raw + text.encode()


def _qr_digits(data: bytes) -> None:
    from_digits(data.decode("latin-1"))


def _qr_url(data: bytes) -> None:
    host, digits = parse_url(_text(data))
    assert host
    from_digits(digits)


def _collection(data: bytes) -> None:
    found = read_collection(data)
    if found is None:
        return
    if found.kind == TRANSCRIPT:
        verify_transcript(found.document, found.receipts, known_trust(), NOW)
    if found.kind == PRESENTATION:
        verify_presentation(found.document, found.receipts, known_trust(), NOW, "a.example", "c")


def _presentation(data: bytes) -> None:
    read_presentation(_json(data))


def _mapping(data: bytes) -> None:
    mapping_of(parse_toml(data, "the mapping"), "the mapping")


@functools.cache
def _known_mapping() -> Any:
    document = parse_toml((REPO / "docs/samples/results.mapping.toml").read_bytes(), "the mapping")
    return mapping_of(document, "the mapping")


def _results(data: bytes) -> None:
    mapping = _known_mapping()
    if is_workbook(data):
        rows = workbook_rows(data, "the file")
    else:
        rows = rows_of(io.BytesIO(data), "the file", mapping.delimiter)
    results_of(rows, "the file", mapping, INSTITUTIONS, 100)


def _workbook(data: bytes) -> None:
    for _ in workbook_rows(data, "the file"):
        pass


def _keystore(data: bytes) -> None:
    path = _scratch() / "keystore"
    path.write_bytes(data)
    read_keystore(path, "not the passphrase")


@functools.cache
def _scratch() -> Path:
    import tempfile

    return Path(tempfile.mkdtemp(prefix="creditbank-fuzz-"))


def _http_signature(data: bytes) -> None:
    head, _, body = data.partition(b"\n\n")
    headers = {}
    for line in head.decode("latin-1").split("\n"):
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    key = PrivateKey.from_seed(b"\7" * 32).public_key.multikey
    asked = Asked("POST", "bank.example", "/statements")
    check_request(asked, headers, API, key.__eq__, NOW).check_body(body)


def _add_checkpoint(data: bytes) -> None:
    AddCheckpoint.parse(data)


TARGETS = {
    "canonical": Target(lambda data: parse_exact(data, limit=65_536), (KeysError,)),
    "json": Target(_json, (KeysError,)),
    "statement": Target(_statement, (LedgerError,)),
    "statement-fields": Target(_bare_statement, (LedgerError, KeysError)),
    "entry": Target(_entry, (LedgerError,)),
    "note": Target(_note, (LedgerError,)),
    "verifier-key": Target(_verifier_key, (LedgerError,)),
    "receipt": Target(_receipt, (LedgerError,)),
    "add-checkpoint": Target(_add_checkpoint, (LedgerError,)),
    "tile": Target(_tile, (LedgerError,)),
    "credential": Target(_credential, (CredentialsError, KeysError)),
    "verdict": Target(_verdict, (VerifierError,)),
    "status-list": Target(_status_list, (CredentialsError, KeysError)),
    "qr-payload": Target(_qr_payload, (CredentialsError,)),
    "qr-fields": Target(_qr_fields, (CredentialsError,)),
    "qr-digits": Target(_qr_digits, (CredentialsError,)),
    "qr-url": Target(_qr_url, (CredentialsError,)),
    "picture": Target(scan, (CredentialsError,), 65_536),
    "badge-png": Target(unbake_png, (CredentialsError,), 65_536),
    "badge-svg": Target(unbake_svg, (CredentialsError,)),
    "certificate": Target(read_attachment, (CredentialsError,), 65_536),
    "trust": Target(open_trust, (VerifierError,), 32_768),
    "collection": Target(_collection, (VerifierError,), 32_768),
    "presentation": Target(_presentation, (CredentialsError, KeysError)),
    "mapping": Target(_mapping, (ResultsError,)),
    "results": Target(_results, (ResultsError,)),
    "workbook": Target(_workbook, (ResultsError,)),
    "keystore": Target(_keystore, (KeystoreError,), 1024),
    "http-signature": Target(_http_signature, (BankError,), 4096),
}


def crash(target: Target, data: bytes) -> Exception | None:
    """What a target raises that it must not, or nothing."""
    try:
        target.run(data)
    except target.errors:
        return None
    except Exception as error:
        return error
    return None


def kept(name: str) -> list[tuple[str, bytes]]:
    """The kept inputs of a target by their file names."""
    folder = CORPUS / name
    return [(file.name, file.read_bytes()) for file in sorted(folder.iterdir())]


def keep(name: str, file: str, data: bytes) -> None:
    """Keep an input of a target."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(data)


def make_corpus(out: Path) -> None:
    """Seeds for every target, from the files that `creditbank demo` leaves in `out`."""
    bundle = (out / "learner.bundle.json").read_bytes()
    value: Any = json.loads(bundle)
    receipt = value["receipt"]
    trust = (out / "trust.json").read_bytes()
    opened: Any = json.loads(trust)["trust"]
    credential = (out / "learner.credential.json").read_bytes()
    keep("verdict", "bundle.json", bundle)
    keep("verdict", "credential.json", credential)
    keep("credential", "credential.json", credential)
    keep("trust", "bundle.json", trust)
    keep("receipt", "tlog-proof.txt", receipt.encode())
    parsed = Receipt.parse(receipt)
    entry = Entry.parse(parsed.entry)
    keep("entry", "award.json", entry.data)
    keep("statement", "award.json", entry.signed.data)
    keep("statement-fields", "award.json", entry.signed.statement.data)
    keep("note", "checkpoint.txt", parsed.checkpoint.encode())
    keep("note", "trust.txt", opened["checkpoint"].encode())
    for place, key in enumerate(opened["log_keys"]):
        keep("verifier-key", f"log-{place}.txt", key.encode())
    keep("add-checkpoint", "first.txt", AddCheckpoint(0, (), parsed.checkpoint).encode())
    keep("add-checkpoint", "next.txt", AddCheckpoint(3, (b"\1" * 32,), parsed.checkpoint).encode())
    entries = encode_bundle([entry.data])
    keep("tile", "entries.bin", b"tile/entries/x001/234.p/17\n" + entries)
    keep("tile", "hashes.bin", b"tile/0/000\n" + b"\0\3abc")
    for number, one in enumerate(opened["status_lists"][:2]):
        keep("status-list", f"{number}.json", json.dumps(one).encode())
    url = scan((out / "learner.qr.png").read_bytes())
    digits = parse_url(url)[1]
    payload = digits_to_bytes(digits)[:-2]
    keep("qr-url", "award.txt", url.encode())
    keep("qr-digits", "award.txt", digits.encode())
    keep("qr-payload", "award.bin", payload)
    bare = digits_to_bytes(to_digits(json.loads(credential)))[:-2]
    keep("qr-payload", "bare.bin", bare)
    keep("qr-fields", "bare.bin", _fields_of(bare))
    if len(payload) < 700:
        keep("receipt", "landmark.txt", str(from_digits(digits)[1]).encode())
    keep("picture", "qr.png", (out / "learner.qr.png").read_bytes())
    keep("picture", "qr.svg", (out / "learner.qr.svg").read_bytes())
    keep("badge-png", "badge.png", _small_badge(credential, receipt.encode()))
    keep("badge-svg", "badge.svg", (out / "learner.badge.svg").read_bytes())
    keep("certificate", "small.pdf", _small_pdf(bundle))
    _keep_collections(out)
    _keep_of_the_bank()
    for text in ('{"a":[1,"\\u00e9",true,null]}', "[1e21,-0.5,1e-7]", '"\\ud83d\\ude00"'):
        keep("json", f"{len(text)}.json", text.encode())
        keep("canonical", f"{len(text)}.json", text.encode())


def _small_badge(credential: bytes, receipt: bytes) -> bytes:
    from PIL import Image

    from credentials.baking import bake_png

    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "PNG")
    return bake_png(out.getvalue(), credential, receipt.decode())


def _small_pdf(bundle: bytes) -> bytes:
    from pypdf import PdfWriter

    from credentials.certificate.attachment import ATTACHMENT

    out, writer = io.BytesIO(), PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment(ATTACHMENT, bundle[:2000])
    writer.write(out)
    return out.getvalue()


def _keep_collections(out: Path) -> None:
    from datetime import timedelta

    from credentials.presentation import presentation

    transcript = json.loads((out / "learner.transcript.json").read_bytes())
    held = transcript[TRANSCRIPT]["credentialSubject"]["verifiableCredential"]
    transcript["receipts"] = dict(list(transcript["receipts"].items())[:1])
    transcript[TRANSCRIPT]["credentialSubject"]["verifiableCredential"] = held[:1]
    keep("collection", "transcript.json", json.dumps(transcript, ensure_ascii=False).encode())
    key = PrivateKey.from_seed(b"k" * 32)
    shown = presentation(held[:1], key, "a.example", "c", NOW, timedelta(minutes=10))
    text = json.dumps(shown, ensure_ascii=False).encode()
    keep("collection", "presentation.json", text)
    keep("presentation", "presentation.json", text)


def _keep_of_the_bank() -> None:
    from openpyxl import Workbook

    from bank.http_signature import sign_request
    from keys import write_keystore

    samples = REPO / "docs" / "samples"
    for file in ("results.mapping.toml", "oulad.mapping.toml"):
        keep("mapping", file, (samples / file).read_bytes())
    lines = (samples / "results.csv").read_bytes().split(b"\n")
    keep("results", "results.csv", b"\n".join(lines[:6]) + b"\n")
    keep("results", "gbk.csv", b"\n".join(lines[:6]).decode("utf-8-sig").encode("gb18030"))
    book, out = Workbook(), io.BytesIO()
    for line in lines[:4]:
        book.active.append(line.decode("utf-8-sig").split(","))  # type: ignore[union-attr]
    book.save(out)
    keep("workbook", "results.xlsx", out.getvalue())
    path = _scratch() / "made"
    path.unlink(missing_ok=True)
    write_keystore(path, b"s" * 32, "p", operations=1, memory=8192)
    keep("keystore", "file.json", path.read_bytes())
    body = b'{"receipt":"x"}'
    asked, key = Asked("POST", "bank.example", "/statements"), PrivateKey.from_seed(b"\7" * 32)
    headers = sign_request(asked, body, key, API, "n" * 16, NOW)
    head = "\n".join(f"{name}: {value}" for name, value in headers.items())
    keep("http-signature", "request.txt", head.encode() + b"\n\n" + body)
