"""What the bank answers to people's slips, in their language.

The packages below speak English, one clear sentence each. Here are those that people meet at the
pages, as patterns; what none of them matches is shown as it is.
"""

import re
from typing import Final

from bank.pages.language import N_, Words

_SENTENCES: Final = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (
            r"the name, the password or the code is wrong",
            N_("The name, the password or the code is wrong."),
        ),
        (
            r"too many failures: try again in (?P<minutes>\d+) minutes",
            N_("Too many failures: try again in %(minutes)s minutes."),
        ),
        (
            r"too many requests from your address; try again in (?P<seconds>\d+) seconds",
            N_("Too many attempts from your address: try again in %(seconds)s seconds."),
        ),
        (
            r"this invitation was used or has ended; ask for a new one",
            N_("This invitation was used or has ended; ask for a new one."),
        ),
        (
            r"a password has (?P<least>\d+) to (?P<most>\d+) characters",
            N_("A password has %(least)s to %(most)s characters."),
        ),
        (
            r"the authenticator's code is wrong; .*",
            N_("The authenticator's code is wrong: check that its clock is right, try the next."),
        ),
        (
            r"the name (?P<name>.+) is taken; choose another",
            N_("The name %(name)s is taken; choose another."),
        ),
        (
            r"this passkey is not known here; sign in another way",
            N_("This passkey is not known here; sign in another way."),
        ),
        (
            r"nobody here has joined with this account yet; open your invitation first",
            N_("Nobody has joined with this account yet; open your invitation first."),
        ),
        (r"that took too long; .*", N_("That took too long; try again.")),
        (
            r"this form is of an earlier session; open the page again",
            N_("This form is of an earlier session; open the page again."),
        ),
        (
            r"this page is not for a .*",
            N_("This page is not for your role; sign in as another person."),
        ),
        (r"there is nothing at (?P<path>.+)", N_("There is nothing at %(path)s.")),
        (
            r"(?P<name>.+) is empty; (?:choose the file|export the results) again",
            N_("%(name)s is empty; export the results again."),
        ),
        (
            r"(?P<name>.+) cannot be read as a workbook \(.*",
            N_("%(name)s cannot be read as a workbook; save it as CSV UTF-8 and take that."),
        ),
        (
            r"column '(?P<column>.+)': is empty; fill it in",
            N_("Column “%(column)s” is empty; fill it in."),
        ),
        (
            r"column '(?P<column>.+)': '(?P<value>.*)' is not a number; write it like 3 or 2.5",
            N_("Column “%(column)s”: “%(value)s” is not a number; write it like 3 or 2.5."),
        ),
        (
            r"column '(?P<column>.+)': '(?P<value>.*)' is not a date written (?P<form>.+)",
            N_("Column “%(column)s”: “%(value)s” is not a date written %(form)s."),
        ),
        (
            r"has (?P<fields>\d+) fields where the header has (?P<width>\d+); .*",
            N_("The row has %(fields)s fields where the header has %(width)s."),
        ),
        (
            r"duplicate of line (?P<line>\d+) \(.*",
            N_("The same record as on line %(line)s; remove one of the two."),
        ),
        (
            r"conflicts with line (?P<line>\d+): .*, but another (?P<what>.+); .*",
            N_("The record is on line %(line)s too, with another %(what)s; correct one of them."),
        ),
        (
            r"unit (?P<unit>.+) has another (?P<what>.+) on line (?P<line>\d+); .*",
            N_("Unit %(unit)s has another %(what)s on line %(line)s; make them agree."),
        ),
        (
            r"learner '(?P<key>.+)' is '(?P<one>.+)' on line (?P<line>\d+) and '(?P<other>.+)' .*",
            N_("Learner %(key)s is %(one)s on line %(line)s and %(other)s here; make them agree."),
        ),
        (
            r".*column '(?P<column>.+)' is missing, .*",
            N_("The column “%(column)s” is not in this file; choose one of its columns."),
        ),
        (
            r".*has a header and no rows; .*",
            N_("The file has a header and no rows; export the results again."),
        ),
        (
            r"somebody signs in to these awards already; .*",
            N_(
                "Somebody signs in to these awards already. If that is you, sign in and open this "
                "link again; if you cannot, ask the bank to end the old sign-in."
            ),
        ),
        (
            r"this invitation is not to a learner's awards; .*",
            N_("This invitation is not to a learner's awards: sign out to take it up."),
        ),
        (r"there is no such award in your record", N_("There is no such award in your record.")),
        (
            r"an award has no such file; .*",
            N_("An award has no such file: go back to it and choose one."),
        ),
        (
            r"a link lasts 1 to (?P<most>\d+) days; .*",
            N_("A link lasts 1 to %(most)s days: write a number of days."),
        ),
        (r"choose at least one award to share", N_("Choose at least one award to share.")),
        (r"there is no such link of yours", N_("There is no such link of yours.")),
        (
            r"write what the consent is for, .*",
            N_("Write what the consent is for, and to whom it is given."),
        ),
        (
            r"choose the awards that the consent is to, .*",
            N_("Choose the awards that the consent is to, or all of them."),
        ),
        (
            r"the last day of the consent is past; .*",
            N_("The last day of the consent is past: choose a later one."),
        ),
        (
            r"the consent would end on (?P<until>.+), before it begins on (?P<start>.+)",
            N_("The consent would end on %(until)s, before it begins on %(start)s."),
        ),
        (
            r"the consent's (?:from|until) is a day such as (?P<day>.+)",
            N_("Choose the first and the last day of the consent, such as %(day)s."),
        ),
        (
            r"the consent's (?:purpose|recipient) is text of 1 to (?P<most>\d+) characters",
            N_("What for and to whom are 1 to %(most)s characters each."),
        ),
        (
            r"the words do not match; nothing was erased",
            N_("The words do not match: nothing was deleted."),
        ),
        (
            r"there is no award in your record yet that a key could be for",
            N_("There is no award in your record yet that a key could be for."),
        ),
        (
            r"the proof.*(?:too long ago|was used or has ended).*",
            N_("That took too long; try again."),
        ),
        (
            r"this credential is too large for a QR code that prints well; .*",
            N_("This award is too large for a QR code that prints well: share it as a file."),
        ),
        (
            r"no row of this file gives an award; .*",
            N_("No row of this file gives an award; check the columns, and the file."),
        ),
        (r"this is no proposal: .*", N_("It is no proposal's file.")),
        (
            r"this proposal does not hold: .*",
            N_("One of its signatures does not hold, or it was changed after it was signed."),
        ),
        (
            r"this is a (?P<kind>\S+), which its institution signs .*",
            N_("A %(kind)s is signed and handed in by its institution."),
        ),
        (r"choose a reason: .*", N_("Choose a reason.")),
        (r"\S+ is suspended already", N_("It is suspended already.")),
        (r"\S+ is not suspended", N_("It is not suspended.")),
        (r"\S+ holds no grant by entry \S+.*", N_("It holds no such grant any more.")),
        (r"\S+ has no such key in force", N_("It has no such key in force.")),
        (r"nobody has signed this proposal yet", N_("Nobody has signed this proposal yet.")),
        (
            r"a (?P<kind>\S+) statement takes signatures by (?P<count>\d+) of the governance .*",
            N_("A %(kind)s takes signatures by %(count)s governance keys and by nobody else."),
        ),
    )
)


def told(words: Words, sentence: str) -> str:
    """The sentence in the visitor's language, where it is known there."""
    if words.language == "en":
        return sentence
    for pattern, text in _SENTENCES:
        match = pattern.fullmatch(sentence)
        if match:
            return words.say(text) % match.groupdict()
    return sentence


def because(words: Words, says: str, why: object) -> str:
    """What did not work, and why, as far as that is known in the visitor's language."""
    return words.say(says) % {"why": told(words, str(why))}
