"""`creditbank verify FOLDER --report FILE`: every file of a folder, by all processors there are."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from verifier.bulk import Row, Setting, check_files, overall, repeated_awards, walk
from verifier.bulk_report import Findings, replacing, summary, writer
from verifier.bulk_words import told, verdict_word
from verifier.errors import BadReport
from verifier.standard_output import tell


def verify_folder(setting: Setting, report: Path, trust_file: Path) -> int:
    """Verify the folder's files, write the report, print the summary; the exit code."""
    write = writer(report)
    language = setting.language
    # The report first: that it cannot be written is better known before the work than after it.
    with replacing(report) as out:
        rows = _rows(setting, (report, trust_file))
        write(Findings(setting, rows), out)
    said = [
        f"{count:>7} {verdict_word(verdict, language)}" for verdict, count in summary(rows) if count
    ]
    repeated = repeated_awards(rows)
    if repeated:
        said.append(told("repeated", language, count=str(repeated)))
    tell("\n".join([*said, told("wrote", language, path=str(report))]))
    return overall(rows)


def _rows(setting: Setting, left_out: Sequence[Path]) -> list[Row]:
    try:
        files = walk(setting.folder, left_out)
        if not files:
            raise BadReport(f"there is no file to verify in {setting.folder}")
        with _bar() as bar:
            task = bar.add_task(told("doing", setting.language), total=len(files))
            return check_files(setting, files, lambda count: bar.update(task, completed=count))
    except OSError as error:
        why = error.strerror or error
        raise BadReport(f"the files of {setting.folder} cannot be verified: {why}") from error


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True, highlight=False))
