"""The two channels of a compact bundle: raw bytes, and text that deflate compresses.

Hashes, keys and signatures do not compress and would only spoil the statistics of the text, so they
travel beside it. Text fields end in U+001F, which canonical JSON never contains unescaped.
"""

from credentials.errors import BadQR

FIELD_END = "\x1f"
_VARINT_BYTES = 9  # 63 bits: more than any length, index, time or set of choices here


class Writer:
    """Collects raw bytes and text fields."""

    def __init__(self) -> None:
        self.raw = bytearray()
        self.text: list[str] = []

    def put(self, data: bytes) -> None:
        """Append raw bytes."""
        self.raw += data

    def put_int(self, value: int) -> None:
        """Append `value` (0 to 2**63 - 1) as an unsigned LEB128 number."""
        while value > 0x7F:
            self.raw.append(0x80 | (value & 0x7F))
            value >>= 7
        self.raw.append(value)

    def put_text(self, value: str) -> None:
        """Append a text field."""
        self.text.append(value + FIELD_END)

    def extend(self, other: "Writer") -> None:
        """Append all that `other` collected."""
        self.raw += other.raw
        self.text += other.text


class Reader:
    """Takes back what a `Writer` collected; raises `BadQR` at anything it would not write."""

    def __init__(self, raw: bytes, text: str) -> None:
        self._raw = raw
        self._text = text
        self._raw_at = 0
        self._text_at = 0

    def take(self, size: int) -> bytes:
        """The next `size` raw bytes."""
        end = self._raw_at + size
        if end > len(self._raw):
            raise BadQR("the QR payload is cut off: its raw bytes end too early")
        data = self._raw[self._raw_at : end]
        self._raw_at = end
        return data

    def take_int(self) -> int:
        """The next number, which must be in its shortest form."""
        value = 0
        for position in range(_VARINT_BYTES):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                if byte == 0 and position:
                    raise BadQR("the QR payload is damaged: a number is longer than it needs to be")
                return value
        raise BadQR("the QR payload is damaged: a number is too large")

    def take_text(self) -> str:
        """The next text field."""
        end = self._text.find(FIELD_END, self._text_at)
        if end < 0:
            raise BadQR("the QR payload is cut off: its text ends too early")
        value = self._text[self._text_at : end]
        self._text_at = end + 1
        return value

    def rest(self) -> bytes:
        """All raw bytes not yet taken."""
        return self.take(len(self._raw) - self._raw_at)

    def finish(self) -> None:
        """Refuse data that nothing asked for."""
        if self._raw_at != len(self._raw) or self._text_at != len(self._text):
            raise BadQR("the QR payload has data left over after its last field")
