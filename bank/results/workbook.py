"""The rows of an Excel workbook (.xlsx or .xls): its first sheet, each cell as text.

A day becomes YYYY-MM-DD; a whole number has no decimals, whatever Excel stores. A formula gives
the value it had when the file was saved.
"""

import datetime
import io
from collections.abc import Iterator

from bank.results.errors import BadTable

_MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_MOST_CELLS = 20_000_000


def is_workbook(data: bytes) -> bool:
    """Whether these bytes begin as a workbook does."""
    return data.startswith(_MARKS)


def workbook_rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that has anything in it, with its number in the sheet; messages say `name`."""
    # Loaded where a workbook is read: a file of text needs none of it.
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            if not workbook.sheet_names:
                raise BadTable(f"{name} has no sheet; export the results again")
            sheet = workbook.get_sheet_by_index(0)
            if sheet.height * sheet.width > _MOST_CELLS:
                raise BadTable(f"{name} has over {_MOST_CELLS} cells; send it in parts")
            rows = sheet.to_python(skip_empty_area=False)
    except CalamineError as error:
        raise BadTable(
            f"{name} cannot be read as a workbook ({error}); save it as 'CSV UTF-8' and take that"
        ) from error
    for number, row in enumerate(rows, start=1):
        cells = [_text(cell) for cell in row]
        if any(cells):
            yield number, cells


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ")
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return str(cell).strip()
