"""The words of a report on a folder that a report on one file has not, in English and Chinese."""

from collections.abc import Mapping

from verifier.sentences import LANGUAGES, word

UNREADABLE_WORD = "unreadable"
_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Credentials verified", "凭证验证结果"),
    "file": ("File", "文件"),
    "files": ("Files", "文件数"),
    "verdict": ("Verdict", "结论"),
    "code": ("Code", "代码"),
    "learner": ("Learner", "学习者"),
    "achievement": ("Achievement", "学习成果"),
    "credits": ("Credits", "学分"),
    "issuer": ("Issuer", "颁发机构"),
    "credential": ("Credential", "凭证编号"),
    "signed": ("Signed", "签署日期"),
    "recorded": ("Recorded in the ledger", "存证日期"),
    "valid_from": ("Valid from", "有效期自"),
    "valid_until": ("Valid until", "有效期至"),
    "status_as_of": ("Status as of", "状态截至"),
    "remarks": ("Remarks", "说明"),
    "also_in": ("Also shown in", "同一授予另见"),
    "checked_at": ("Checked at", "检查时间"),
    "check_of": ("Check: {name}", "检查：{name}"),
    "dates": ("Dates", "日期"),
    "checks": ("Checks", "检查"),
    "number": ("No.", "序号"),
    "all": ("All files", "合计"),
    UNREADABLE_WORD: ("CANNOT BE READ", "无法读取"),
    "cause": ("{reason}", "无法读取：{reason}"),
    "about": (
        "Folder {folder}. Checked at {at} against version {version} of the trust bundle of {bank}, "
        "issued {issued}.",
        "文件夹：{folder}。检查时间：{at}。"
        "所依据的信任包：{bank}第 {version} 版，签发于 {issued}。",
    ),
    "repeated": (
        "Awards shown in more than one file: {count}. Their rows name the other files; do not "
        "count their credits twice.",
        "在多个文件中重复出示的授予：{count} 项。相应行已注明其他文件；学分请勿重复计算。",
    ),
    "common": ("The same for every file that it concerns", "凡涉及的文件均适用"),
    "more": ("{files} and {count} more", "{files} 等，另有 {count} 个文件"),
    "wrote": ("the report is in {path}", "报告已写入 {path}"),
    "doing": ("Verifying files", "正在验证文件"),
}


def told(name: str, language: str, /, **values: str) -> str:
    """A word or sentence of the report on a folder, with `values` filled in."""
    return _WORDS[name][LANGUAGES.index(language)].format(**values)


def verdict_word(verdict: str, language: str) -> str:
    """The word for a verdict; for none, that the file could not be read."""
    return word("verdicts", verdict, language) if verdict else told(UNREADABLE_WORD, language)
