"""The archive a person gets of everything held about them: parts in, the bytes of a ZIP out. Pure.

The same parts and time give the same bytes: names in a fixed order, nothing compressed (what
compressors write changes between their versions), every file dated with the time of the export.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bank.awards import short_name
from keys import Json
from ledger import parse_time

README = "README.txt"
_ABOUT = """\
您在本学分银行的全部记录
导出时间：{time}（协调世界时）

identity.json      您的姓名、曾用名和身份证件（如有登记）
accounts.json      您的学习账户，以及每个账户持有的学分凭证及其在账本上的位置和状态
bundles/           每份学分凭证一个文件，附账本收据，可离线验证：
                   creditbank verify 文件 --trust trust.json，或在本行验证网页中打开
shares.json        您分享过的链接，以及每次被打开的时间
wallets.json       您的数字钱包密钥，以及发往钱包的凭证
consents.json      您作出的授权同意：用途、接收方、范围、起止日期、是否撤回
events.json        本行对您的记录所做的操作，按时间顺序排列

本文件含个人信息，请妥善保管。姓名和证件号码不在公开账本上。
链接、钱包和账户的口令未列入：本行只保存其摘要，或可另行向本行索取。

Everything this credit bank holds about you
Exported: {time} (UTC)

identity.json      your name, earlier names, and identity document (if one was recorded)
accounts.json      your accounts, and for each award in them its place and state on the ledger
bundles/           one file for each award, with its receipt; anyone can check it offline:
                   creditbank verify FILE --trust trust.json, or open it in the verifier page
shares.json        the links you shared, and when each was opened
wallets.json       the keys of your wallets, and what was offered to them
consents.json      what you agreed to: purpose, recipient, scope, days, and whether withdrawn
events.json        what was done with your record, oldest first

This file holds personal data: keep it safe. No name and no number is on the public ledger.
Secrets of links, wallets and accounts are not in it: the bank keeps digests of them only, or
hands them out to you alone.
"""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything held about one person; each of the lists becomes one file.

    `bundles` are by the identifier of the credential.
    """

    identity: Mapping[str, Json] = field(repr=False)
    accounts: Sequence[Json]
    shares: Sequence[Json]
    wallets: Sequence[Json]
    consents: Sequence[Json]
    events: Sequence[Json]
    bundles: Mapping[str, bytes] = field(repr=False)


def pack(held: Holdings, time: str) -> bytes:
    """The ZIP of what is held, as of `time` (as the ledger spells it)."""
    files = {
        README: _ABOUT.format(time=time).encode(),
        "accounts.json": _json({"accounts": list(held.accounts)}),
        "consents.json": _json({"consents": list(held.consents)}),
        "events.json": _json({"events": list(held.events)}),
        "identity.json": _json(dict(held.identity)),
        "shares.json": _json({"shares": list(held.shares)}),
        "wallets.json": _json({"wallets": list(held.wallets)}),
    }
    for identifier, bundle in held.bundles.items():
        files[f"bundles/{short_name(identifier)}.bundle.json"] = bundle
    moment = parse_time(time)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in sorted(files.items()):
            # ZIP knows no year before 1980, and no odd second.
            info = zipfile.ZipInfo(name, max(moment.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
            # Else it depends on the system: 3 is Unix, and its owner alone may read the file.
            info.create_system = 3
            info.external_attr = 0o100600 << 16
            archive.writestr(info, data)
    return written.getvalue()


def _json(value: Json) -> bytes:
    # For people to read, so not canonical JSON; the bundles are.
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
