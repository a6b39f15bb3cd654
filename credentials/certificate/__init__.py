"""The certificate, a PDF page with the bundle attached, and the badge, a picture to be baked."""

from credentials.certificate.attachment import read_attachment
from credentials.certificate.badge import badge_png, badge_svg
from credentials.certificate.facts import CertificateFacts, certificate_facts
from credentials.certificate.page import certificate_pdf
from credentials.certificate.typeface import unwritable

__all__ = [
    "CertificateFacts",
    "badge_png",
    "badge_svg",
    "certificate_facts",
    "certificate_pdf",
    "read_attachment",
    "unwritable",
]
