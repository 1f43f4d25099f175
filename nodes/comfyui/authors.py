"""Which of the host's users (``--multi-user``) queued a prompt: the host itself forgets it with the request.

A middleware sees who asks, and the host's hook for new prompts writes it into the prompt's extra data, which comes
back with the prompt when it runs. What a program sends under that name is replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..core.store.job import Author

if TYPE_CHECKING:
    from aiohttp import web

USER_KEY = "runcomfy_models_user"
PROJECT_KEY = "runcomfy_project"
_WATCHED = "runcomfy_models_users"
_PROMPT = "/prompt"
_MOST = 200

_asking: ContextVar[str] = ContextVar("runcomfy_models_user", default="")

log = logging.getLogger(__name__)


def watch_users(server: Any) -> None:
    """Let each prompt know its user. ``server`` is ComfyUI's ``PromptServer``, or None where there is none."""
    middlewares = getattr(getattr(server, "app", None), "middlewares", None)
    if middlewares is None or hasattr(server, _WATCHED):
        return
    try:
        middlewares.append(_middleware(server))
        server.add_on_prompt_handler(_with_user)
        setattr(server, _WATCHED, True)
    except (AttributeError, RuntimeError) as error:
        log.warning("Jobs are recorded without the host's user: %s", error)


def author_of(extra_data: Mapping[str, Any]) -> Author:
    """Return who queued a prompt, and the project that its workflow, or its sender, names."""
    workflow = (extra_data.get("extra_pnginfo") or {}).get("workflow")
    extra = workflow.get("extra") if isinstance(workflow, Mapping) else None
    project = extra.get(PROJECT_KEY) if isinstance(extra, Mapping) else None
    return Author(_text(extra_data.get(USER_KEY)), project=_text(project or extra_data.get(PROJECT_KEY)))


def _middleware(server: Any) -> Callable[..., Awaitable[web.StreamResponse]]:
    from aiohttp import web

    @web.middleware
    async def remember(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.method == "POST" and request.path.endswith(_PROMPT):
            _asking.set(_user(server, request))
        return await handler(request)

    return remember


def _user(server: Any, request: web.Request) -> str:
    """Return the name of the user who asks; '' where the host has but one."""
    users = getattr(server, "user_manager", None)
    try:
        user = str(users.get_request_user_id(request)) if users else ""
    except KeyError:
        # The host knows no such user.
        return ""
    return "" if user == "default" else str(getattr(users, "users", {}).get(user, user))


def _with_user(prompt: dict[str, Any]) -> dict[str, Any]:
    given = prompt.get("extra_data")
    extra = {name: value for name, value in given.items() if name != USER_KEY} if isinstance(given, dict) else {}
    if user := _asking.get():
        extra[USER_KEY] = user
    return {**prompt, "extra_data": extra} if extra or given else prompt


def _text(value: object) -> str:
    return value.strip()[:_MOST] if isinstance(value, str) else ""
