"""The files in which a learner takes an award along: bundle, credential, certificate, badge, QR."""

from datetime import datetime
from functools import cached_property

from bank.settings import Settings
from credentials.baking import bake_png, bake_svg
from credentials.certificate import badge_png, badge_svg, certificate_facts, certificate_pdf
from credentials.qr import Symbol, choose_symbol, qr_png, qr_svg
from keys import encode
from verifier import read_evidence


class AwardFiles:
    """Each file of one award, made when it is asked for.

    BadQR from whatever shows the QR code, the certificate among it, where the award fits into none.
    """

    def __init__(self, settings: Settings, bundle: bytes, now: datetime) -> None:
        self.bundle = bundle
        self._settings = settings
        self._now = now
        evidence = read_evidence(bundle, "the bundle")
        self._document, self._receipt = evidence.credential, evidence.receipt
        self.facts = certificate_facts(self._document)

    @property
    def credential(self) -> bytes:
        """The credential as its institution signed it."""
        return encode(self._document)

    @cached_property
    def symbol(self) -> Symbol:
        """What the QR code holds."""
        return choose_symbol(self._settings.domain, self._document, self._receipt)

    @property
    def qr_png(self) -> bytes:
        """The QR code as a picture of pixels."""
        return qr_png(self.symbol.url)

    @property
    def qr_svg(self) -> bytes:
        """The QR code as a drawing, which prints well at any size."""
        return qr_svg(self.symbol.url)

    @property
    def certificate(self) -> bytes:
        """The page to print, with the bundle attached."""
        name = " ".join(self._settings.names.values())
        return certificate_pdf(self.facts, name, self.bundle, self.qr_png, self._now)

    @property
    def badge_png(self) -> bytes:
        """The badge as a picture of pixels, with the credential in it."""
        return bake_png(badge_png(self.facts), self.credential, self._receipt)

    @property
    def badge_svg(self) -> bytes:
        """The badge as a drawing, with the credential in it."""
        return bake_svg(badge_svg(self.facts), self.credential, self._receipt)
