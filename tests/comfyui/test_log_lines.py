"""The pack's lines in the host's log can be told from others."""

from __future__ import annotations

import logging

import pytest

from nodes.comfyui.log_lines import prefix_lines


def test_a_line_begins_with_the_packs_name_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        prefix_lines("a_pack.nodes")
    with caplog.at_level(logging.INFO, logger="a_pack"):
        logging.getLogger("a_pack.nodes.core.jobs").info("%d images", 3)
        logging.getLogger("another").warning("not ours")
    assert [record.getMessage() for record in caplog.records] == ["[RunComfy] 3 images", "not ours"]
    assert caplog.records[0].name == "a_pack.nodes.core.jobs"


def test_every_module_of_the_pack_is_below_it() -> None:
    import nodes.comfyui

    assert nodes.comfyui.__name__ == "nodes.comfyui"
    assert not logging.getLogger("nodes").propagate
    assert logging.getLogger("nodes.core.jobs.fetch").parent is not logging.getLogger()
