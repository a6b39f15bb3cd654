"""What can go wrong with a wallet's requests, each with its error code of the specification."""

from bank.errors import BankError


class WalletError(BankError):
    """Base of them; `code` is the specification's, `status` the HTTP status."""

    code = "invalid_request"
    status = 400


class BadGrant(WalletError):
    """A code that is unknown, used or over, or a wrong transaction code (section 6.3)."""

    code = "invalid_grant"


class BadWalletRequest(WalletError):
    """A credential request that is malformed, or for nothing that was offered (section 8.3.1)."""

    code = "invalid_credential_request"


class UnknownIdentifier(BadWalletRequest):
    """A credential that this access token is not for."""

    code = "unknown_credential_identifier"


class BadProofOfKey(WalletError):
    """A proof of the wallet's key that is malformed or does not hold."""

    code = "invalid_proof"


class BadNonce(WalletError):
    """A proof over a nonce that is unknown, used or over: ask for a new one."""

    code = "invalid_nonce"


class BadToken(WalletError):
    """An access token that is unknown or over."""

    code = "invalid_token"
    status = 401
