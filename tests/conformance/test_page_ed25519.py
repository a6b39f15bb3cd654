"""One rule for Ed25519: Python, and the page by WebCrypto and by its own library, on every case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha512
from pathlib import Path

import pytest
from nacl import bindings as sodium

from keys import KeysError, PublicKey
from tests.browser_kit import chromium, serving, visiting

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
# The y of the points of small order, and other spellings of some of them.
ORDER_8 = (
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
)
SMALL_Y = (0, 1, P - 1, *ORDER_8, P, P + 1)


@dataclass(frozen=True)
class Case:
    name: str
    key: bytes
    message: bytes
    signature: bytes

    def by_python(self) -> bool:
        try:
            PublicKey(self.key).verify(self.message, self.signature)
        except KeysError:
            return False
        return True


def encoded(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def small_points() -> Iterator[bytes]:
    for y in SMALL_Y:
        yield encoded(y)
        yield encoded(y, 1)


def scalar(number: int) -> bytes:
    return (number % L).to_bytes(32, "little")


def by_hand(
    secret: int, nonce: int, message: bytes, key: bytes, r_more: bytes | None = None
) -> bytes:
    """A signature made with chosen numbers; `r_more` is a point added to R before it is hashed."""
    r = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar(nonce))
    if r_more is not None:
        r = sodium.crypto_core_ed25519_add(r, r_more)
    h = int.from_bytes(sha512(r + key + message).digest(), "little") % L
    return r + scalar(nonce + h * secret)


def edge_cases() -> Iterator[Case]:
    secret, nonce, message = 0x1234567890ABCDEF << 150, 0xFEDCBA0987654321 << 100, b"a diploma"
    key = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar(secret))
    good = by_hand(secret, nonce, message, key)
    yield Case("good, made by hand", key, message, good)
    s = int.from_bytes(good[32:], "little")
    for times in (1, 2, 8, 15):
        if s + times * L < 2**256:
            malleable = good[:32] + (s + times * L).to_bytes(32, "little")
            yield Case(f"S + {times} L", key, message, malleable)
    yield Case("S is L", key, message, good[:32] + L.to_bytes(32, "little"))
    yield Case("S is all ones", key, message, good[:32] + b"\xff" * 32)
    for point in small_points():
        name = point[:4].hex() + point[-1:].hex()
        yield Case(f"key of small order {name}", point, message, good)
        # sB = R + hA with A of small order: forged for whoever takes such a key.
        for forged in (encoded(1) + bytes(32), point + bytes(32)):
            yield Case(f"forged under key {name}", point, message, forged)
        yield Case(f"R of small order {name}", key, message, point + good[32:])
        # R is the neutral element and S = h a: the equation holds, the rule refuses it.
        h = int.from_bytes(sha512(point + key + message).digest(), "little") % L
        yield Case(f"R {name}, S = ha", key, message, point + scalar(h * secret))
    torsion = encoded(ORDER_8[0])
    mixed_key = sodium.crypto_core_ed25519_add(key, torsion)
    yield Case("key of mixed order", mixed_key, message, by_hand(secret, nonce, message, mixed_key))
    mixed = by_hand(secret, nonce, message, key, torsion)
    yield Case("R of mixed order", key, message, mixed)
    yield Case("all zeros", bytes(32), b"", bytes(64))
    yield Case("all ones", b"\xff" * 32, b"", b"\xff" * 64)
    for y in (P + 2, P + 3, P + 18, 2, 3, 7):
        yield Case(f"key y = {y % 2**32:#x}", encoded(y), message, good)
        yield Case(f"R y = {y % 2**32:#x}", key, message, encoded(y) + good[32:])
    for length in (0, 31, 33):
        yield Case(f"key of {length} bytes", (key * 2)[:length], message, good)
    for length in (0, 63, 65):
        yield Case(f"signature of {length} bytes", key, message, (good * 2)[:length])


IN_PAGE = """async ({ cases, script }) => {
  const { publicKey } = await import("/v/core/ed25519.js");
  const { fromHex } = await import("/v/core/bytes.js");
  if (script) crypto.subtle.importKey = async () => { throw new Error("not here"); };
  const answers = [];
  for (const [key, message, signature] of cases)
    try {
      await publicKey(fromHex(key)).verify(fromHex(message), fromHex(signature));
      answers.push(true);
    } catch (error) {
      if (error.constructor.name !== "Fault") throw error;
      answers.push(false);
    }
  return answers;
}"""


@pytest.mark.parametrize("script", [False, True], ids=["webcrypto", "library"])
def test_the_page_and_python_agree(shared_data: Callable[[str], Path], script: bool) -> None:
    cases = list(edge_cases())
    edge = len(cases)
    groups = json.loads(shared_data("vectors/wycheproof_ed25519.json").read_bytes())["testGroups"]
    for group in groups:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            name = f"wycheproof {test['tcId']}, {test['result']}"
            message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
            cases.append(Case(name, key, message, signature))
    with serving(None) as site, chromium() as browser, visiting(browser) as visit:
        visit.page.goto(f"{site.page}/")
        asked = [[one.key.hex(), one.message.hex(), one.signature.hex()] for one in cases]
        said = visit.page.evaluate(IN_PAGE, {"cases": asked, "script": script})
    python = [one.by_python() for one in cases]
    wrong = [one.name for one, a, b in zip(cases, said, python, strict=True) if a is not b]
    assert wrong == []
    assert edge > 60
    assert sum(python[:edge]) == 1
    valid = [
        answer for one, answer in zip(cases, python, strict=True) if one.name.endswith(", valid")
    ]
    assert all(valid)
    assert sum(python) == 1 + len(valid)


def test_webcrypto_alone_would_be_fooled() -> None:
    """The control: without our own look at the points, the browser takes a small-order key."""
    cases = [one for one in edge_cases() if one.name.startswith("forged under key")]
    fooled = """async (cases) => {
      const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
      let taken = 0;
      for (const [key, message, signature] of cases)
        try {
          const usages = ["verify"];
          const read = await crypto.subtle.importKey("raw", bytes(key), "Ed25519", false, usages);
          taken += await crypto.subtle.verify("Ed25519", read, bytes(signature), bytes(message));
        } catch {}
      return taken;
    }"""
    with serving(None) as site, chromium() as browser, visiting(browser) as visit:
        visit.page.goto(f"{site.page}/")
        asked = [[one.key.hex(), one.message.hex(), one.signature.hex()] for one in cases]
        assert visit.page.evaluate(fooled, asked) > 0
