"""An answer is believed where it is the one that was asked for: of this request, and of this model."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable

import pytest
from peers import Peer, answer
from support import TEXT_TO_IMAGE, Runner

from emulator import Emulator, Fault
from nodes.core.api.client import Client
from nodes.core.api.responses import CancelOutcome, Succeeded
from nodes.core.errors import AnswerLost, ProtocolError
from nodes.core.version import USER_AGENT

MODEL = TEXT_TO_IMAGE.model_id
OUTPUT = {"output": {"image": "https://files.runcomfy.net/a.png"}}
CALLS: dict[str, Callable[[Client, str], object]] = {
    "status": Client.status,
    "result": lambda client, request_id: client.result(request_id, MODEL),
    "cancel": Client.cancel,
}


def client(peer: Peer) -> Client:
    return Client(f"{peer.origin}/v1", "secret-token-0123456789", USER_AGENT)


def turns(*payloads: dict[str, object]) -> Callable[[socket.socket], None]:
    """Answer each call with the next one."""
    left = itertools.chain(payloads, itertools.repeat(payloads[-1]))
    return lambda connection: connection.sendall(answer(json.dumps(next(left)).encode()))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_answer_to_another_request_is_lost_and_its_connection_closed(call: Callable[..., object]) -> None:
    ours, other = {"request_id": "ours", "status": "cancelled"}, {"request_id": "other", "status": "cancelled"}
    with Peer(turns(ours, other, ours, ours)) as peer:
        asking = client(peer)
        first = call(asking, "ours")
        with pytest.raises(AnswerLost):
            call(asking, "ours")
        assert peer.connections == 1
        assert call(asking, "ours") == call(asking, "ours") == first
        asking.close()
    assert peer.connections == 2


@pytest.mark.parametrize("told", [{}, {"request_id": ""}, {"request_id": None}, {"request_id": "ours"}])
def test_an_answer_that_names_no_other_request_is_believed(told: dict[str, object]) -> None:
    with Peer(turns({**told, "status": "completed", **OUTPUT})) as peer:
        asking = client(peer)
        state = asking.result("ours", MODEL)
        assert asking.status("ours") == state and isinstance(state, Succeeded) and len(state.files) == 1
        asking.close()


@pytest.mark.parametrize(
    ("named", "asked", "believed"),
    [
        (MODEL, MODEL, True),
        (None, MODEL, True),
        (MODEL, "", True),
        ("vendor/other", "", True),
        ("vendor/other", MODEL, False),
        (MODEL.upper(), MODEL, False),
    ],
)
def test_a_result_of_another_model_is_not_believed(named: str | None, asked: str, believed: bool) -> None:
    with Peer(turns({"request_id": "ours", "status": "succeeded", "model_id": named, **OUTPUT})) as peer:
        asking = client(peer)
        if believed:
            assert isinstance(asking.result("ours", asked), Succeeded)
        else:
            with pytest.raises(ProtocolError) as raised:
                asking.result("ours", asked)
            assert not raised.value.may_repeat
        asking.close()


def test_images_of_another_job_are_neither_delivered_nor_kept(runner: Runner, api: Emulator) -> None:
    def another(payload: dict[str, object]) -> dict[str, object]:
        return {**payload, "request_id": "another", "output": {"image": "https://files.runcomfy.net/another.png"}}

    api.fault(Fault("result", times=2, edit=another))
    _, urls, request_id = runner.text_to_image(resolution="0.5K")
    assert "another" not in urls
    assert request_id == api.jobs[0].request_id
    assert (api.count("submit"), api.count("result")) == (1, 3)
    assert not any("another" in file for job in runner.jobs() for file in job.files)


def test_a_result_of_another_model_leaves_the_job_recoverable(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("result", times=1, edit=lambda payload: {**payload, "model_id": "vendor/other"}))
    with pytest.raises(ProtocolError):
        runner.text_to_image(resolution="0.5K")
    assert [job.state for job in runner.jobs()] == ["submitted"]
    runner.text_to_image(resolution="0.5K")
    assert len(api.billed) == 1


def test_a_cancel_of_another_request_is_not_taken_for_ours() -> None:
    told = {"status": "cancelled", "outcome": "cancelled"}
    with Peer(turns({"request_id": "other", **told}, {"request_id": "ours", **told})) as peer:
        asking = client(peer)
        with pytest.raises(AnswerLost):
            asking.cancel("ours")
        assert asking.cancel("ours") is CancelOutcome.CANCELLED
        asking.close()
