"""Serving the application over HTTP, as the command does and whatever measures it."""

import gc
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from bank.api.slow_headers import Impatient

_YOUNG: Final = 20_000
"""New objects between two looks of the collector at the youngest; by Python's own setting 700,
which is a look for every few requests, and took a fifth of the processor."""


def serve(app: FastAPI, listener: socket.socket, patience: int | None = None) -> None:
    """Answer requests until a signal; then `patience` seconds for those that are under way."""
    # What there is by now stays as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)
    config = uvicorn.Config(
        app,
        http=Impatient,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=patience,
    )
    uvicorn.Server(config).run([listener])
