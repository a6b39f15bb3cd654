"""The socket that a server listens on."""

import socket

from bank.errors import BadSetup


def listen(host: str, port: int) -> socket.socket:
    """A socket at this address; BadSetup if the port cannot be had."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Now, not when all else is ready: a port that another has taken is found out here.
        listener.listen()
    except OSError as error:
        listener.close()
        raise BadSetup(f"port {port} of {host} cannot be had: {error.strerror}") from error
    return listener
