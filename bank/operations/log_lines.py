"""Log lines: one JSON object each on standard error, with nothing in it that tells of a person.

Only what this program chose to log has words of its own. A line of another package may quote an
address, a parameter or a row, so of that only its place is told; the same holds for errors.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from bank.recent_errors import error_sentence
from keys import Json

LOGGER = "creditbank"
_OTHERS = logging.WARNING
FIELDS = ("request", "method", "route", "status", "ms", "role", "key", "size", "port", "trace")
"""What a line may have besides its time, level and event; nothing else passes."""


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        ours = record.name == LOGGER or record.name.startswith(f"{LOGGER}.")
        line: dict[str, Json] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if ours else _place(record),
        }
        line |= {name: record.__dict__[name] for name in FIELDS if name in record.__dict__}
        if record.exc_info and isinstance(record.exc_info[1], Exception):
            line["error"] = error_sentence(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def start_logging(level: str) -> None:
    """Send everything that is logged in this process to standard error, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_OTHERS)
    logging.getLogger(LOGGER).setLevel(level.upper())
    logging.captureWarnings(True)


def _place(record: logging.LogRecord) -> str:
    return f"{record.name} at {Path(record.pathname).name}, line {record.lineno}"
