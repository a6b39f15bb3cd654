"""Files written whole or not at all, and what stands in their place and is no file."""

import os
import stat
import threading
from pathlib import Path

import pytest

from verifier import whole_file
from verifier.whole_file import write_whole


def test_folders_are_made_and_what_was_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    assert write_whole(path, b"one") == path
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [item.name for item in path.parent.iterdir()] == ["b.json"]


def test_the_owner_alone_where_that_is_meant(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "secret", b"x", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_pipe_is_written_into_and_stays(tmp_path: Path) -> None:
    """What is true of a pipe is true of /dev/null, which root would lose for the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=write_whole, args=(pipe, b"whole"))
    writer.start()
    assert pipe.read_bytes() == b"whole"
    writer.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_stays_and_leads_to_what_was_written(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_whole(link, b"x")
    assert link.is_symlink()
    assert target.read_bytes() == b"x"


@pytest.mark.parametrize("name", ["", "folder", "n" * 300])
def test_the_error_names_the_path_that_was_given(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    with pytest.raises(OSError, match=r"directory|too long") as caught:
        write_whole(path, b"x")
    assert caught.value.filename == str(path)
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


def test_what_could_not_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_whole(tmp_path / "kept", b"before")

    def stopped(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(whole_file.Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"after")
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [b"before"]
