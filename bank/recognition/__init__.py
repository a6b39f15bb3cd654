"""What institutions take for a lot, line by line: the published rules applied to its facts.

Pure: rules and facts are public, so anyone with the log comes to the same decisions. A grade is
in the credential alone, so whoever has none is told that this line was not checked.
"""

from bank.recognition.current import CurrentRules
from bank.recognition.decision import Decision, Recogniser
from bank.recognition.errors import BadRule, RecognitionError
from bank.recognition.sentences import in_words
from bank.recognition.trial import Change, Outcome, Trial, try_rule

__all__ = [
    "BadRule",
    "Change",
    "CurrentRules",
    "Decision",
    "Outcome",
    "Recogniser",
    "RecognitionError",
    "Trial",
    "in_words",
    "try_rule",
]
