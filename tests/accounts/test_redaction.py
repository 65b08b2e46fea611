"""Redaction: what a rule replaces, which rules can be saved, and that no text makes a pattern slow."""

import time

import pytest

from accounts.redaction import BadRuleError, compile_rules, redact, validate

MAIL = {"pattern": r"[\w.+-]+@[\w-]+\.[\w.]+", "replacement": "[mail]"}
CARD = {"pattern": r"\b\d{4}([ -]?\d{4}){3}\b", "replacement": "[card]"}


def redacted(text: str, *rules: dict[str, str]) -> str:
    return redact(text, compile_rules(rules))


def test_every_match_of_every_rule_is_replaced():
    text = "ann@example.com paid with 4111 1111 1111 1111, bob+x@mail.example.org too"
    assert redacted(text, MAIL, CARD) == "[mail] paid with [card], [mail] too"


def test_a_rule_works_on_what_the_one_before_left():
    first, second = {"pattern": "a", "replacement": "b"}, {"pattern": "b", "replacement": "c"}
    assert redacted("ab", first, second) == "cc"


@pytest.mark.parametrize("replacement", [r"\1", r"\g<1>", "\\", ""])
def test_a_replacement_is_literal(replacement):
    assert redacted("xay", {"pattern": "(a)", "replacement": replacement}) == f"x{replacement}y"


@pytest.mark.parametrize("text", ["", "плат́а 😀", "line\nline", "a\0b", "\ud800 ann@example.com"])
def test_any_text_can_be_redacted(text):
    assert "ann@" not in redacted(text, MAIL)


def test_without_rules_nothing_changes():
    assert redact("ann@example.com", compile_rules([])) == "ann@example.com"


def test_rules_are_compiled_once():
    assert compile_rules([MAIL, CARD]) is compile_rules([dict(MAIL), dict(CARD)])


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*a){20}", r"([a-z]+)*@", "[a-z]+@"])
def test_time_grows_with_the_text_and_not_with_its_square(pattern):
    text = "a" * 200_000 + "!"
    started = time.process_time()
    redacted(text, {"pattern": pattern, "replacement": "x"})
    assert time.process_time() - started < 2  # Python's `re` needs 40 s to for ever


@pytest.mark.parametrize(("length", "redacted_length"), [(1, 40), (200, 200), (201, 402), (10_000, 20_000)])
def test_a_replacement_cannot_blow_a_text_up(length, redacted_length):
    rule = {"pattern": ".", "replacement": "x" * 40}
    assert len(redacted("a" * length, rule)) == redacted_length


def test_saved_rules_are_what_was_given_with_a_default_replacement():
    assert validate([MAIL, {"pattern": "x"}]) == [MAIL, {"pattern": "x", "replacement": "[redacted]"}]


@pytest.mark.parametrize(
    ("rules", "index", "reason"),
    [
        ("a", 0, "list"),
        ([MAIL] * 21, 0, "at most 20"),
        ([MAIL, "a"], 1, "pattern and a replacement"),
        ([{}], 0, "1 to 500 characters"),
        ([{"pattern": ""}], 0, "1 to 500 characters"),
        ([{"pattern": "x" * 501}], 0, "1 to 500 characters"),
        ([{"pattern": 5}], 0, "1 to 500 characters"),
        ([{"pattern": "a\0"}], 0, "1 to 500 characters"),
        ([{"pattern": "a", "replacement": "r" * 41}], 0, "at most 40"),
        ([{"pattern": "a", "replacement": None}], 0, "at most 40"),
        ([MAIL, {"pattern": "(a"}], 1, "cannot be read: missing"),
        ([{"pattern": r"(a)\1"}], 0, "cannot be read"),
        ([{"pattern": "(?<=a)b"}], 0, "cannot be read"),
        ([{"pattern": "\ud800"}], 0, "cannot be read"),
        ([{"pattern": "a*"}], 0, "empty text"),
        ([{"pattern": "^|$"}], 0, "empty text"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_its_number(rules, index, reason):
    with pytest.raises(BadRuleError, match=reason) as refused:
        validate(rules)
    assert refused.value.index == index
    assert f"rule {index + 1}" in str(refused.value)
