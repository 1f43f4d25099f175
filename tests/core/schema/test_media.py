"""What a schema asks of a file."""

from __future__ import annotations

import pytest

from nodes.core.schema.document import Document
from nodes.core.schema.media import FileRules, Rule, file_rules


def rules(*found: tuple[str, object]) -> FileRules:
    asked = [
        {"validation_rule": name, "validation_value": value, "validation_error": "no"} for name, value in found
    ]
    return file_rules(Document({"validations": asked}))


def test_known_rules_are_checked() -> None:
    found = rules(("width/height<", 16), ("width/height>", 0.0625), ("width_pixels>", 14), ("height_pixels>=", 14))
    assert found.unknown == ()
    assert found.broken(100, 100) is None
    assert found.broken(1600, 100) == Rule("width/height", "<", 16)
    assert found.broken(100, 1600) == Rule("width/height", ">", 0.0625)
    assert found.broken(14, 14) == Rule("width_pixels", ">", 14)
    assert found.broken(15, 14) is None


@pytest.mark.parametrize(("bound", "most"), [(30, 30 * 10**6 - 1), (0.0000025, 2)])
def test_a_file_is_smaller_than_its_bound(bound: float, most: int) -> None:
    assert rules(("file_size_mb<", bound), ("file_size_mb<", 99)).max_bytes == most
    assert rules().max_bytes is None


@pytest.mark.parametrize(
    "rule",
    [
        ("duration_seconds<", 15),
        ("width_pixels", 1),
        ("width_pixels<", "1"),
        ("file_size_mb<", float("inf")),
        ("file_size_mb<", float("nan")),
        ("file_size_mb<", 10**70),
    ],
)
def test_an_unknown_rule_is_told_and_not_fatal(rule: tuple[str, object]) -> None:
    found = rules(rule)
    assert found.rules == () and found.unknown == (f"{rule[0]} {rule[1]}"[:80],)
    assert found.max_bytes is None
