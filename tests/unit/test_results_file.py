"""A file that cannot be read as a whole is refused in one sentence with file, line and advice."""

import csv
import os
from pathlib import Path

import pytest

from bank.results import BadTable, Preview, ResultsError, read_mapping, read_results

MAPPING = """
institution = "bayu-open"
source_key = "{number}|K1"
credits = "{credits}"
awarded = "2024-07-05"
learner = { key = "{number}", name = "{name}" }
[unit]
code = "K1"
title_en = "Unit"
field = "education"
level = "5"
hours = "48"
framework = "cq-lof"
scheme = "standard-credit"
"""
HEAD = b"number,name,credits,note\n"


def read(tmp_path: Path, data: bytes | None, mapping: str = MAPPING) -> Preview:
    path, rules = tmp_path / "r.csv", tmp_path / "m.toml"
    if data is not None:
        path.write_bytes(data)
    rules.write_text(mapping, encoding="utf-8")
    return read_results(path, read_mapping(rules), {"bayu-open": "Bayu"})


def test_a_good_file(tmp_path: Path) -> None:
    preview = read(tmp_path, HEAD + b"1,Ann,3,\n2,Bo,3,x\n")
    assert (len(preview.results), preview.problems, preview.rows) == (2, (), 2)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "r.csv is empty; export the results again"),
        (b"\xef\xbb\xbf", "r.csv is empty"),
        (b"\n\r\n,,\n", "r.csv is empty"),
        (HEAD, "r.csv has a header and no rows; export the results again"),
        (HEAD + b"\n,,,\n", "r.csv has a header and no rows"),
        (
            b"number,name,note\n1,Ann,\n",
            "r.csv, line 1: column 'credits' is missing, which {m} names for 'credits'; "
            "the file has number, name, note",
        ),
        (b"Number,name,credits\n1,Ann,3\n", "column 'number' is missing, .* calls it 'Number'"),
        (b"\n\n1,Ann,3\n", "r.csv, line 3: column 'number' is missing"),
        (b"number;name;credits\n1;Ann;3\n", "separates its columns otherwise; set 'delimiter'"),
        (
            b"number,name,credits,name\n1,Ann,3,Bo\n",
            "r.csv, line 1: column 'name' is there 2 times; rename all but the one that counts",
        ),
        (HEAD + b'1,Ann,3,\n2,"Bo,3,\n', "r.csv, line 3: the quotation marks do not pair"),
        (HEAD + b'1,"Ann"e,3,\n', "r.csv, line 2: the quotation marks do not pair"),
        (HEAD + b'1,"A\nB",3,\n2,"Bo"x,3,\n', "r.csv, line 4: the quotation marks do not pair"),
        (
            HEAD + b'1,"' + b"x" * 200_000 + b'",3,\n',
            "r.csv, line 2: the quotation marks do not pair",
        ),
        (HEAD + b"1,Ann,3," + b"x" * 2**20 + b"\n", "r.csv, line 2: is over 1 MiB long"),
        (HEAD + b"1,Ann,3,\0\n", "r.csv, line 2: looks like binary data, with NUL bytes"),
    ],
)
def test_a_fault_of_the_whole_file(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(ResultsError) as refused:
        read(tmp_path, data)
    message = str(refused.value)
    assert message.startswith(str(tmp_path / "r.csv"))
    for part in says.replace("{m}", str(tmp_path / "m.toml")).split(" .* "):
        assert part in message
    assert len(message) < 600


def test_a_quote_that_never_closes_does_not_swallow_the_file(tmp_path: Path) -> None:
    rows = b"".join(b'%d,Ann,3,"\n' % number for number in range(3))
    with pytest.raises(BadTable, match="do not pair"):
        read(tmp_path, HEAD + rows + b"some text, and more\n" * 200_000)


def test_a_record_of_endlessly_many_lines_is_refused(tmp_path: Path) -> None:
    # Each field is short, so that only the limit of the record can end it.
    endless = HEAD + b'1,Ann,3,"\n' + b'","\n' * 400_000
    with pytest.raises(BadTable, match=r"line 2: .*a record is over 1 MiB"):
        read(tmp_path, endless)
    # It holds where another library has raised csv's own limit for the whole process.
    limit = csv.field_size_limit(2**30)
    try:
        with pytest.raises(BadTable, match=r"line 2: .*a record is over 1 MiB"):
            read(tmp_path, HEAD + b'1,Ann,3,"\n' + b"some text, and more\n" * 100_000)
    finally:
        csv.field_size_limit(limit)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    data = b'number,name,credits,note\r\n\r\n1,Ann,3,"two\r\nlines"\r\n,,,\r\n2,Bo,x,\r\n'
    preview = read(tmp_path, data)
    assert [result.line for result in preview.results] == [3]
    assert [problem.line for problem in preview.problems] == [6]
    assert preview.rows == 2


def test_cells_lose_the_space_around_them(tmp_path: Path) -> None:
    data = "number, name ,credits\n 1 ,\u3000王芳\t, 3 \n".encode()
    (result,) = read(tmp_path, data).results
    assert (result.learner.key, result.learner.name, result.credits) == ("1", "王芳", "3")


@pytest.mark.parametrize("mark", [";", "|", "\t"])
def test_other_separators(tmp_path: Path, mark: str) -> None:
    data = HEAD.replace(b",", mark.encode()) + f"1{mark}Ann, B{mark}3{mark}\n".encode()
    (result,) = read(tmp_path, data, f"delimiter = {mark!r}\n".replace("'", '"') + MAPPING).results
    assert result.learner.name == "Ann, B"


def test_quoted_cells(tmp_path: Path) -> None:
    (result,) = read(tmp_path, HEAD + b'"1","Ann ""B"" C, D","3",""\n').results
    assert result.learner.name == 'Ann "B" C, D'


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"r\.csv does not exist; check the file's name"):
        read(tmp_path, None)
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(BadTable, match=r"r\.csv is not a regular file"):
        read(tmp_path, None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "r.csv")
    with pytest.raises(BadTable, match="is not a regular file"):
        read(tmp_path, None)


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bank.results.rows.find_encoding", lambda file, name: "utf-8")
    with pytest.raises(BadTable, match=r"r\.csv changed while it was read; import it again"):
        read(tmp_path, HEAD + b"1,\xcd\xf5,3,\n")
