"""Ed25519 signatures at the edges of every rule in use, derived here from the curve itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keys import KeysError, PublicKey
from tests.edwards_kit import (
    BASE,
    NEUTRAL,
    TORSION,
    L,
    P,
    Point,
    challenge,
    read,
    scalar,
    spelled,
    spellings,
)

SMALL = tuple(spelling for point in TORSION for spelling in spellings(point))
"""All the spellings of the eight points of small order, canonical and not."""
SECRET, NONCE, MESSAGE = 0x1234567890ABCDEF << 150, 0xFEDCBA0987654321 << 100, b"a diploma"
KEY = SECRET * BASE
HOLDS = ", the equation holds"


@dataclass(frozen=True)
class Case:
    name: str
    key: bytes
    message: bytes
    signature: bytes

    @property
    def spelled_out(self) -> tuple[str, str, str]:
        """The three in hexadecimal, for another program."""
        return self.key.hex(), self.message.hex(), self.signature.hex()

    def by_product(self) -> bool:
        """Whether the product takes the key and the signature."""
        try:
            PublicKey(self.key).verify(self.message, self.signature)
        except KeysError:
            return False
        return True

    def by_openssl(self) -> bool:
        """Whether OpenSSL does, whose rule is another."""
        try:
            key = Ed25519PublicKey.from_public_bytes(self.key)
            key.verify(self.signature, self.message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def by_rule(self) -> bool:
        """Whether the rule does, written out in plain integers: what both sides must agree with."""
        if len(self.key) != 32 or len(self.signature) != 64:
            return False
        r, s = self.signature[:32], int.from_bytes(self.signature[32:], "little")
        a_point, r_point = read(self.key), read(r)
        if a_point is None or a_point.order != "prime" or a_point.encoded != self.key:
            return False
        if r_point is None or r_point.order == "small" or r_point.encoded != r or s >= L:
            return False
        return s * BASE == r_point + challenge(r, self.key, self.message) * a_point


@dataclass(frozen=True)
class Made:
    """How to make a signature: each choice away from these leaves the rule in one way."""

    secret: int = SECRET
    nonce: int = NONCE
    key_torsion: int = 0
    r_torsion: int = 0
    key_spelling: int = 0
    r_spelling: int = 0
    more_s: int = 0
    hashed_as_canonical: bool = False

    def case(self, name: str, message: bytes = MESSAGE) -> Case:
        """The signature so made; its equation holds at least when multiplied by eight."""
        return self._of(name, message, *self._points())

    def holding(self, name: str) -> Case:
        """The same for the first message whose equation holds without the cofactor too."""
        a, r = self._points()
        for number in range(1000):
            made = self._of(name, b"message %d" % number, a, r)
            h = challenge(*self._hashed(a, r), made.message)
            left = h * TORSION[self.key_torsion] + TORSION[self.r_torsion]
            if left == NEUTRAL:
                return made
        raise AssertionError(f"no message makes the torsion vanish: {self}")

    def _points(self) -> tuple[Point, Point]:
        a = self.secret * BASE + TORSION[self.key_torsion]
        return a, self.nonce * BASE + TORSION[self.r_torsion]

    def _of(self, name: str, message: bytes, a: Point, r: Point) -> Case:
        h = challenge(*self._hashed(a, r), message)
        s = (self.nonce + h * self.secret) % L + self.more_s * L
        signature = _one_of(spellings(r), self.r_spelling) + s.to_bytes(32, "little")
        return Case(name, _one_of(spellings(a), self.key_spelling), message, signature)

    def _hashed(self, a: Point, r: Point) -> tuple[bytes, bytes]:
        if self.hashed_as_canonical:
            return r.encoded, a.encoded
        return _one_of(spellings(r), self.r_spelling), _one_of(spellings(a), self.key_spelling)


def _one_of(spelled_ways: tuple[bytes, ...], place: int) -> bytes:
    return spelled_ways[place % len(spelled_ways)]


def taming_the_many_eddsas() -> Iterator[Case]:
    """The twelve kinds of Chalkias, Garillot and Nikolaenko (2020, table 5), made anew."""
    yield Made(secret=0, nonce=0, key_torsion=1, r_torsion=3).holding("0: small A and R, S = 0")
    yield Made(secret=0, key_torsion=7, r_torsion=5).holding("1: small A, mixed R")
    yield Made(nonce=0, key_torsion=5, r_torsion=3).holding("2: mixed A, small R")
    yield Made(key_torsion=3, r_torsion=1).holding("3: mixed A and R" + HOLDS)
    yield _torn(Made(key_torsion=3, r_torsion=1), "4: mixed A and R, holds times eight")
    yield _torn(Made(key_torsion=1), "5: mixed A, holds times eight")
    yield Made(more_s=1).case("6: S above L")
    yield Made(more_s=14).case("7: S far above L")
    for number, same in ((8, True), (9, False)):
        name = f"{number}: mixed A, small R not canonical, hashed as canonical: {same}"
        made = Made(nonce=0, key_torsion=1, r_torsion=2, r_spelling=1, hashed_as_canonical=same)
        yield made.holding(name)
    for number, same in ((10, True), (11, False)):
        name = f"{number}: small A not canonical, mixed R, hashed as canonical: {same}"
        made = Made(secret=0, key_torsion=4, key_spelling=1, r_torsion=4, hashed_as_canonical=same)
        yield made.holding(name)


def _torn(made: Made, name: str) -> Case:
    """The first message whose equation needs the cofactor."""
    for number in range(1000):
        case = made.case(name, b"message %d" % number)
        a, r = read(case.key), read(case.signature[:32])
        assert a is not None
        assert r is not None
        h = challenge(case.signature[:32], case.key, case.message)
        if int.from_bytes(case.signature[32:], "little") * BASE != r + h * a:
            return case
    raise AssertionError(made)


def edge_cases() -> Iterator[Case]:
    """Every edge once; exactly one of them is good."""
    good = Made().case("good, made by hand")
    yield good
    r, s = good.signature[:32], int.from_bytes(good.signature[32:], "little")
    yield from taming_the_many_eddsas()
    for times in range(1, 16):
        if s + times * L < 2**256:
            yield Made(more_s=times).case(f"S + {times} L")
    for name, number in (("0", 0), ("1", 1), ("L - 1", L - 1), ("L", L), ("L + 1", L + 1)):
        yield Case(f"S is {name}", good.key, MESSAGE, r + number.to_bytes(32, "little"))
    for bit in range(252, 256):
        name, number = f"S with bit {bit} turned", s ^ 1 << bit
        yield Case(name, good.key, MESSAGE, r + number.to_bytes(32, "little"))
    yield Case("S is all ones", good.key, MESSAGE, r + b"\xff" * 32)
    yield from _of_small_order(good)
    for turned in range(1, 8):
        yield Made(key_torsion=turned).case(f"key + T{turned}, holds times eight")
        yield Made(r_torsion=turned).case(f"R + T{turned}, holds times eight")
        yield Made(key_torsion=turned).holding(f"key + T{turned}" + HOLDS)
        both = Made(key_torsion=turned, r_torsion=8 - turned)
        yield both.case(f"key + T{turned}, R - T{turned}")
    for turned in range(1, 8, 2):
        for other in range(1, 8):
            both = Made(key_torsion=turned, r_torsion=other)
            yield both.holding(f"key + T{turned}, R + T{other}" + HOLDS)
    yield from _spelled_otherwise(good)


def _of_small_order(good: Case) -> Iterator[Case]:
    r = good.signature[:32]
    for place, point in enumerate(SMALL):
        name = f"{place} {point[:3].hex()}…{point[-1:].hex()}"
        yield Case(f"key of small order {name}", point, MESSAGE, good.signature)
        # S B = R + h A with A of small order: forged for whoever takes such a key.
        for number, forged in enumerate(SMALL):
            yield Case(f"forged under key {name}, R {number}", point, MESSAGE, forged + bytes(32))
        nonced = Made(secret=0).case("")
        yield Case(f"key {name}, S = k", point, MESSAGE, nonced.signature)
        yield Case(f"R of small order {name}", good.key, MESSAGE, point + good.signature[32:])
        # R is the neutral element and S = h a: the equation holds, the rule refuses it.
        answer = scalar(challenge(point, good.key, MESSAGE) * SECRET)
        yield Case(f"R {name}, S = h a", good.key, MESSAGE, point + answer)
        yield Case(f"R {name}, S = 0", good.key, MESSAGE, point + bytes(32))
    yield Case("R and S zero", good.key, MESSAGE, bytes(64))
    yield Case("key zero", bytes(32), MESSAGE, good.signature)
    yield Case("all zeros", bytes(32), b"", bytes(64))
    yield Case("all ones", b"\xff" * 32, b"", b"\xff" * 64)
    yield Case("R is the key", good.key, MESSAGE, good.key + good.signature[32:])
    yield Case("R is the base, S is 1", good.key, MESSAGE, BASE.encoded + scalar(1))
    yield Case("key of another sign", (-KEY).encoded, MESSAGE, good.signature)
    turned = bytes([*r[:31], r[31] ^ 0x80])
    yield Case("R of another sign", good.key, MESSAGE, turned + good.signature[32:])


def _spelled_otherwise(good: Case) -> Iterator[Case]:
    """Coordinates below, at and above P, on the curve and off it; and other lengths."""
    r, s = good.signature[:32], good.signature[32:]
    for sign in (0, 1):
        for y in (*range(2, 24), *range(P - 20, P), *range(P, 2**255)):
            name = f"y = {y if y < P else f'P + {y - P}'}, sign {sign}"
            yield Case(f"key {name}", spelled(y, sign), MESSAGE, good.signature)
            yield Case(f"R {name}", good.key, MESSAGE, spelled(y, sign) + s)
    lengths = (0, 1, 31, 33, 64)
    for length in lengths:
        yield Case(f"key of {length} bytes", (good.key * 3)[:length], MESSAGE, good.signature)
    for length in (*lengths[:3], 32, 63, 65, 96, 128):
        cut = (good.signature * 2)[:length]
        yield Case(f"signature of {length} bytes", good.key, MESSAGE, cut)
    yield Case("signature after a byte", good.key, MESSAGE, b"\0" + good.signature)
    yield Case("message in the signature", good.key, b"", good.signature + MESSAGE)
    yield Case("empty message", good.key, b"", good.signature)
    yield Case("R and S exchanged", good.key, MESSAGE, s + r)
    yield Case("key and R exchanged", r, MESSAGE, good.key + s)


def drawn(seed: int, number: int) -> Iterator[Case]:
    """Cases by chance: any mixture of what `Made` can do, about a quarter of them good."""
    luck = random.Random(seed)
    secrets = [0, 1, L - 1, *(luck.randrange(L) for _ in range(5))]
    points = {
        (one, torsion): one * BASE + TORSION[torsion] for one in secrets for torsion in range(8)
    }
    for count in range(number):
        plain = luck.random() < 0.35
        a, r = (luck.choice(secrets[1:] if plain else secrets) for _ in range(2))
        turn_a, turn_r = (
            0 if plain else luck.choice((0, 0, 1, 2, 3, 4, 5, 6, 7)) for _ in range(2)
        )
        key = _one_of(spellings(points[a, turn_a]), 0 if plain else luck.randrange(4))
        r_bytes = _one_of(spellings(points[r, turn_r]), 0 if plain else luck.randrange(4))
        message = luck.randbytes(luck.choice((0, 1, 32, 200)))
        s = (r + challenge(r_bytes, key, message) * a) % L
        if not plain and luck.random() < 0.15:
            s += L * luck.randrange(1, 15)
        made = bytearray(key + r_bytes + s.to_bytes(32, "little"))
        if luck.random() < 0.1:
            made[luck.randrange(96)] ^= 1 << luck.randrange(8)
        whole = bytes(made)
        yield Case(
            f"drawn {seed}/{count}: a T{turn_a}, r T{turn_r}", whole[:32], message, whole[32:]
        )
