"""UTF-8 and GB 18030 are read as such; anything else is called by its name, and never guessed."""

import io
from pathlib import Path

import pytest

from bank.results import BadEncoding, BadTable, Preview, ResultsError, read_mapping, read_results
from bank.results.encoding import find_encoding

SAMPLE = "docs/samples/results.csv"
NAMES = dict.fromkeys(["bayu-open", "jialing-tech", "shancheng-skills"], "")
WESTERN = "id,name\n1,José García\n2,Müller\n3,Élodie\n"
TAIWAN = "學號,姓名,課程名稱\n1,陳大文,計算機應用基礎\n2,歐陽靜,社區工作實務\n3,劉曉燕,經濟法\n"
JAPAN = "番号,氏名,科目\n1,山田たろう,データベースのきほん\n2,すずきハナコ,おりがみ\n"
KOREA = (
    "번호,이름,과목\n1,김민수,데이터베이스 원리\n2,박지영,컴퓨터 활용 기초\n3,최서연,복지 실무론\n"
)
RUSSIA = "номер,имя\n1,Иван Петров\n2,Анна Смирнова\n"


def read_as(tmp_path: Path, repo: Path, data: bytes) -> Preview:
    path = tmp_path / "results.csv"
    path.write_bytes(data)
    mapping = read_mapping(repo / "docs/samples/results.mapping.toml")
    return read_results(path, mapping, NAMES)


def refusal(data: bytes) -> str:
    with pytest.raises(ResultsError) as refused:
        find_encoding(io.BytesIO(data), "r.csv")
    message = str(refused.value)
    assert message.startswith("r.csv")
    assert len(message) < 300
    return message


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("gb18030", b""),
        ("gb18030", b"\x84\x31\x95\x33"),
    ],
)
def test_the_same_sample_in_every_encoding_that_is_read(
    tmp_path: Path, repo: Path, encoding: str, mark: bytes
) -> None:
    text = (repo / SAMPLE).read_text(encoding="utf-8")
    expected = read_as(tmp_path, repo, text.encode())
    assert len(expected.results) == 300
    assert read_as(tmp_path, repo, mark + text.encode(encoding)) == expected


def test_gbk_of_a_chinese_spreadsheet(tmp_path: Path, repo: Path) -> None:
    text = (repo / SAMPLE).read_text(encoding="utf-8")
    gbk = "".join(char for char in text if char.encode("gbk", "ignore"))
    assert read_as(tmp_path, repo, gbk.encode("gbk")) == read_as(tmp_path, repo, gbk.encode())


@pytest.mark.parametrize(
    "text",
    [
        "id,name\n1,王喆\n",  # the second character is in GBK only
        "id,name\n1,龍飛\n2,劉備\n3,鄧麗君\n",  # traditional characters in a GBK file
        "id,name\n1,Zoë\n",  # four bytes in GB 18030
        "id,grade\n1,合格\n2,不合格\n3,合格\n",
        "id,name\n1,重庆\n",
    ],
)
def test_short_gb_files(text: str) -> None:
    assert find_encoding(io.BytesIO(text.encode("gb18030")), "r.csv") == "gb18030"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", WESTERN, TAIWAN, JAPAN, KOREA, RUSSIA, "𠮷"])
def test_whatever_is_utf8_is_read_as_that(text: str) -> None:
    assert find_encoding(io.BytesIO(text.encode()), "r.csv") == "utf-8-sig"


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        (WESTERN, "cp1252", "line 2: looks like Windows-1252 or another Western encoding"),
        ("id,name\n1,Müller\n", "latin-1", "line 2: looks like Windows-1252 or another Western"),
        (TAIWAN, "big5", "line 1: looks like Big5"),
        (JAPAN, "shift_jis", "line 1: looks like Shift_JIS"),
        (KOREA, "euc_kr", "line 1: looks like EUC-KR"),
        (RUSSIA, "cp1251", "line 1: looks like Windows-1251"),
    ],
)
def test_other_encodings_are_named(text: str, encoding: str, name: str) -> None:
    message = refusal(text.encode(encoding))
    assert name in message
    assert "only UTF-8 and GB 18030 (GBK) are read; save it as 'CSV UTF-8'" in message


