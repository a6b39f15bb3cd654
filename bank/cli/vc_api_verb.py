"""`creditbank vc-api`: an issuer and verifier for any credential, by the W3C's API."""

import ssl
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.bank_verbs import LOOPBACK
from bank.cli.options import signer_at

if TYPE_CHECKING:
    from keys import AnySigner

vc_api_app = typer.Typer(
    name="vc-api", help="Issue and verify by the VC-API, for wallets and test suites."
)
_EPHEMERAL = "did:key"


@vc_api_app.callback()
def _root() -> None:
    """One verb for now; the callback keeps it a verb of its own."""


@vc_api_app.command("serve")
def serve_command(
    issuer: Annotated[
        str, typer.Option(help="did:key for a new key that ends with the server, or a keystore.")
    ] = _EPHEMERAL,
    holder: Annotated[
        str, typer.Option(help="The same for a holder's key, so that presentations are made.")
    ] = "",
    suite: Annotated[str, typer.Option(help="Proofs made: rdfc, jcs or both.")] = "rdfc",
    algorithm: Annotated[
        str, typer.Option(help="Of a new key: Ed25519, P-256 or P-384.")
    ] = "Ed25519",
    status: Annotated[
        bool, typer.Option(help="Give issued credentials a place in status lists.")
    ] = True,
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve HTTPS under a new self-signed certificate.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port on the loopback interface.")
    ] = 8600,
) -> None:
    """Serve the VC-API on loopback under /vc-api."""
    import secrets

    import uvicorn

    from bank.errors import BadSetup
    from bank.listening import listen
    from bank.vc_api import Instance, make_vc_api
    from credentials import ECDSA_JCS, ECDSA_RDFC, JCS, RDFC

    families = {"Ed25519": (RDFC, JCS), "P-256": (ECDSA_RDFC, ECDSA_JCS)}
    families["P-384"] = families["P-256"]
    if algorithm not in families:
        raise BadSetup(f"--algorithm is Ed25519, P-256 or P-384, not {algorithm!r}")
    rdfc, jcs = families[algorithm]
    suites = {"rdfc": (rdfc,), "jcs": (jcs,), "both": (rdfc, jcs)}.get(suite)
    if suites is None:
        raise BadSetup(f"--suite is rdfc, jcs or both, not {suite!r}")
    url = f"{'https' if tls else 'http'}://localhost:{port}/vc-api"
    instance = Instance(
        _signer(issuer, algorithm),
        suites,
        url,
        lambda: datetime.now(UTC),
        secrets.SystemRandom(),
        _signer(holder, algorithm) if holder else None,
        status,
    )
    config = uvicorn.Config(make_vc_api(instance), log_level="warning", access_log=False)
    if tls:
        config.load()
        config.ssl = _self_signed()
    with closing(listen(LOOPBACK, port)) as listener:
        names = ", ".join(suites)
        typer.echo(f"issuer   {instance.did}\nsuites   {names}\nat       {url}")
        uvicorn.Server(config).run([listener])


def _signer(name: str, algorithm: str) -> "AnySigner":
    from keys import PrivateKey
    from keys.ecdsa import EcdsaPrivateKey

    if name != _EPHEMERAL:
        return signer_at(name)
    return PrivateKey.generate() if algorithm == "Ed25519" else EcdsaPrivateKey.generate(algorithm)


def _self_signed() -> ssl.SSLContext:
    """A server's context for localhost, its key kept in no file for longer than it is read."""
    import tempfile
    from datetime import timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context
