"""QR versions over 200 varied credentials: Chinese, Latin and Greek, short and long."""

import base64
import hashlib
import random
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from credentials.qr import choose_symbol
from keys import Json, PrivateKey, b64u_encode, base58_encode, encode

DOMAIN = "chongqing.creditbank.example"
CONTEXT: list[Json] = [
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
]
INSTITUTIONS = [
    ("cqopen", "重庆开放大学"),
    ("yuzhong-vtc", "渝中职业培训中心"),
    ("polytechnic-of-the-yangtze", "Polytechnic University of the Upper Yangtze"),
    ("patras", "Πανεπιστήμιο Πατρών"),
]
LEARNERS = ["张伟", "欧阳娜娜", "Zoë Müller-Lüdenscheidt", "Ελένη Παπαδοπούλου", "María José Núñez"]
UNITS = [
    (
        "ACC101",
        "基础会计",
        "掌握会计核算的基本方法，能够编制财务报表。",
        "财经商贸",
        "期末考试成绩六十分及以上。",
    ),
    (
        "NUR-2204",
        "急救护理实务",
        "能够在院前环境中完成心肺复苏与创伤包扎。",
        "医药卫生",
        "完成全部实训并通过考核。",
    ),
    (
        "CS-ML-310",
        "Introduction to Machine Learning for Engineering Systems",
        "Explain, train and evaluate linear models, decision trees and small neural networks.",
        "Information Technology",
        "Passed the final examination and all assessed coursework.",
    ),
    ("ART7", "Δίκαιο", "Αρχές του ευρωπαϊκού δικαίου.", "Law", "Γραπτή εξέταση."),
]


def credential(dice: random.Random, signer: PrivateKey) -> dict[str, Json]:
    """A credential of the shape the institutions issue, signed with a stand-in proof value."""
    slug, issuer = dice.choice(INSTITUTIONS)
    code, title, description, field, narrative = dice.choice(UNITS)
    credits = dice.choice([0.5, 1, 2, 3.5, 6, 12.25])
    level = str(dice.randint(1, 8))
    scheme = dice.choice(["cn-standard", "ects"])
    slot = str(dice.randrange(131_072))
    status = f"https://{DOMAIN}/status/{dice.randint(1, 9)}"
    did = f"did:web:{DOMAIN}:members:{slug}"
    unit = f"https://{DOMAIN}/units/{slug}/{code}/{dice.randint(1, 4)}"
    document: dict[str, Json] = {
        "@context": CONTEXT,
        "id": f"urn:uuid:{uuid.UUID(bytes=dice.randbytes(16))}",
        "type": ["VerifiableCredential", "AchievementCredential"],
        "name": title,
        "issuer": {"id": did, "type": ["Profile"], "name": issuer},
        "validFrom": f"2026-0{dice.randint(1, 9)}-01T00:00:00Z",
        "credentialSubject": {
            "id": f"urn:uuid:{uuid.UUID(bytes=dice.randbytes(16))}",
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": False,
                    "identityHash": dice.choice(LEARNERS),
                    "identityType": "name",
                }
            ],
            "creditsEarned": credits,
            "achievement": {
                "id": unit,
                "type": ["Achievement"],
                "name": title,
                "description": description,
                "criteria": {"id": unit, "narrative": narrative},
                "creditsAvailable": credits,
                "achievementType": "Course",
                "humanCode": code,
                "fieldOfStudy": field,
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetType": "ext:QualificationLevel",
                        "targetFramework": "Chongqing Qualifications Framework",
                        "targetCode": level,
                        "targetName": f"Level {level}",
                        "targetUrl": f"https://{DOMAIN}/frameworks/cn-10/1#{level}",
                    },
                    {
                        "type": ["Alignment"],
                        "targetType": "ext:CreditScheme",
                        "targetCode": scheme,
                        "targetName": scheme,
                        "targetUrl": f"https://{DOMAIN}/schemes/{scheme}",
                    },
                ],
            },
        },
        "credentialStatus": {
            "id": f"{status}#{slot}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": slot,
            "statusListCredential": status,
        },
    }
    if dice.random() < 0.4:
        document["validUntil"] = "2033-07-01T00:00:00Z"
    return document


def proof(dice: random.Random, signer: PrivateKey, did: str, suite: str) -> dict[str, Json]:
    signature = signer.sign(dice.randbytes(64))
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": f"2026-07-0{dice.randint(1, 9)}T08:{dice.randint(10, 59)}:07Z",
        "verificationMethod": f"{did}#{signer.public_key.multikey}",
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + base58_encode(signature),
    }