def test_western_text_in_two_encodings_is_not_taken_for_chinese() -> None:
    data = "id,name\n1,José\n".encode() + "2,Müller\n".encode("cp1252")
    assert data.decode("gb18030") == "id,name\n1,Jos茅\n2,M黮ler\n"
    assert "line 3: looks like Windows-1252 or another Western encoding" in refusal(data)


def test_western_text_would_have_been_read_as_chinese() -> None:
    """The precondition of the check above: GB 18030 decodes it without complaint."""
    assert "Müller".encode("cp1252").decode("gb18030") == "M黮ler"


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize(
    ("encoding", "bom", "name"),
    [
        ("utf-16-le", b"\xff\xfe", "UTF-16 (little-endian)"),
        ("utf-16-be", b"\xfe\xff", "UTF-16 (big-endian)"),
        ("utf-32-le", b"\xff\xfe\0\0", "UTF-32 (little-endian)"),
        ("utf-32-be", b"\0\0\xfe\xff", "UTF-32 (big-endian)"),
    ],
)
@pytest.mark.parametrize("text", ["id,name\n1,Ann\n", "学号,姓名\n1,王芳\n2,李敏\n"])
def test_wide_encodings_are_named(
    text: str, encoding: str, bom: bytes, name: str, mark: bool
) -> None:
    message = refusal((bom if mark else b"") + text.encode(encoding))
    assert f"looks like {name} text" in message
    assert "save it as 'CSV UTF-8'" in message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a,b\n1,2\n1,\0\n", "line 3: looks like binary data, with NUL bytes"),
        (b"PK\x03\x04 and so on", "an Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"id,name\n1,\xff\xff\x80\x80\n", "no text encoding known here"),
    ],
)
def test_no_text_at_all_is_named(data: bytes, says: str) -> None:
    assert says in refusal(data)


@pytest.mark.parametrize("rows", [10, 100_000])
def test_a_damaged_utf8_file_is_not_taken_for_another(rows: int) -> None:
    lines = [f"{number},王芳,重庆大学" for number in range(rows)]
    whole = "\n".join(lines).encode()
    lines[rows // 2] += "!"
    damaged = "\n".join(lines).encode().replace(b"!", b"\xff")
    assert f"line {rows // 2 + 1}: looks like UTF-8, but has bytes that are not" in refusal(damaged)
    assert f"line {rows}: looks like UTF-8" in refusal(whole[:-1])


def test_a_damaged_gb_file_is_named_with_its_line() -> None:
    lines = [f"{number},王芳,重庆大学".encode("gb18030") for number in range(50_000)]
    lines[40_000] += b"\xff\xff"
    message = refusal(b"\n".join(lines))
    assert "line 40001: looks like GB 18030 (GBK), but has bytes that are not" in message


class Endless(io.RawIOBase):
    """A gigabyte without a line end; remembers how much of it was asked for."""

    def __init__(self, unit: bytes) -> None:
        self.unit = unit
        self.place = 0

    def seek(self, place: int, whence: int = 0) -> int:
        self.place = place
        return place

    def tell(self) -> int:
        return self.place

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1024 * 1024, "only chunks may be asked for"
        given = min(size, 2**30 - self.place)
        self.place += given
        return self.unit * given


def test_a_gigabyte_in_one_line_is_not_read() -> None:
    file = Endless(b"x")
    with pytest.raises(BadTable, match=r"r\.csv, line 1: is over 1 MiB long; .* missing line ends"):
        find_encoding(file, "r.csv")  # type: ignore[arg-type]
    assert file.place < 2 * 1024 * 1024


def test_a_gigabyte_of_zeros_is_not_read() -> None:
    file = Endless(b"\0")
    with pytest.raises(BadEncoding, match="binary data, with NUL bytes"):
        find_encoding(file, "r.csv")  # type: ignore[arg-type]
    assert file.place < 1024 * 1024


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_line_may_have_a_mebibyte_and_no_byte_more(end: bytes) -> None:
    line = b"x" * 1024 * 1024
    find_encoding(io.BytesIO(b"a" + end + line + end + line), "r.csv")
    for data in (line + b"x" + end, b"a" + end + line + b"x", b"a" + end + line + b"x" + end):
        with pytest.raises(BadTable, match="is over 1 MiB long"):
            find_encoding(io.BytesIO(data), "r.csv")


def test_many_lines_are_no_long_line() -> None:
    find_encoding(io.BytesIO(b"0123456789\n" * 500_000), "r.csv")
