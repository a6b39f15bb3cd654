"""The curve of Ed25519 in plain integers: points and signatures of every kind, made by hand.

Slow and not constant in time; for making cases that no library would make.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


@dataclass(frozen=True)
class Point:
    """An affine point of the whole group, of order 8 L (RFC 8032, section 5.1.4)."""

    x: int
    y: int

    def __add__(self, other: Point) -> Point:
        product = D * self.x * other.x * self.y * other.y % P
        x = (self.x * other.y + self.y * other.x) * pow(1 + product, -1, P)
        y = (self.y * other.y + self.x * other.x) * pow(1 - product, -1, P)
        return Point(x % P, y % P)

    def __neg__(self) -> Point:
        return Point(-self.x % P, self.y)

    def __rmul__(self, times: int) -> Point:
        # In extended coordinates: one inversion for the whole product.
        x, y, z, t = 0, 1, 1, 0
        ax, ay, az, at = self.x, self.y, 1, self.x * self.y % P
        while times:
            if times & 1:
                x, y, z, t = _sum(x, y, z, t, ax, ay, az, at)
            ax, ay, az, at = _sum(ax, ay, az, at, ax, ay, az, at)
            times >>= 1
        inverse = pow(z, -1, P)
        return Point(x * inverse % P, y * inverse % P)

    @property
    def encoded(self) -> bytes:
        """Its canonical 32 bytes."""
        return spelled(self.y, self.x & 1)

    @property
    def order(self) -> str:
        """`small`, `prime` or `mixed`."""
        if 8 * self == NEUTRAL:
            return "small"
        return "prime" if L * self == NEUTRAL else "mixed"


def _sum(
    x: int, y: int, z: int, t: int, ax: int, ay: int, az: int, at: int
) -> tuple[int, int, int, int]:
    a, b = (y - x) * (ay - ax) % P, (y + x) * (ay + ax) % P
    c, d = 2 * t * at * D % P, 2 * z * az % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def spelled(y: int, sign: int = 0) -> bytes:
    """Any y below 2^255 and a sign bit as 32 bytes, canonical or not."""
    return (y | sign << 255).to_bytes(32, "little")


def root(square: int) -> int | None:
    """A square root modulo P, the even one; None where there is none."""
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 else x


def read(data: bytes) -> Point | None:
    """The point of 32 bytes, as leniently as any library: y modulo P, -0 taken as 0."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number % 2**255 % P
    x = root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
    if x is None:
        return None
    return Point(-x % P if x & 1 != sign else x, y)


def _torsion() -> tuple[Point, ...]:
    generator = next(
        point
        for y in range(2, 50)
        if (found := read(spelled(y))) is not None
        for point in (L * found,)
        if 4 * point != NEUTRAL
    )
    return tuple(times * generator for times in range(8))


NEUTRAL = Point(0, 1)
_base = read(spelled(4 * pow(5, -1, P) % P))
assert _base is not None
BASE = _base
TORSION = _torsion()
"""The eight points of small order: multiples 0 to 7 of one of order 8."""


def scalar(number: int) -> bytes:
    """A number modulo L as 32 bytes."""
    return (number % L).to_bytes(32, "little")


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    """SHA-512(R, A, M) modulo L (RFC 8032, section 5.1.7)."""
    return int.from_bytes(sha512(r + key + message).digest(), "little") % L


def spellings(point: Point) -> tuple[bytes, ...]:
    """Every string of 32 bytes that some library reads as this point; the canonical one first."""
    signs = (point.x & 1,) if point.x else (0, 1)
    ys = (point.y, point.y + P) if point.y + P < 2**255 else (point.y,)
    return tuple(spelled(y, sign) for y in ys for sign in signs)