def receipt(
    dice: random.Random,
    document: dict[str, Json],
    signer: PrivateKey,
    height: int,
    newest: bool = False,
) -> str:
    """A receipt in a tree of the given height, with log, witness and ML-DSA-44 lines."""
    size = (1 << height) - dice.randrange(1 << max(height - 2, 0))
    index = dice.randrange(size // 2)
    if newest:
        size = (1 << height) - 1
        index = size - 3
    entry = encode(entry_of(dice, document, signer, index))
    node = hashlib.sha256(b"\0" + entry).digest()
    path = [dice.randbytes(32) for _ in range(height)]
    for level, sibling in enumerate(path):
        pair = sibling + node if index >> level & 1 else node + sibling
        node = hashlib.sha256(b"\1" + pair).digest()
    origin = f"{DOMAIN}/log"
    signatures = [
        (origin, dice.randbytes(4 + 64)),
        (origin, dice.randbytes(4 + 2420)),
        ("chengdu.creditbank.example/log", dice.randbytes(4 + 8 + 64)),
        ("guizhou.creditbank.example/log", dice.randbytes(4 + 8 + 64)),
    ]
    lines = ["c2sp.org/tlog-proof@v1", "extra " + base64.b64encode(entry).decode()]
    lines += [f"index {index}", *(base64.b64encode(sibling).decode() for sibling in path), ""]
    lines += [origin, str(size), base64.b64encode(node).decode(), ""]
    lines += [f"— {name} {base64.b64encode(data).decode()}" for name, data in signatures]
    return "\n".join(lines) + "\n"


def entry_of(
    dice: random.Random, document: dict[str, Json], signer: PrivateKey, index: int
) -> dict[str, Json]:
    """The award entry for `document`."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    subject, status, issuer = (
        document[name] for name in ("credentialSubject", "credentialStatus", "issuer")
    )
    assert isinstance(subject, dict)
    assert isinstance(status, dict)
    assert isinstance(issuer, dict)
    achievement = subject["achievement"]
    assert isinstance(achievement, dict)
    assert isinstance(achievement["alignment"], list)
    codes = [one["targetCode"] for one in achievement["alignment"] if isinstance(one, dict)]
    body: dict[str, Json] = {
        "commitment": b64u_encode(hashlib.sha256(encode(unsigned)).digest()),
        "credits": str(subject["creditsEarned"]),
        "level": codes[0],
        "lot": b64u_encode(dice.randbytes(16)),
        "scheme": codes[1],
        "status": {
            "index": int(str(status["statusListIndex"])),
            "list": int(str(status["statusListCredential"]).rpartition("/")[2]),
        },
        "unit": "@".join(str(achievement["id"]).split("/")[-2:]),
    }
    if "validUntil" in document:
        body["expires"] = str(document["validUntil"])[:10]
    return {
        "index": index,
        "prev": dice.randbytes(32).hex(),
        "signatures": [
            {"key": signer.public_key.multikey, "value": b64u_encode(signer.sign(encode(body)))}
        ],
        "statement": {
            "author": issuer["id"],
            "body": body,
            "suite": "ed25519-jcs",
            "type": "award",
            "version": 1,
        },
        "time": f"2026-11-23T18:{dice.randint(10, 59)}:22Z",
    }


def bundles(count: int, height: int, newest: bool = False) -> Iterator[tuple[dict[str, Json], str]]:
    """Varied signed credentials with their receipts; the same ones in every run."""
    dice = random.Random(20261123)
    signer = PrivateKey.from_seed(dice.randbytes(32))
    for _ in range(count):
        document = credential(dice, signer)
        issuer = document["issuer"]
        assert isinstance(issuer, dict)
        document["proof"] = [
            proof(dice, signer, str(issuer["id"]), suite)
            for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022")
        ]
        yield document, receipt(dice, document, signer, height, newest)


@pytest.fixture(scope="module")
def small_log() -> list[tuple[dict[str, Json], str]]:
    return list(bundles(200, 10))


def report(title: str, versions: Counter[str]) -> None:
    print(f"\n{title}: " + ", ".join(f"{name} x{versions[name]}" for name in sorted(versions)))


def test_without_a_receipt_every_credential_fits_version_19_at_m(
    small_log: list[tuple[dict[str, Json], str]],
) -> None:
    symbols = [choose_symbol(DOMAIN, document) for document, _ in small_log]
    report("no receipt", Counter(f"{one.version}-{one.error_correction}" for one in symbols))
    assert all(one.error_correction == "M" and one.version <= 19 for one in symbols)
    assert all(one.note is None and not one.has_receipt for one in symbols)


def test_with_the_landmark_receipt_of_a_million_entries_it_fits_version_22_at_m() -> None:
    symbols = [choose_symbol(DOMAIN, *bundle) for bundle in bundles(200, 20)]
    report("landmark", Counter(f"{one.version}-{one.error_correction}" for one in symbols))
    assert all(one.error_correction == "M" and one.version <= 22 for one in symbols)
    assert all(one.note is None and one.has_receipt for one in symbols)


def test_until_there_is_a_landmark_the_full_receipt_fits_version_25_at_l() -> None:
    """Entries not yet in a complete run of 256: the log's newest, in a log of hundreds."""
    symbols = [choose_symbol(DOMAIN, *bundle) for bundle in bundles(200, 7)]
    report("7 hashes", Counter(f"{one.version}-{one.error_correction}" for one in symbols))
    assert all(one.has_receipt and one.version <= 25 for one in symbols)


def test_a_full_receipt_too_large_is_dropped_with_a_note() -> None:
    for document, proof_text in bundles(10, 20, newest=True):
        symbol = choose_symbol(DOMAIN, document, proof_text)
        assert not symbol.has_receipt
        assert symbol.error_correction == "M"
        assert symbol.note is not None
        assert "receipt does not fit" in symbol.note
        assert symbol.url == choose_symbol(DOMAIN, document).url
