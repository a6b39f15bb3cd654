"""Is a document a verifiable credential or presentation at all? (VCDM 2.0, sections 4 and 5.)

What its contexts define, JSON-LD says; here is the rest: which fields there must be, and what
each may hold. Nothing here is about trust.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from credentials.errors import BadDocument
from credentials.moment import parse_moment
from credentials.rdf.nquads import is_iri
from credentials.related_resource import check_digests
from keys import Json

V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z", re.ASCII)


def check_credential(document: dict[str, Json]) -> None:
    """BadDocument unless `document` is a verifiable credential of VCDM 2.0 or 1.1, proof aside."""
    first = _check_context(document, (V2, V1))
    _check_types(document, "VerifiableCredential")
    _check_not_enveloped(document)
    _check_optional_url(document, "id", "the credential")
    _check_party(document, "issuer")
    for subject in _one_or_many(document, "credentialSubject"):
        if not subject:
            raise BadDocument("a credentialSubject makes no claim")
        _check_optional_url(subject, "id", "a credentialSubject")
    if first == V2:
        _check_period(document, "validFrom", "validUntil", required=False)
        for name in ("name", "description"):
            _check_words(document, name, "the credential")
    else:
        _check_period(document, "issuanceDate", "expirationDate", required=True)
    for name, needs_id in _TYPED.items():
        for item in _one_or_many(document, name) if name in document else ():
            _check_typed(item, name, needs_id)
    if "relatedResource" in document:
        _check_resources(document)


def check_presentation(document: dict[str, Json]) -> None:
    """BadDocument unless `document` is a verifiable presentation (section 4.13), proof aside.

    The credentials in it are not looked into.
    """
    _check_context(document, (V2, V1))
    _check_types(document, "VerifiablePresentation")
    _check_optional_url(document, "id", "the presentation")
    if "holder" in document:
        _check_party(document, "holder")
    for name in ("termsOfUse",):
        for item in _one_or_many(document, name) if name in document else ():
            _check_typed(item, name, needs_id=False)


def credentials_in(presentation: dict[str, Json]) -> list[dict[str, Json]]:
    """The credentials a presentation holds; BadDocument where one is not an object."""
    if "verifiableCredential" not in presentation:
        return []
    return list(_one_or_many(presentation, "verifiableCredential"))


def party(document: dict[str, Json], name: str) -> str:
    """Who `issuer` or `holder` names, checked before; nothing where there is none."""
    value = document.get(name)
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else ""


def is_enveloped(document: dict[str, Json]) -> bool:
    """Whether the document only wraps a credential or presentation secured some other way."""
    names = document.get("type")
    kinds = names if isinstance(names, list) else [names]
    return any(
        kind in ("EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation")
        for kind in kinds
    )


_TYPED = {
    "credentialStatus": False,
    "credentialSchema": True,
    "refreshService": False,
    "termsOfUse": False,
    "evidence": False,
}
"""Fields of objects that must have a type, and whether each must have an id too."""


def _check_context(document: dict[str, Json], firsts: tuple[str, ...]) -> str:
    value = document.get("@context")
    if not isinstance(value, list) or not value or value[0] not in firsts:
        raise BadDocument(f"the document's @context is not a list that begins with {firsts[0]}")
    for entry in value[1:]:
        if not isinstance(entry, dict) and not (isinstance(entry, str) and is_iri(entry)):
            raise BadDocument(f"an entry of @context is neither a URL nor a context: {entry!r:.80}")
    return str(value[0])


def _check_types(document: dict[str, Json], wanted: str) -> None:
    if is_enveloped(document):
        raise BadDocument("an enveloped document is not supported here: only embedded proofs are")
    if wanted not in _texts(document.get("type"), "the document's type"):
        raise BadDocument(f"the document's type does not include {wanted}")


def _check_not_enveloped(document: dict[str, Json]) -> None:
    identifier = document.get("id")
    if isinstance(identifier, str) and identifier.startswith("data:"):
        raise BadDocument("a credential's id is not a data: URL")


def _texts(value: Json, what: str) -> list[str]:
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str) and item]
    if not items or len(texts) != len(items):
        raise BadDocument(f"{what} is missing, or not one or more texts")
    return texts


def _check_optional_url(parent: dict[str, Json], name: str, what: str) -> None:
    if name in parent:
        _check_url(parent[name], f"the {name} of {what}")


def _check_url(value: Json, what: str) -> None:
    if not isinstance(value, str) or not is_iri(value):
        raise BadDocument(f"{what} is not a single URL: {value!r:.80}")


def _check_party(document: dict[str, Json], name: str) -> None:
    value = document.get(name)
    if isinstance(value, dict):
        _check_url(value.get("id"), f"the {name}'s id")
        for words in ("name", "description"):
            _check_words(value, words, f"the {name}")
    else:
        _check_url(value, f"the {name}")


def _one_or_many(document: dict[str, Json], name: str) -> Iterator[dict[str, Json]]:
    value = document.get(name)
    items = value if isinstance(value, list) else [value]
    if not items:
        raise BadDocument(f"{name} is an empty list")
    for item in items:
        if not isinstance(item, dict):
            raise BadDocument(f"{name} is missing, or not one or more objects")
        yield item


def _check_typed(item: dict[str, Json], name: str, needs_id: bool) -> None:
    _texts(item.get("type"), f"the type of {name}")
    if needs_id or "id" in item:
        _check_url(item.get("id"), f"the id of {name}")


def _check_period(document: dict[str, Json], start: str, end: str, required: bool) -> None:
    moments: dict[str, datetime] = {}
    for name in (start, end):
        value = document.get(name)
        if name in document:
            moments[name] = parse_moment(value if isinstance(value, str) else "", name)
    if required and start not in moments:
        raise BadDocument(f"the credential lacks {start}")
    if len(moments) == 2 and moments[end] < moments[start]:
        raise BadDocument(f"{end} lies before {start}")


def _check_words(parent: dict[str, Json], name: str, what: str) -> None:
    """A text, or texts that say their language and direction (section 11.1)."""
    value = parent.get(name, "")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            continue
        if not isinstance(item, dict) or not _is_words(item):
            raise BadDocument(
                f"the {name} of {what} is neither text nor a language value object: {item!r:.80}"
            )


def _is_words(item: dict[str, Json]) -> bool:
    language = item.get("@language", "en")
    return (
        set(item) <= {"@value", "@language", "@direction"}
        and isinstance(item.get("@value"), str)
        and isinstance(language, str)
        and _LANGUAGE.match(language) is not None
        and item.get("@direction", "ltr") in ("ltr", "rtl")
    )


def _check_resources(document: dict[str, Json]) -> None:
    seen: set[Json] = set()
    for item in _one_or_many(document, "relatedResource"):
        identifier = item.get("id")
        _check_url(identifier, "the id of a relatedResource")
        if identifier in seen:
            raise BadDocument(f"two related resources have the id {identifier!r:.80}")
        seen.add(identifier)
        if "mediaType" in item and not isinstance(item["mediaType"], str):
            raise BadDocument("the mediaType of a relatedResource is not text")
        check_digests(item)
