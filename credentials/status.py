"""Bitstring Status List 1.0: whether a credential was revoked or suspended after issue.

A list is signed as a whole and fetched as a whole, so asking for it says nothing about whose
credential is looked at. Index 0 is the leftmost bit (section 3.2 of the specification).
"""

import base64
import binascii
import gzip
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from credentials.errors import BadStatusList, MalformedStatus, StatusListTooShort, StatusOutOfRange
from keys import Json

LENGTH = 131_072
"""Entries of a list here, and the least the specification allows (section 2.3)."""
REVOCATION = "revocation"
SUSPENSION = "suspension"
_MOST = 16 * 1024 * 1024
_CONTEXT = "https://www.w3.org/ns/credentials/v2"


@dataclass(frozen=True, slots=True)
class StatusSlot:
    """A credential's place: the URL of its revocation list and its index there."""

    url: str
    index: int

    def entry(self) -> dict[str, Json]:
        """The `credentialStatus` of the credential (section 2.1)."""
        return {
            "id": f"{self.url}#{self.index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": REVOCATION,
            "statusListIndex": str(self.index),
            "statusListCredential": self.url,
        }

    @classmethod
    def of(cls, entry: Json) -> "StatusSlot":
        """The place a `credentialStatus` names; BadStatusList unless `entry` writes just that."""
        if isinstance(entry, dict):
            url, index = entry.get("statusListCredential"), entry.get("statusListIndex")
            if isinstance(url, str) and isinstance(index, str) and _is_index(index):
                slot = cls(url, int(index))
                if slot.entry() == entry:
                    return slot
        raise BadStatusList("the credential's status entry is not a BitstringStatusListEntry")


def list_url(domain: str, number: int, purpose: str) -> str:
    """Where the bank of `domain` publishes its list `number` of a purpose."""
    url = f"https://{domain}/status/{number}"
    return url if purpose == REVOCATION else f"{url}/{purpose}"


@dataclass(frozen=True, slots=True)
class StatusList:
    """The bits of one list, 8 to a byte."""

    bits: bytes

    @classmethod
    def of(cls, indices: Iterable[int], length: int = LENGTH) -> "StatusList":
        """A list with just the bits at `indices` set."""
        bits = bytearray(length // 8)
        for index in indices:
            bits[index // 8] |= 0x80 >> (index % 8)
        return cls(bytes(bits))

    def __getitem__(self, index: int) -> bool:
        if not 0 <= index < 8 * len(self.bits):
            raise StatusOutOfRange(f"the status list has no entry {index}")
        return bool(self.bits[index // 8] & (0x80 >> (index % 8)))

    def encode(self) -> str:
        """Multibase base64url of the gzipped bits (section 3.3); the same bits, the same text."""
        packed = gzip.compress(self.bits, mtime=0)
        return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> "StatusList":
        """The list of its text (section 3.4); never more than 16 MiB, however it was packed."""
        if not text.startswith("u"):
            raise MalformedStatus(
                "the status list is not multibase base64url: it begins with no 'u'"
            )
        try:
            packed = base64.b64decode(
                text[1:] + "=" * (-len(text[1:]) % 4), altchars=b"-_", validate=True
            )
            unzip = zlib.decompressobj(wbits=31)
            bits = unzip.decompress(packed, _MOST)
        except (binascii.Error, ValueError, zlib.error) as error:
            raise MalformedStatus("the status list cannot be unpacked") from error
        if not unzip.eof or unzip.unconsumed_tail or unzip.unused_data:
            raise MalformedStatus("the status list is cut short, too long, or has bytes to spare")
        if len(bits) < LENGTH // 8:
            raise StatusListTooShort(f"the status list has {8 * len(bits)} entries, under {LENGTH}")
        return cls(bits)


def status_list_credential(
    url: str, issuer: str, purpose: str, bits: StatusList, valid_from: str, valid_until: str
) -> dict[str, Json]:
    """The unsigned credential of a list (section 2.2); times as xsd:dateTimeStamp text."""
    return {
        "@context": [_CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": valid_from,
        "validUntil": valid_until,
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": bits.encode(),
        },
    }


def read_status_list(document: Json, purpose: str) -> StatusList:
    """The bits in a list credential, whose proofs were verified before; BadStatusList if wrong."""
    subject = document.get("credentialSubject") if isinstance(document, dict) else None
    if not isinstance(subject, dict) or subject.get("type") != "BitstringStatusList":
        raise BadStatusList("not a status list credential")
    if subject.get("statusPurpose") != purpose:
        raise BadStatusList(
            f"the status list is for {subject.get('statusPurpose')!r:.40}, not {purpose}"
        )
    encoded = subject.get("encodedList")
    if not isinstance(encoded, str):
        raise MalformedStatus("the status list has no encodedList")
    return StatusList.decode(encoded)


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and str(int(text)) == text
