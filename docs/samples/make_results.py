"""Writes results.csv, the sample a new bank is filled with. Everyone in it is invented.

    python docs/samples/make_results.py [FILE]

The same file comes out every time: 120 learners of three institutions, 300 passed results and,
among them, failed ones, which the mapping leaves out.
"""

import csv
import random
import sys
from pathlib import Path

AWARDS = 300
HEADER = (
    "机构,学号,姓名,课程代码,版本,课程名称,英文名称,领域,等级,"
    "学分,学时,成绩,结果,学期,认定日期,有效期至"
)
HOURS_PER_CREDIT = 16
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余"
GIVEN = (
    "伟 芳 娜 敏 静 丽 强 磊 洋 艳 勇 军 杰 娟 涛 明 超 秀英 霞 平 刚 桂英 文博 子涵 浩然 思远 "
    "雨桐 欣怡 梓萱 嘉懿 俊熙 晓燕 建国 淑珍 志强 海燕 春梅 国栋 玉兰 婉婷"
)
OTHERS = (
    "欧阳文静,司马建华,上官雨薇,诸葛明远,买合木提·艾力,古丽娜尔·吐尔逊,扎西次仁,阿木尔,"
    "Anna Müller,James O'Neill,Zoë Laurent,Nguyễn Thị Hoa,Łukasz Nowak,María José García,"
    "Olumide Adeyemi,Søren Kjær,Siobhán Byrne,Ivan Petrov,Fatima Zahra Benali,Chen Wei-Lin,"
    "Aroha Ngata,João Pereira,Hye-jin Park,Tomáš Dvořák,Priya Raghunathan,Élodie Fournier"
)
# Institution: how its student numbers begin, how it marks, and its units as
# code, Chinese title, English title, field, level, credits.
INSTITUTIONS = {
    "巴渝开放大学": (
        "BYO",
        "points",
        (
            ("BY101", "大学语文", "College Chinese", "humanities", 4, "3"),
            ("BY102", "计算机应用基础", "Foundations of Computing", "ict", 4, "2.5"),
            ("BY103", "学习方法导论", "Learning to Learn", "education", 3, "0.5"),
            ("BY204", "社区工作实务", "Community Work in Practice", "social-welfare", 5, "3.5"),
            ("BY205", "经济法", "Business Law", "law", 5, "4"),
            ("BY306", "老年教育概论", "Education for Older Adults", "education", 6, "2"),
            ("BY307", "数据库原理", "Principles of Databases", "ict", 6, "4.5"),
        ),
    ),
    "嘉陵理工学院": (
        "JLT",
        "letters",
        (
            ("ME.110", "机械制图", "Engineering Drawing", "engineering", 5, "3"),
            ("ME.221", "数控加工技术", "CNC Machining", "engineering", 6, "4.5"),
            ("EE.130", "电工基础", "Electrical Fundamentals", "engineering", 5, "3.5"),
            ("EE.242", "新能源汽车检测", "Diagnosis of Electric Vehicles", "engineering", 6, "5"),
            ("CS.150", "程序设计（Python）", "Programming in Python", "ict", 5, "4"),
            ("CS.363", "机器学习导论", "Introduction to Machine Learning", "ict", 7, "2.5"),
        ),
    ),
    "山城职业技能中心": (
        "SCS",
        "words",
        (
            ("hotpot-base", "重庆火锅底料制作", "Hotpot Base Making", "catering", 3, "1.5"),
            ("eldercare-1", "养老护理员（初级）", "Care of Older People I", "health", 3, "2"),
            ("eldercare-2", "养老护理员（中级）", "Care of Older People II", "health", 4, "3.5"),
            ("first-aid", "急救与安全", "First Aid and Safety", "health", 3, "0.5"),
            ("e-commerce", "直播电商运营", "Live Commerce", "business", 4, "2.5"),
            ("tour-guide", "山城导览讲解", "Guiding in a Mountain City", "tourism", 4, "1.5"),
        ),
    ),
}
# Certificates in these fields lapse five years after the award.
LAPSING = {"health", "catering"}
TERMS = {
    "2022春": "2022-07-08",
    "2022秋": "2023-01-13",
    "2023春": "2023-07-07",
    "2023秋": "2024-01-12",
    "2024春": "2024-07-05",
    "2024秋": "2025-01-10",
}
# From this term on BY102 is taught in its second version.
REVISED, REVISED_FROM = "BY102", "2024春"
MARKS = {
    "letters": (("A", "B", "B", "C"), "F"),
    "words": (("优秀", "良好", "良好", "合格"), "不合格"),
}


def pick(chance: random.Random, choices):
    """One of `choices`. Only `random()` is promised to give the same in every Python version."""
    return choices[int(chance.random() * len(choices))]


def learners(chance: random.Random) -> list[tuple[str, str, str]]:
    """120 learners: institution, student number, name."""
    names = OTHERS.split(",")
    while len(names) < 120:
        name = pick(chance, SURNAMES) + pick(chance, GIVEN.split(" "))
        if name not in names:
            names.append(name)
    order = sorted(names, key=lambda _: chance.random())
    found = []
    for number, name in enumerate(order):
        institution = list(INSTITUTIONS)[number % 3]
        prefix = INSTITUTIONS[institution][0]
        found.append((institution, f"{prefix}{2019 + number % 4}{1001 + number * 7}", name))
    return found


def row(chance: random.Random, learner: tuple[str, str, str], unit, term: str) -> list[str]:
    """One result of `learner`, passed nineteen times of twenty."""
    institution, number, name = learner
    code, title, english, field, level, credits = unit
    version = "2" if code == REVISED and term >= REVISED_FROM else "1"
    if version == "2":
        english, credits = "Foundations of Computing and AI", "3"
    passed = chance.random() < 0.95
    style = INSTITUTIONS[institution][1]
    if style == "points":
        grade = str(int(60 + 39 * chance.random()) if passed else int(30 + 29 * chance.random()))
    else:
        passing, failing = MARKS[style]
        grade = pick(chance, passing) if passed else failing
    awarded = TERMS[term] if passed else ""
    expires = f"{int(awarded[:4]) + 5}{awarded[4:]}" if passed and field in LAPSING else ""
    hours = f"{float(credits) * HOURS_PER_CREDIT:g}"
    return [institution, number, name, code, version, title, english, field, str(level), credits,
            hours, grade, "通过" if passed else "未通过", term, awarded, expires]  # fmt: skip


def results() -> list[list[str]]:
    """Rows until there are 300 awards; a failed unit may be taken again, a passed one not."""
    chance = random.Random("credit bank sample")
    everyone = learners(chance)
    rows: dict[tuple[str, str, str], list[str]] = {}
    passed: set[tuple[str, str]] = set()
    turn = 0
    while len(passed) < AWARDS:
        # Everyone has passed something before anyone is picked by chance.
        learner = everyone[turn] if turn < len(everyone) else pick(chance, everyone)
        unit = pick(chance, INSTITUTIONS[learner[0]][2])
        term = pick(chance, list(TERMS))
        done, taken = (learner[1], unit[0]), (learner[1], unit[0], term)
        if done in passed or taken in rows:
            continue
        rows[taken] = row(chance, learner, unit, term)
        if rows[taken][12] == "通过":
            passed.add(done)
            turn += 1
    return sorted(rows.values(), key=lambda cells: (cells[13], cells[0], cells[3], cells[1]))


def main() -> None:
    """Write the file."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("results.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER.split(","))
        writer.writerows(results())


if __name__ == "__main__":
    main()
