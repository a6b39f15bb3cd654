"""What can go wrong with a QR code."""


class BadQR(Exception):
    """A QR code, its URL or its payload that cannot be made or read."""
