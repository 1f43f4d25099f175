"""What is said, as data and in English; amounts and sizes are written as on the page (``tests/amounts.json``)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from properties import given, st
from support import ROOT

from nodes.core.money import money
from nodes.core.texts import Note, messages, nearest, note, parse_note, say, size

AMOUNTS = json.loads((ROOT / "tests" / "amounts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("usd", "text"), AMOUNTS["money"])
def test_money_is_written_by_the_rule_of_the_page(usd: float | None, text: str) -> None:
    assert money(usd) == text


@given(st.floats(-1e6, 1e6))
def test_any_amount_has_two_to_four_decimals_and_is_near(usd: float) -> None:
    text = money(usd)
    sign, _, number = text.rpartition("$")
    assert 2 <= len(number.partition(".")[2]) <= 4
    assert abs(float(f"{sign}{number}") - usd) <= 0.00005 + 1e-9


@pytest.mark.parametrize("usd", [1e24, 1.7e308])
def test_no_amount_is_too_large_to_be_written(usd: float) -> None:
    assert float(money(usd).removeprefix("$")) == usd


@pytest.mark.parametrize(("length", "text"), AMOUNTS["size"])
def test_sizes_are_written_by_the_rule_of_the_page(length: int, text: str) -> None:
    assert size(length) == text


def test_a_note_says_its_values_amounts_sizes_and_notes_within() -> None:
    cause = note("failure.rate_limited", answer=note("http.status", status=429))
    assert str(note("note.next_try", cause=cause, seconds=7)) == (
        "RunComfy asks for fewer calls for now. (HTTP 429) The next try is in 7 s."
    )
    budget = note("failure.budget_passed", budget_usd=1, spent_usd=0.7, price_usd=0.3125)
    assert str(budget) == (
        "The day's budget of $1.00 would be passed: $0.70 is spent or under way today, "
        "and this job may cost $0.3125."
    )
    assert str(note("failure.answer_too_large", limit_bytes=2**21)) == "The answer has more than 2.00 MiB."


def test_counted_texts_have_the_forms_of_english() -> None:
    assert say("state.delivered", count=1) == "1 image delivered"
    assert [say("state.delivered", count=count) for count in (0, 2)] == ["0 images delivered", "2 images delivered"]


def test_an_unknown_key_is_its_own_text_and_a_missing_value_keeps_its_place() -> None:
    assert say("failure.of_a_newer_pack", path="x") == "failure.of_a_newer_pack"
    assert say("state.queuedAt") == "Queued, position {position}"


def test_a_value_is_said_as_it_is() -> None:
    assert say("outcome.sentence", text="a {text} in {braces}") == "a {text} in {braces}"


PARAMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.builds(Note, st.text(), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=4,
)


@given(st.text(), st.dictionaries(st.text(), PARAMS, max_size=3))
def test_a_note_survives_json(kind: str, params: dict[str, object]) -> None:
    told = Note(kind, params)  # type: ignore[arg-type]
    assert parse_note(json.loads(json.dumps(told.payload()))) == told


@pytest.mark.parametrize("payload", [None, "x", {}, {"kind": "x"}, {"kind": "x", "params": {"a": {}}}])
def test_what_is_not_a_note_is_refused(payload: object) -> None:
    with pytest.raises(ValueError, match="not a note"):
        parse_note(payload)


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("en", "en"), ("fr", "fr"), ("fr-CA", "fr"), ("fr_CA", "fr"), ("zh", "zh"), ("zh-CN", "zh"),
        ("zh-TW", "zh-TW"), ("zh-Hant", "zh-TW"), ("zh-hk", "zh-TW"), ("xx", "en"), ("", "en"), ("../en", "en"),
    ],
)  # fmt: skip
def test_the_nearest_language_is_read(wanted: str, language: str) -> None:
    assert nearest(wanted) == language
    found, texts = messages(wanted)
    assert found == language and texts["state.failed"]


def test_no_text_is_read_before_something_is_said() -> None:
    script = """
import sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
from nodes.core import errors
assert not [path for path in opened if path.endswith("messages.json")], opened
str(errors.NoToken("token_missing"))
assert [path for path in opened if path.endswith("messages.json")]
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
