"""How often one key or address may ask: a token bucket for each."""

from pydantic import BaseModel, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limit(BaseModel):
    """So many requests at once, and so many more each second."""

    model_config = _STRICT

    burst: int = Field(ge=1)
    per_second: float = Field(gt=0, allow_inf_nan=False)


class Limits(BaseModel):
    """The table `[limits]` of `bank.toml`, each of them with `burst` and `per_second`."""

    model_config = _STRICT

    address: Limit = Limit(burst=5000, per_second=1000)
    """Whatever one address asks without a key."""
    key: Limit = Limit(burst=5000, per_second=500)
    """What one API key asks."""
    signed: Limit = Limit(burst=500, per_second=100)
    """Signed requests of one address, whose signatures cost time to check."""
    door: Limit = Limit(burst=20, per_second=1 / 6)
    """Attempts of one address to sign in."""
    trial: Limit = Limit(burst=5, per_second=1 / 10)
    """Drafts of rules that one address tries."""
