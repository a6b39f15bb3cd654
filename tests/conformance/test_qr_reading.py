"""Both decoders, the command's and the page's, read QR codes as a camera would show them.

`python -m tests.conformance.test_qr_reading` prints the table in docs/qr-codes.md.
"""

from __future__ import annotations

from collections import Counter

import pytest

from credentials.qr import Symbol, choose_symbol
from tests.qr_kit import CONDITIONS, READERS, USUAL, seen
from tests.unit.test_qr_sizes import DOMAIN, bundles

KINDS = {
    "without receipt": lambda count: [choose_symbol(DOMAIN, d) for d, _ in bundles(count, 10)],
    "landmark receipt": lambda count: [choose_symbol(DOMAIN, *b) for b in bundles(count, 20)],
    "full receipt, 7 hashes": lambda count: [choose_symbol(DOMAIN, *b) for b in bundles(count, 7)],
}


def read_by(reader: str, symbols: list[Symbol], condition: str) -> int:
    """How many of the symbols are read, and rightly."""
    read = READERS[reader]([seen(one.url, condition) for one in symbols])
    return sum(text == one.url for text, one in zip(read, symbols, strict=True))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_code_is_read_blurred_turned_and_with_a_glare(reader: str, kind: str) -> None:
    symbols = KINDS[kind](8)
    assert {one: read_by(reader, symbols, one) for one in USUAL} == dict.fromkeys(USUAL, 8)


def test_nothing_is_read_of_what_is_not_there() -> None:
    """The control: where a glare is too large the decoders say so, and never guess."""
    symbols = KINDS["full receipt, 7 hashes"](8)
    assert read_by("zxing-cpp", symbols, "glare 8 %") < 8
    pictures = [seen(one.url, "glare 8 %") for one in symbols]
    for read in READERS.values():
        assert set(read(pictures)) <= {None, *(one.url for one in symbols)}


def main() -> None:
    count = 20
    print("| at 3 pixels a module | " + " | ".join(CONDITIONS) + " |")
    print("|---" * (len(CONDITIONS) + 1) + "|")
    for kind, make in KINDS.items():
        symbols = make(count)
        sizes = Counter(f"{one.version} {one.error_correction}" for one in symbols)
        versions = sorted(sizes)
        for reader in READERS:
            found = [f"{read_by(reader, symbols, one)}" for one in CONDITIONS]
            name = f"{kind} (versions {versions[0]} to {versions[-1]}), {reader}"
            print(f"| {name} | " + " | ".join(found) + " |", flush=True)


if __name__ == "__main__":
    main()
