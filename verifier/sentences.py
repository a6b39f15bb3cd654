"""What a report tells a person, in English and Chinese: one plain sentence for each outcome."""

from collections.abc import Mapping

LANGUAGES = ("en", "zh")

NAMES: Mapping[str, tuple[str, str]] = {
    "format": ("Format", "格式"),
    "signature": ("Signature", "签名"),
    "issuer": ("Issuer", "颁发机构"),
    "ledger": ("Ledger entry", "存证"),
    "witnesses": ("Witnesses", "见证"),
    "status": ("Status", "状态"),
    "validity": ("Validity", "有效期"),
    "holder": ("Holder", "持有人"),
    "trust": ("Trust bundle", "信任包"),
    "totals": ("Totals", "合计"),
    "award": ("Award", "授予"),
}

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "passed": ("passed", "通过"),
    "failed": ("failed", "未通过"),
    "not checked": ("not checked", "未检查"),
}

VERDICTS: Mapping[str, tuple[str, str]] = {
    "verified": ("VERIFIED", "验证通过"),
    "not verified": ("NOT VERIFIED", "验证未通过"),
    "uncertain": ("VERIFIED IN PART", "部分验证"),
}

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "format.good": (
        "A complete Open Badges 3.0 credential.",
        "完整的 Open Badges 3.0 凭证。",
    ),
    "format.hidden": (
        "Its names hold characters that hide or reorder text, shown here by number: {codes}.",
        "名称含有会隐藏或改变文字顺序的字符，此处以编码显示：{codes}。",
    ),
    "format.mixed": (
        "A word in its names mixes alphabets that look alike: compare it letter by letter.",
        "名称中有单词混用了外形相似的不同字母：请逐字母核对。",
    ),
    "format.bad": ("{reason}.", "凭证格式有误：{reason}。"),
    "skipped": (
        "Not looked at, because the credential's format is wrong.",
        "因凭证格式有误，未检查。",
    ),
    "signature.good": (
        "Nothing was changed since it was signed ({suites}).",
        "自签署以来未被改动（{suites}）。",
    ),
    "signature.bad": (
        "The credential was changed, or was not signed by this key: {reason}.",
        "凭证被改动，或并非由该密钥签署：{reason}。",
    ),
    "signature.expired": (
        "The signature was good only until {date}.",
        "签名的有效期至 {date}。",
    ),
    "signature.partly": (
        "Good as far as it can be checked; a further proof of the kind {suites} is not understood.",
        "可检查的签名有效；另有一种证明（{suites}）无法识别。",
    ),
    "signature.unknown": (
        "No proof is of a kind that can be checked here ({suites}).",
        "没有可在此检查的证明（{suites}）。",
    ),
    "issuer.good": (
        "{name} was authorised by the credit bank to award this.",
        "{name}获学分银行授权授予该学分。",
    ),
    "issuer.registered": (
        "{name} is a member and the key is its own; authority at the time of award is shown only "
        "by a ledger receipt.",
        "{name}是成员机构且密钥属实；授予当时的权限须凭存证回执证明。",
    ),
    "issuer.stranger": (
        "{did} is not a member of this credit bank.",
        "{did} 不是本学分银行的成员机构。",
    ),
    "issuer.foreign-key": (
        "The signing key is not registered for {name}.",
        "签名密钥未登记在{name}名下。",
    ),
    "issuer.dead-key": (
        "The signing key of {name} was retired or reported as suspect before this award.",
        "{name}的签名密钥在授予之前已停用或被列为可疑。",
    ),
    "issuer.suspended": (
        "{name} is suspended as a member of the credit bank.",
        "{name}的成员资格已被暂停。",
    ),
    "issuer.no-grant": (
        "{name} had no authorisation for this field and level on that day.",
        "{name}当日没有该领域和等级的资质授权。",
    ),
    "ledger.good": (
        "Entry {index} of the ledger {origin} records this very award.",
        "账本 {origin} 第 {index} 条记录的正是这次授予。",
    ),
    "ledger.none": (
        "No receipt came with the credential, so the ledger was not looked at; ask for the bundle.",
        "凭证未附存证回执，未核对账本；请索取完整凭证包。",
    ),
    "ledger.bad": (
        "The receipt does not prove that this award is in the ledger: {reason}.",
        "回执不能证明账本中有这次授予：{reason}。",
    ),
    "ledger.unknown-signer": (
        "Entry {index} records this award, but the receipt also carries a signature by {names}, "
        "whom the trust bundle does not know.",
        "第 {index} 条记录了这次授予，但回执另有信任包不认识的签名：{names}。",
    ),
    "witnesses.good": (
        "{count} independent witnesses saw this state of the ledger; {needed} are needed.",
        "{count} 个独立见证方见证了账本的这一状态，需要 {needed} 个。",
    ),
    "witnesses.few": (
        "{count} of the {needed} witnesses needed have seen this state of the ledger.",
        "需要 {needed} 个见证方，目前仅 {count} 个见证了账本的这一状态。",
    ),
    "witnesses.none": (
        "The trust bundle names no witnesses.",
        "信任包未指定见证方。",
    ),
    "witnesses.no-receipt": (
        "Without a receipt there is nothing that witnesses could have seen.",
        "没有回执，无从核对见证。",
    ),
    "status.good": ("Not revoked and not suspended.", "未被撤销，也未被冻结。"),
    "status.stale": (
        "Not revoked and not suspended as of that day; a newer list is due.",
        "截至该日未被撤销或冻结；应获取更新的状态列表。",
    ),
    "status.revoked": ("The institution has revoked this award.", "颁发机构已撤销该学分。"),
    "status.suspended": ("The institution has suspended this award.", "颁发机构已冻结该学分。"),
    "status.none": (
        "The credential names no status list.",
        "凭证未指明状态列表。",
    ),
    "status.absent": (
        "The trust bundle holds no status list for this credential, so revocation is not known.",
        "信任包没有该凭证的状态列表，无法得知是否被撤销。",
    ),
    "status.bad": ("The status list cannot be used: {reason}.", "状态列表不可用：{reason}。"),
    "validity.good": ("Valid since {since}, with no end.", "自 {since} 起有效，无截止日期。"),
    "validity.until": ("Valid from {since} until {until}.", "有效期自 {since} 至 {until}。"),
    "validity.early": ("Valid only from {since}.", "自 {since} 起才有效。"),
    "validity.over": (
        "Expired on {until}; it still proves what was learned, but not credit to use now.",
        "已于 {until} 过期；仍可证明曾经的学习成果，但学分现已不可使用。",
    ),
    "holder.file": (
        "A file does not show who presents it: compare the name with an identity document.",
        "文件本身不能证明出示人身份：请将姓名与身份证件核对。",
    ),
    "presentation.format": (
        "A presentation of {count} awards.",
        "出示 {count} 项授予。",
    ),
    "holder.good": (
        "Whoever holds the key {did} answered your challenge; compare the name with an identity "
        "document.",
        "密钥 {did} 的持有者回应了您的质询；请将姓名与身份证件核对。",
    ),
    "holder.unasked": (
        "Signed by the key {did}, but for no challenge of yours: it could have been passed on.",
        "由密钥 {did} 签署，但并非回应您的质询：文件可能是被保存后转交的。",
    ),
    "holder.bad": (
        "Who presents this did not show to be its holder: {reason}.",
        "出示人未能证明其为持有者：{reason}。",
    ),
    "format.foreign": (
        "A complete verifiable credential, of a form credit banks do not issue.",
        "完整的可验证凭证，但不是学分银行颁发的格式。",
    ),
    "issuer.foreign": (
        "{did} is not a member of any bank you trust: who this is, only you can find out.",
        "{did} 不是您信任的任何学分银行的成员：其身份须由您自行核实。",
    ),
    "issuer.member": (
        "{did} is a member, but this is not in the form of its awards; ask it.",
        "{did} 是成员机构，但此凭证不是其授予的格式；请向其查询。",
    ),
    "ledger.foreign": (
        "No ledger speaks of this credential.",
        "没有存证记录此凭证。",
    ),
    "status.foreign": (
        "Whether it was revoked could not be checked: its status list was not given.",
        "无法检查是否已被撤销：未提供其状态列表。",
    ),
    "status.unknown": (
        "Whether it was revoked could not be checked: its status is of a kind not known here.",
        "无法检查是否已被撤销：其状态属于此处无法识别的类型。",
    ),
    "status.other": (
        "Whether it was revoked could not be checked: another than its issuer signed the list.",
        "无法检查是否已被撤销：状态列表并非由其颁发者签署。",
    ),
    "validity.past": ("It was valid until {until}.", "有效期已于 {until} 届满。"),
    "validity.undated": (
        "It names no time from which or until which it is valid.",
        "未注明有效期的起止时间。",
    ),
    "validity.undated-until": (
        "Valid until {until}; it does not say from when.",
        "有效期至 {until}，未注明起始时间。",
    ),
    "trust.none": (
        "No trust bundle was given, so no issuer is known.",
        "未提供信任包，因此不认识任何颁发机构。",
    ),
    "transcript.format": (
        "A complete transcript (CLR 2.0).",
        "完整的学习成果总表（CLR 2.0）。",
    ),
    "transcript.signature": (
        "Signed by the credit bank, as of ledger entry {size}, and not changed since.",
        "由学分银行签署，截至存证第 {size} 条，此后未被改动。",
    ),
    "totals.good": (
        "The sums of the awards that count: {sums}. Lots that no longer count: {others}.",
        "有效授予的合计：{sums}。不再有效的学分条目：{others}。",
    ),
    "totals.bad": ("The totals are wrong: {reason}.", "合计有误：{reason}。"),
    "award.twice": ("An award is shown twice.", "同一授予被重复出示。"),
    "award.good": ("{achievement}, {credits} credits.", "{achievement}，{credits} 学分。"),
    "award.partly": (
        "{achievement}, {credits} credits: in part ({reason}).",
        "{achievement}，{credits} 学分：部分验证（{reason}）。",
    ),
    "award.bad": (
        "{achievement}, {credits} credits: not verified ({reason}).",
        "{achievement}，{credits} 学分：验证未通过（{reason}）。",
    ),
    "trust.good": (
        "Version {version} of {name}, signed by its governance.",
        "{name}的第 {version} 版，由其治理方签署。",
    ),
    "trust.expired": (
        "Version {version} of {name} expired on {until}; get a newer one.",
        "{name}的第 {version} 版已于 {until} 过期；请获取新版。",
    ),
    "trust.early": (
        "Version {version} of {name} is dated after the moment of this check; look at the clock.",
        "{name}的第 {version} 版的签发时间晚于本次检查；请核对时钟。",
    ),
}


def sentence(code: str, language: str, values: Mapping[str, str]) -> str:
    """The sentence of an outcome `code`, in `en` or `zh`, with `values` filled in."""
    # A value in two languages comes as two: `name.en` and `name.zh`.
    chosen = {key.removesuffix(f".{language}"): value for key, value in values.items()}
    return _SENTENCES[code][LANGUAGES.index(language)].format(**chosen)


def word(table: Mapping[str, tuple[str, str]], name: str, language: str) -> str:
    """A name from one of the tables above, in `en` or `zh`."""
    return table[name][LANGUAGES.index(language)]
