"""Bytes as digits and the URL around them."""

import pytest

from credentials.qr import BadQR, parse_url, qr_url
from credentials.qr.digits import bytes_to_digits, digits_to_bytes


def test_seven_bytes_become_seventeen_digits() -> None:
    assert bytes_to_digits(b"\xff" * 7) == str(2**56 - 1)
    assert len(bytes_to_digits(bytes(7 * 300))) == 17 * 300


@pytest.mark.parametrize("size", range(30))
@pytest.mark.parametrize("fill", [b"\x00", b"\x01", b"\xff"])
def test_every_size_comes_back(size: int, fill: bytes) -> None:
    assert digits_to_bytes(bytes_to_digits(fill * size)) == fill * size


@pytest.mark.parametrize("digits", ["1", "12", "1234", "256", "99999999999999999", "0" * 18])
def test_digits_that_are_no_blocks_of_bytes_are_refused(digits: str) -> None:
    with pytest.raises(BadQR, match=r"cut off|damaged"):
        digits_to_bytes(digits)


@pytest.mark.parametrize("digits", ["12a", "-12", "+12", " 12", "1_2", "１２３", "٣٤٥"])
def test_characters_other_than_ascii_digits_are_refused(digits: str) -> None:
    with pytest.raises(BadQR, match="other than the digits"):
        digits_to_bytes(digits)


def test_more_digits_than_any_symbol_holds_are_refused() -> None:
    with pytest.raises(BadQR, match="no QR code holds over 7089"):
        digits_to_bytes("0" * 7090)


def test_a_url_comes_apart_as_it_was_put_together() -> None:
    url = qr_url("chongqing.creditbank.example", "000255")
    assert url == "https://chongqing.creditbank.example/v#1000255"
    assert parse_url(url) == ("chongqing.creditbank.example", "000255")


@pytest.mark.parametrize("domain", ["", "Bank.example", "a/b", "a#b", "a b", "-a.example", "a..b"])
def test_a_url_needs_a_host_name(domain: str) -> None:
    with pytest.raises(BadQR, match="not a domain name"):
        qr_url(domain, "000")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://bank.example/v#2000", "has format 2"),
        ("https://bank.example/v#1", "nothing follows"),
        ("https://bank.example/v", "no credential"),
        ("http://bank.example/v#1000", "no credential"),
        ("https://bank.example/v?x#1000", "no credential"),
        ("https://bank.example/v#1000\n", "no credential"),
        ("https://user@bank.example/v#1000", "no credential"),
        ("WIFI:T:WPA;S:bank;;", "no credential"),
    ],
)
def test_other_urls_are_refused_with_a_reason(url: str, why: str) -> None:
    with pytest.raises(BadQR, match=why):
        parse_url(url)
