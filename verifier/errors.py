"""What stops a verification before there is a report: one base class, messages for people."""


class VerifierError(Exception):
    """Base of every error this package raises. The command's exit code for all of them is 2."""


class Unreadable(VerifierError):
    """A file that is no credential, bundle or QR code, or is damaged beyond reading."""


class BadTrust(VerifierError):
    """A trust bundle that is malformed, wrongly signed, of another root, or rolled back."""


class BadReport(VerifierError):
    """A report on a folder that cannot be made as it was asked for; nothing was looked at."""


class Unwritable(VerifierError):
    """A report that was made and cannot be written where it is to go."""


class CannotServe(VerifierError):
    """The verifier's server cannot listen where it was told to."""
