"""Results that a registrar uploads at the page: read, previewed, put right, then signed there."""

from bank.uploads.desk import Uploads
from bank.uploads.guess import FIELDS, Column, guess_mapping, nested
from bank.uploads.model import Upload, UploadState

__all__ = ["FIELDS", "Column", "Upload", "UploadState", "Uploads", "guess_mapping", "nested"]
