"""Who queued a prompt, as a host with several users tells it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from nodes.comfyui.authors import PROJECT_KEY, USER_KEY, author_of, watch_users
from nodes.core.store.job import Author

USERS = {"default": "default", "alice_1": "Alice", "bob_2": "Bob"}


class Users:
    """The host's user manager with ``--multi-user``."""

    users = USERS

    def get_request_user_id(self, request: web.Request) -> str:
        user = request.headers.get("comfy-user", "default")
        if user not in self.users:
            raise KeyError(user)
        return user


def host() -> SimpleNamespace:
    """A server like the host's: the order of its middlewares and hooks is what counts."""
    hooks: list[Any] = []
    server = SimpleNamespace(app=web.Application(), user_manager=Users(), add_on_prompt_handler=hooks.append)

    async def prompt(request: web.Request) -> web.Response:
        body = await request.json()
        for hook in hooks:
            body = hook(body)
        return web.json_response(body.get("extra_data"))

    server.app.router.add_post("/prompt", prompt)
    server.app.router.add_post("/api/prompt", prompt)
    return server


def extra_data(user: str | None, given: object = None, path: str = "/prompt", loads: int = 1) -> Any:
    async def ask() -> Any:
        server = host()
        for _ in range(loads):
            watch_users(server)
        async with TestClient(TestServer(server.app)) as client:
            body = {} if given is None else {"extra_data": given}
            headers = {"Comfy-User": user} if user else {}
            return await (await client.post(path, json=body, headers=headers)).json()

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/prompt", "/api/prompt"])
@pytest.mark.parametrize("loads", [1, 2])
def test_a_prompt_knows_its_user_by_name(path: str, loads: int) -> None:
    told = extra_data("alice_1", {"extra_pnginfo": {}}, path, loads)
    assert told == {"extra_pnginfo": {}, USER_KEY: "Alice"}
    assert author_of(told).user == "Alice"


@pytest.mark.parametrize("user", [None, "default", "nobody"])
def test_without_users_nothing_is_told(user: str | None) -> None:
    assert extra_data(user) is None
    assert extra_data(user, {"x": 1}) == {"x": 1}


@pytest.mark.parametrize("user", [None, "bob_2"])
def test_nobody_is_somebody_else_by_saying_so(user: str | None) -> None:
    told = extra_data(user, {USER_KEY: "Alice"})
    assert author_of(told).user == ("Bob" if user else "")


def test_the_project_stands_in_the_workflow_or_beside_it() -> None:
    workflow = {"extra_pnginfo": {"workflow": {"extra": {PROJECT_KEY: " spot "}}}}
    assert author_of(workflow) == Author(project="spot")
    assert author_of({PROJECT_KEY: "film"}) == Author(project="film")
    assert author_of({**workflow, PROJECT_KEY: "film"}).project == "spot"


@pytest.mark.parametrize("odd", [{}, {"extra_pnginfo": None}, {"extra_pnginfo": {"workflow": []}}, {USER_KEY: 7}])
def test_what_tells_nothing_is_nobody(odd: dict[str, Any]) -> None:
    assert author_of(odd) == Author()


def test_a_host_of_another_kind_is_left_alone() -> None:
    watch_users(None)
    watch_users(SimpleNamespace())
    frozen = host()
    frozen.app.freeze()
    watch_users(frozen)
