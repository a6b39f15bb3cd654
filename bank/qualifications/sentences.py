"""What an evaluation says in words, English and Chinese."""

from collections.abc import Mapping

from bank.qualifications.model import Minimum, Source

Sentences = tuple[str, str]
"""One in English, one in Chinese."""

_SOURCES: Mapping[Source, Sentences] = {
    Source.AWARD: ("awards", "授予"),
    Source.RPL: ("recognised prior learning", "先前学习认定"),
    Source.CONVERSION: ("conversion", "转换"),
    Source.TRANSFER: ("custody transfer", "转移"),
}
_UNUSED: Mapping[str, Sentences] = {
    "expired": ("It expired on {date}.", "已于 {date} 失效。"),
    "too-old": (
        "It was awarded on {date}, more than {months} months before.",
        "授予日期为 {date}，距今已超过 {months} 个月。",
    ),
    "not-yet": ("It was awarded later, on {date}.", "授予日期为 {date}，晚于审核日期。"),
    "other-scheme": (
        "Its credits are in the scheme {scheme}, which cannot be compared with {wanted}.",
        "其学分制式为 {scheme}，无法换算为 {wanted}。",
    ),
    "duplicate": (
        "It is the same learning as lot {by}, which is used.",
        "与已采用的学分条目 {by} 属于重复学习。",
    ),
    "over-cap": (
        "No more credits count under {cap}, which is full.",
        "{cap}已满，不能再计入学分。",
    ),
    "not-needed": (
        "What counts is reached without it.",
        "无此条目亦可达到已计入的结果。",
    ),
}
_CAPS: Mapping[str, Sentences] = {
    "cap": ("the cap on certain sources", "来源学分上限"),
    "period-cap": ("the cap on one period", "同一时段学分上限"),
    "institution-cap": ("the cap on one other institution", "单一其他机构学分上限"),
}


def in_force(start: str, until: str, day: str, met: bool) -> Sentences:
    """Whether the requirement is in force on the day."""
    if met:
        return (
            f"The requirement is in force on {day}: from {start} until {until}.",
            f"该要求在 {day} 有效，有效期为 {start} 至 {until}。",
        )
    return (
        f"The requirement is not in force on {day}, only from {start} until {until}.",
        f"该要求在 {day} 不在有效期内，有效期为 {start} 至 {until}。",
    )


def of_credits(what: Sentences, wanted: str, got: str, missing: str) -> Sentences:
    """How many credits count of those wanted; `missing` is empty if enough do."""
    if not missing:
        return (
            f"{got} credits {what[0]} count; {wanted} are required.",
            f"{what[1]}计入 {got} 学分，要求不少于 {wanted} 学分，已达到。",
        )
    return (
        f"Only {got} credits {what[0]} count; {wanted} are required, {missing} are missing.",
        f"{what[1]}仅计入 {got} 学分，要求不少于 {wanted} 学分，尚缺 {missing} 学分。",
    )


TOTAL: Sentences = ("in all", "总学分")
RESIDENCY: Sentences = ("of the institution's own awards", "本机构授予的学分")


def minimum(one: Minimum, framework: str) -> Sentences:
    """What a minimum is of."""
    english, chinese = [], []
    if one.level_from is not None:
        english.append(f"of level {one.level_from} or above in {framework}")
        chinese.append(f"{framework} 第 {one.level_from} 级及以上")
    if one.fields is not None:
        english.append("in the field " + " or ".join(one.fields))
        chinese.append("、".join(one.fields) + " 领域")
    return " ".join(english) or "of any kind", "、".join(chinese) or "任意类别"


def unit(institution: str, name: str, met: bool) -> Sentences:
    """Whether a required unit is there."""
    if met:
        return (
            f"The required unit {name} of {institution} is there.",
            f"已有必修单元 {name}（{institution}）。",
        )
    return (
        f"The required unit {name} of {institution} is missing.",
        f"缺少必修单元 {name}（{institution}）。",
    )


def cap(sources: tuple[Source, ...], limit: str, got: str) -> Sentences:
    """What a cap on sources leaves."""
    english = " and ".join(_SOURCES[source][0] for source in sources)
    chinese = "、".join(_SOURCES[source][1] for source in sources)
    return (
        f"At most {limit} credits from {english} count; {got} do.",
        f"来源为{chinese}的学分至多计入 {limit} 学分，已计入 {got} 学分。",
    )


def period_cap(months: int, limit: str, got: str) -> Sentences:
    """What a cap on periods leaves in the fullest one."""
    return (
        f"At most {limit} credits awarded in one calendar period of {months} months count; "
        f"the fullest has {got}.",
        f"同一 {months} 个月时段内授予的学分至多计入 {limit} 学分，最多的时段已计入 {got} 学分。",
    )


def institution_cap(limit: str, got: str) -> Sentences:
    """What the cap on other institutions leaves of the one with most credits."""
    return (
        f"At most {limit} credits from any one other institution count; the most is {got}.",
        f"来自任一其他机构的学分至多计入 {limit} 学分，最多的机构已计入 {got} 学分。",
    )


def unused(reason: str, values: Mapping[str, str]) -> Sentences:
    """Why a lot is left out."""
    english, chinese = _UNUSED[reason]
    names = _CAPS.get(values.get("by", "").rstrip("-0123456789"), ("", ""))
    return english.format(cap=names[0], **values), chinese.format(cap=names[1], **values)
