"""Values of statements whose shape was checked, as the types that they were checked to have.

Of any other value each gives nothing: types cannot say that a shape was checked.
"""

from keys import Json


def as_object(value: Json) -> dict[str, Json]:
    """An object."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Json) -> list[dict[str, Json]]:
    """A list of objects."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_texts(value: Json) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def as_names(value: Json) -> dict[str, str]:
    """Texts by name, such as titles by language."""
    return {name: str(text) for name, text in as_object(value).items()}
