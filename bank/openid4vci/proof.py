"""The wallet's proof that it holds a key: a JWT over the issuer and a nonce (appendix F.1)."""

from datetime import datetime, timedelta

from bank.openid4vci.errors import BadProofOfKey
from credentials import CredentialsError, key_in_did_key
from keys import Json, KeysError, PublicKey, VerificationKey, b64u_decode, base58_encode, parse
from keys.ecdsa import EcdsaPublicKey

_TYPE = "openid4vci-proof+jwt"
_ALGORITHMS = {"EdDSA": "Ed25519", "ES256": "P-256"}
_LIMIT = 8 * 1024
_SKEW = timedelta(minutes=5)
_AGE = timedelta(minutes=10)


def holder_of_proof(jwt: str, issuer: str, now: datetime) -> tuple[str, str]:
    """The did:key of the wallet's key, and the nonce the proof is over; BadProofOfKey if bad."""
    header, payload, message, signature = _parts(jwt)
    if header.get("typ") != _TYPE:
        raise BadProofOfKey(f"the proof's typ is not {_TYPE}")
    algorithm = header.get("alg")
    key = _key(header)
    if not isinstance(algorithm, str) or _ALGORITHMS.get(algorithm) != key.algorithm:
        raise BadProofOfKey("the proof's alg is not EdDSA or ES256, or not that of its key")
    try:
        key.verify(message, signature)
    except KeysError as error:
        raise BadProofOfKey(f"the proof does not hold: {error}") from error
    audience = payload.get("aud")
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        raise BadProofOfKey(f"the proof is for another issuer than {issuer}")
    made = payload.get("iat")
    if type(made) is not int:
        raise BadProofOfKey("the proof does not say when it was made (iat)")
    if not now.timestamp() - _AGE.total_seconds() < made < now.timestamp() + _SKEW.total_seconds():
        raise BadProofOfKey("the proof was made too long ago, or in the future")
    nonce = payload.get("nonce")
    if not isinstance(nonce, str):
        raise BadProofOfKey("the proof is over no nonce; ask the nonce endpoint for one")
    return f"did:key:{key.multikey}", nonce


def _parts(jwt: str) -> tuple[dict[str, Json], dict[str, Json], bytes, bytes]:
    parts = jwt.split(".")
    if len(jwt) > _LIMIT or len(parts) != 3:
        raise BadProofOfKey("the proof is not a JWT")
    try:
        header, payload = (parse(b64u_decode(part)) for part in parts[:2])
        signature = b64u_decode(parts[2], 64)
    except KeysError as error:
        raise BadProofOfKey(f"the proof is not a JWT: {error}") from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise BadProofOfKey("the proof is not a JWT: its header and payload are not objects")
    if "crit" in header:
        raise BadProofOfKey("the proof has critical extensions, none of which is known here")
    return header, payload, f"{parts[0]}.{parts[1]}".encode(), signature


def _key(header: dict[str, Json]) -> VerificationKey:
    """The one key the header names, as a did:key (kid) or by itself (jwk)."""
    kid, jwk = header.get("kid"), header.get("jwk")
    if (kid is None) == (jwk is None) or "x5c" in header:
        raise BadProofOfKey("the proof names its key by kid (a did:key) or jwk, one of the two")
    try:
        if isinstance(kid, str):
            did, _, fragment = kid.partition("#")
            return key_in_did_key(kid if fragment else f"{did}#{did.removeprefix('did:key:')}")
        if isinstance(jwk, dict):
            return _from_jwk(jwk)
    except (CredentialsError, KeysError) as error:
        raise BadProofOfKey(f"the proof's key is not usable: {error}") from error
    raise BadProofOfKey("the proof's key is neither text nor an object")


def _from_jwk(jwk: dict[str, Json]) -> VerificationKey:
    x, y = jwk.get("x"), jwk.get("y")
    if "d" in jwk:
        raise BadProofOfKey("the proof holds a private key: do not use that key any more")
    if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519" and isinstance(x, str):
        return PublicKey(b64u_decode(x, 32))
    curve = jwk.get("kty") == "EC" and jwk.get("crv") == "P-256"
    if curve and isinstance(x, str) and isinstance(y, str):
        sign = b"\x03" if b64u_decode(y, 32)[-1] & 1 else b"\x02"
        raw = b"\x80\x24" + sign + b64u_decode(x, 32)
        return EcdsaPublicKey.from_multikey("z" + base58_encode(raw))
    raise BadProofOfKey("the proof's jwk is not a key of Ed25519 or P-256")
