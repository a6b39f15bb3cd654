"""What a line of a decision says in words, English and Chinese.

The English is the ledger's own, which refuses in the same words. What is committed to with a
conversion holds the English alone (`Decision.to_json`), so the Chinese stands here, beside it.
"""

import re
from collections.abc import Mapping

from ledger.rules import Line

Sentences = tuple[str, str]
"""One in English, one in Chinese."""

_CHINESE: Mapping[str, tuple[str, str]] = {
    "rule.in-force": ("规则 {rule} 在 {day} 有效", "规则 {rule} 在 {day} 不在有效期内"),
    "source.institution": (
        "{institution} 是规则所列的机构",
        "{institution} 不是规则所列的机构",
    ),
    "source.unit": ("规则列有单元 {unit}", "规则未列单元 {unit}"),
    "source.field": (
        "领域 {field} 在规则认定的范围内",
        "领域 {field} 不在规则认定的范围内：{wanted}",
    ),
    "source.scheme": (
        "学分制式为 {wanted}",
        "学分制式为 {scheme}，规则认定的是 {wanted}",
    ),
    "source.level": (
        "{framework} 等级 {level}，达到规则要求的 {wanted}",
        "{framework} 等级 {level}，低于规则要求的 {wanted}",
    ),
    "source.credits": (
        "{credits} 学分，不少于规则要求的 {wanted} 学分",
        "{credits} 学分，少于规则要求的 {wanted} 学分",
    ),
    "source.age": (
        "授予日期为 {awarded}，距 {day} 不超过 {wanted} 个月",
        "授予日期为 {awarded}，距 {day} 已超过 {wanted} 个月",
    ),
    "source.grade": (
        "成绩 {grade} 符合规则要求（{wanted}）",
        "成绩 {grade} 不符合规则要求（{wanted}）",
    ),
    "source.expiry": ("该学分条目在 {day} 有效", "该学分条目已于 {expires} 失效"),
    "rule.cap": (
        "此前按本规则已得 {gained} 学分，加上 {credits} 学分，不超过上限 {wanted}",
        "此前按本规则已得 {gained} 学分，加上 {credits} 学分，超过上限 {wanted}",
    ),
    "rule.grant": (
        "{institution} 在 {day} 有权授予 {field} 领域等级 {level} 的学分",
        "{institution} 在 {day} 无权授予 {field} 领域等级 {level} 的学分",
    ),
    "rule.gives": (
        "可转换为 {unit} 的 {credits} 学分（{scheme}，等级 {level}）",
        "按 {unit} 折算后没有学分",
    ),
    "rule.exempts": ("可免修 {unit}，不计学分", ""),
    "source.depth": (
        "此前已转换 {depth} 次，规则允许 {wanted} 次",
        "此前已转换 {depth} 次，规则只允许 {wanted} 次",
    ),
}
_UNCHECKED: Sentences = (
    "the rule asks for a grade ({wanted}), which is not known here",
    "规则对成绩有要求（{wanted}），此处不知道成绩",
)
_LEAST = re.compile(r"(\S+) or more")


def in_words(line: Line) -> Sentences:
    """What the line says."""
    chinese = dict(line.values)
    if line.code == "source.grade":
        chinese["wanted"] = _LEAST.sub(r"\1 及以上", chinese["wanted"]).replace(", ", "、")
    if chinese.get("level") == "unknown":
        chinese["level"] = "未知"
    if line.passed is None:
        return _UNCHECKED[0].format_map(line.values), _UNCHECKED[1].format_map(chinese)
    told = _CHINESE[line.code][line.passed is False]
    return line.sentence, told.format_map(chinese)
