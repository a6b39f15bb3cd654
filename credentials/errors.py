"""What can go wrong with credentials: one base class, messages for people.

`problem` names the kind of error as the W3C's specifications do, for answers over HTTP.
"""

_DATA_MODEL = "https://www.w3.org/TR/vc-data-model#"
_SECURITY = "https://w3id.org/security#"
_STATUS_LIST = "https://www.w3.org/ns/credentials/status-list#"


class CredentialsError(Exception):
    """Base of every error this package raises."""

    problem = _DATA_MODEL + "MALFORMED_VALUE_ERROR"


class BadDocument(CredentialsError):
    """A document that is malformed, or says something its signature would not cover."""


class LostData(BadDocument):
    """A document of which JSON-LD would drop a part unsigned (VC Data Integrity, section 5.9)."""

    problem = _SECURITY + "DATA_LOSS_DETECTION_ERROR"


class BadProof(CredentialsError):
    """A proof that is malformed, of an unknown kind, or does not verify."""

    problem = _SECURITY + "PROOF_VERIFICATION_ERROR"


class WrongDomain(BadProof):
    """A proof made for another domain than the one asked for."""

    problem = _SECURITY + "INVALID_DOMAIN_ERROR"


class WrongChallenge(BadProof):
    """A proof that answers another challenge than the one given."""

    problem = _SECURITY + "INVALID_CHALLENGE_ERROR"


class BadStatusList(CredentialsError):
    """A status list that is malformed, too large, or does not hold the asked entry."""

    problem = _STATUS_LIST + "STATUS_VERIFICATION_ERROR"


class MalformedStatus(BadStatusList):
    """A status entry or an encoded list that is not of its form (Bitstring Status List, 3.2)."""

    problem = _DATA_MODEL + "MALFORMED_VALUE_ERROR"


class StatusListTooShort(BadStatusList):
    """A status list of fewer entries than hide a single one among them."""

    problem = _STATUS_LIST + "STATUS_LIST_LENGTH_ERROR"


class StatusOutOfRange(BadStatusList):
    """A place beyond the end of its status list."""

    problem = _STATUS_LIST + "RANGE_ERROR"


class BadBadge(CredentialsError):
    """A picture that is no baked badge, or a damaged one."""


class BadCertificate(CredentialsError):
    """A PDF that is no certificate, or a damaged one, or one that cannot be set."""


class BadQR(CredentialsError):
    """A QR code, its URL or its payload that cannot be made or read."""
