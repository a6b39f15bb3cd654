"""What stops a results file from being read at all; a fault of one row is a `Problem` instead."""


class ResultsError(Exception):
    """Base of every error this package raises; the message names file, line or key."""


class BadMapping(ResultsError):
    """A mapping file that is not TOML, or says something unknown or impossible."""


class BadEncoding(ResultsError):
    """A results file that is neither UTF-8 nor GB 18030 text."""


class BadTable(ResultsError):
    """A results file that is missing, empty, lacks a column, or is not well-formed CSV."""


class BadValue(ValueError):
    """A text that is not the value it should be; becomes a `Problem` or a `BadMapping`."""
