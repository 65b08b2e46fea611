"""A project's redaction rules: what is replaced in a text before anything is stored. Pure: no Django.

Patterns run over texts that strangers write, so RE2 matches them: its time grows linearly with the text,
whatever the pattern. With Python's own `re`, even `[a-z]+@` takes quadratic time on a run of letters, and
looking for nested repeats would not have found it. RE2 has no look-around and no back-references; `\\w` is
ASCII there, `\\pL` is any letter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

MAX_RULES = 20
MAX_PATTERN = 500
MAX_REPLACEMENT = 40
NAME = 200  # characters that a name may have in the ledger
DEFAULT_REPLACEMENT = "[redacted]"


class BadRuleError(ValueError):
    """A rule that cannot be saved: which one, and why."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"Redaction rule {index + 1}: {reason}")
        self.index, self.reason = index, reason


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule; the replacement is taken literally."""

    pattern: Any
    replacement: str


def validate(rules: object) -> list[dict[str, str]]:
    """The rules as they are stored: `[{"pattern", "replacement"}]`, every pattern known to work.

    Raises BadRuleError for too many or too long ones, for a pattern that RE2 cannot read, and for one that
    matches the empty text (it would put its replacement between all letters)."""
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise BadRuleError(0, f"give a list of at most {MAX_RULES} rules.")
    return [_validated(index, rule) for index, rule in enumerate(rules)]


def _validated(index: int, rule: object) -> dict[str, str]:
    if not isinstance(rule, Mapping):
        raise BadRuleError(index, "write it as a pattern and a replacement.")
    pattern, replacement = rule.get("pattern"), rule.get("replacement", DEFAULT_REPLACEMENT)
    if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN or "\0" in pattern:
        raise BadRuleError(index, f"give a pattern of 1 to {MAX_PATTERN} characters.")
    if not isinstance(replacement, str) or len(replacement) > MAX_REPLACEMENT or "\0" in replacement:
        raise BadRuleError(index, f"give a replacement of at most {MAX_REPLACEMENT} characters.")
    try:
        matches_nothing = _compiled(pattern).search("") is not None
    except (re2.error, UnicodeEncodeError) as problem:
        raise BadRuleError(index, f"the pattern cannot be read: {_reason(problem)}.") from problem
    if matches_nothing:
        raise BadRuleError(index, "the pattern matches the empty text; let it match at least one character.")
    return {"pattern": pattern, "replacement": replacement}


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _reason(problem: Exception) -> str:
    first = problem.args[0] if problem.args else ""
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


@lru_cache(maxsize=256)
def _rules_of(pairs: tuple[tuple[str, str], ...]) -> tuple[Rule, ...]:
    return tuple(Rule(_compiled(pattern), replacement) for pattern, replacement in pairs)


def compile_rules(rules: Iterable[Mapping[str, str]]) -> tuple[Rule, ...]:
    """Stored rules, compiled once for each set of rules in a process. Empty: nothing is to be redacted."""
    return _rules_of(tuple((rule["pattern"], rule["replacement"]) for rule in rules))


def redact(text: str, rules: tuple[Rule, ...]) -> str:
    """The text with every match replaced, rule after rule, each on what the one before left.

    A text of a name's length stays one; a longer text grows to twice its length at most. What is beyond is
    cut: replacing single letters could otherwise make megabytes of kilobytes, and names have an index."""
    longest = NAME if len(text) <= NAME else 2 * len(text)
    for rule in rules:
        text = _replaced(text, rule)[:longest]
    return text


def _replaced(text: str, rule: Rule) -> str:
    try:
        found: str = rule.pattern.sub(lambda _: rule.replacement, text)
    except UnicodeEncodeError:  # a lone surrogate, which RE2 cannot read and Postgres would not store
        found = rule.pattern.sub(lambda _: rule.replacement, text.encode("utf-8", "replace").decode())
    return found
