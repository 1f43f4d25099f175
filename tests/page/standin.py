"""A small stand-in of ComfyUI's server: enough for its real page, with the pack's real nodes and routes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from .execution import CORE_NODES, Executor, PreviewImage, PromptQueue
from .hostmodules import ROOT, TEMP, host_modules, loaded_pack
from .record import Record

FOLDER = "runcomfy-models"
PAGE_SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.InstalledVersion": "1.27.10",
    "Comfy.Canvas.NavigationMode": "custom",
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Workflow.ShowMissingNodesWarning": False,
    "Comfy.Workflow.ShowMissingModelsWarning": False,
    "Comfy.Locale": "en",
}


class Standin:
    """ComfyUI's ``PromptServer`` as the pack and the page know it. Use it as a context manager.

    ``user_folder`` is ComfyUI's user directory. Without ``frontend``, the folder of a page's static files, there
    are only routes; a ``record`` answers in place of the pack's own.
    What a test may look at: ``texts`` (progress texts sent), ``sent`` (all messages).
    """

    def __init__(
        self, user_folder: Path, frontend: Path | None = None, port: int = 0, record: Record | None = None
    ) -> None:
        self.routes = web.RouteTableDef()
        self.prompt_queue = PromptQueue()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.texts: list[tuple[str, str]] = []
        self.settings: dict[str, Any] = dict(PAGE_SETTINGS)
        self.nodes: dict[str, type[Any]] = dict(CORE_NODES)
        self.names: dict[str, str] = {}
        self._frontend = frontend
        self._record = record
        self._user_folder = user_folder
        self._userdata: dict[str, bytes] = {}
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self._stack = ExitStack()
        self.loop: asyncio.AbstractEventLoop
        self.port = port
        self.executor = Executor(self.nodes, self.prompt_queue, self.send_sync)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client_id(self) -> str | None:
        return self.executor.client_id

    def __enter__(self) -> Standin:
        self._stack.enter_context(host_modules(self, self.executor, self._user_folder))
        pack = self._stack.enter_context(loaded_pack(f"standin_{uuid.uuid4().hex}"))
        self.pack = pack
        self.nodes.update(pack.NODE_CLASS_MAPPINGS)
        self.names.update(pack.NODE_DISPLAY_NAME_MAPPINGS)
        self._stack.enter_context(self._serving())
        self.executor.start()
        self._stack.callback(self.executor.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def forget(self) -> None:
        """Forget what was sent and run so far."""
        self.sent.clear()
        self.texts.clear()
        self.executor.ran.clear()

    # What the pack calls.

    def send_sync(self, event: str, data: dict[str, Any], sid: str | None = None) -> None:
        self.sent.append((event, data))
        self.loop.call_soon_threadsafe(self._send, {"type": event, "data": data}, sid)

    def send_progress_text(self, text: str, node_id: str, sid: str | None = None) -> None:
        self.texts.append((node_id, text))
        number = (3).to_bytes(4, "big")
        name = node_id.encode()
        frame = number + len(name).to_bytes(4, "big") + name + text.encode()
        self.loop.call_soon_threadsafe(self._send, frame, sid)

    def show_bar(self, node_id: str, value: float, most: float) -> None:
        with self.prompt_queue.mutex:
            prompt_id = next((item[1] for item in self.prompt_queue.currently_running.values()), "")
        node = {"value": value, "max": most, "state": "running", "node_id": node_id, "prompt_id": prompt_id}
        node |= {"display_node_id": node_id, "parent_node_id": None, "real_node_id": node_id}
        self.send_sync("progress_state", {"prompt_id": prompt_id, "nodes": {node_id: node}}, self.client_id)

    def _send(self, message: dict[str, Any] | bytes, sid: str | None) -> None:
        for name, socket in list(self.sockets.items()):
            if sid in (None, name) and not socket.closed:
                send = socket.send_bytes(message) if isinstance(message, bytes) else socket.send_json(message)
                task = asyncio.ensure_future(send)
                task.add_done_callback(lambda done: done.cancelled() or done.exception())

    # What the page asks.

    @contextlib.contextmanager
    def _serving(self) -> Iterator[None]:
        ready = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="standin", daemon=True)
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            self.loop.call_soon_threadsafe(self._stopping.set)
            thread.join()

    async def _serve(self, ready: threading.Event) -> None:
        self.loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._application(), access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]
        ready.set()
        await self._stopping.wait()
        for socket in list(self.sockets.values()):
            await socket.close()
        await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        for prefix in ("", "/api"):
            if self._record is not None:
                self._record.add_to(app, prefix)
            for route in self.routes:
                if isinstance(route, web.RouteDef):
                    app.router.add_route(route.method, prefix + route.path, route.handler)
            self._add_own_routes(app, prefix)
        if self._frontend is not None:
            app.router.add_get("/", self._index)
            app.router.add_static("/", self._frontend)
            app.on_response_prepare.append(_cache_assets)
        return app

    def _add_own_routes(self, app: web.Application, prefix: str) -> None:
        add = app.router.add_route
        answers: dict[str, Any] = {
            "/embeddings": [], "/global_subgraphs": {}, "/workflow_templates": {}, "/experiment/models": [],
            "/users": {"storage": "server", "migrated": True}, "/features": {}, "/userdata": [],
            "/v2/userdata": [], "/history": {}, "/assets": {"assets": [], "total": 0, "has_more": False},
            "/jobs": {"jobs": [], "pagination": {"offset": 0, "limit": 200, "total": 0, "has_more": False}},
            "/internal/logs/raw": {"entries": [], "size": {"cols": 80, "rows": 24}}, "/models": [],
            "/internal/folder_paths": {}, "/customnode/versions": {}, "/releases": [],
        }  # fmt: skip
        for path, answer in answers.items():
            add("GET", prefix + path, _constant(answer))
        add("GET", f"{prefix}/extensions", self._extensions)
        add("GET", f"{prefix}/extensions/{FOLDER}/{{path:.+}}", self._extension)
        add("GET", f"{prefix}/object_info", self._object_info)
        add("GET", f"{prefix}/object_info/{{node}}", self._object_info_of)
        add("GET", f"{prefix}/system_stats", self._system_stats)
        add("GET", f"{prefix}/i18n", self._i18n)
        add("GET", f"{prefix}/settings", self._get_settings)
        add("POST", f"{prefix}/settings", self._set_settings)
        add("POST", f"{prefix}/settings/{{id}}", self._set_setting)
        add("GET", f"{prefix}/userdata/{{file}}", self._get_userdata)
        add("POST", f"{prefix}/userdata/{{file}}", self._set_userdata)
        add("GET", f"{prefix}/queue", self._queue)
        add("GET", f"{prefix}/prompt", self._queue_length)
        add("POST", f"{prefix}/prompt", self._prompt)
        add("POST", f"{prefix}/interrupt", self._interrupt)
        add("POST", f"{prefix}/queue", self._interrupt)
        add("GET", f"{prefix}/view", self._view)
        add("GET", f"{prefix}/ws", self._websocket)

    async def _index(self, _: web.Request) -> web.FileResponse:
        assert self._frontend is not None
        return web.FileResponse(self._frontend / "index.html")

    async def _extensions(self, _: web.Request) -> web.Response:
        files = sorted((ROOT / "web").rglob("*.js"))
        return web.json_response(
            [f"/extensions/{FOLDER}/{file.relative_to(ROOT / 'web').as_posix()}" for file in files]
        )

    async def _extension(self, request: web.Request) -> web.FileResponse:
        file = (ROOT / "web" / request.match_info["path"]).resolve()
        if not file.is_relative_to(ROOT / "web") or not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file, headers={"Cache-Control": "no-store"})

    async def _object_info(self, _: web.Request) -> web.Response:
        return web.json_response({name: self._node_info(name, node) for name, node in self.nodes.items()})

    async def _object_info_of(self, request: web.Request) -> web.Response:
        name = request.match_info["node"]
        return web.json_response({name: self._node_info(name, self.nodes[name])} if name in self.nodes else {})

    def _node_info(self, name: str, node: type[Any]) -> dict[str, Any]:
        inputs = node.INPUT_TYPES()
        types = list(node.RETURN_TYPES)
        own = name not in CORE_NODES
        return {
            "input": inputs,
            "input_order": {kind: list(entries) for kind, entries in inputs.items()},
            "output": types,
            "output_is_list": list(getattr(node, "OUTPUT_IS_LIST", [False] * len(types))),
            "output_name": list(getattr(node, "RETURN_NAMES", types)),
            "output_tooltips": list(getattr(node, "OUTPUT_TOOLTIPS", [])),
            "name": name,
            "display_name": self.names.get(name, name),
            "description": getattr(node, "DESCRIPTION", ""),
            "python_module": f"custom_nodes.{FOLDER}" if own else "nodes",
            "category": node.CATEGORY,
            "output_node": bool(getattr(node, "OUTPUT_NODE", False)),
        }

    async def _system_stats(self, _: web.Request) -> web.Response:
        system = {
            "os": "posix", "ram_total": 1, "ram_free": 1, "comfyui_version": "0.3.64", "python_version": "3",
            "pytorch_version": "2", "embedded_python": False, "argv": ["main.py"],
        }  # fmt: skip
        return web.json_response({"system": system, "devices": []})

    async def _i18n(self, _: web.Request) -> web.Response:
        found: dict[str, Any] = {}
        for folder in sorted((ROOT / "locales").glob("*")):
            found[folder.name] = {
                key: json.loads((folder / f"{key}.json").read_text("utf-8"))
                for key in ("nodeDefs", "commands", "settings")
                if (folder / f"{key}.json").is_file()
            }
            if (folder / "main.json").is_file():
                found[folder.name] |= json.loads((folder / "main.json").read_text("utf-8"))
        return web.json_response(found)

    async def _get_settings(self, _: web.Request) -> web.Response:
        return web.json_response(self.settings)

    async def _set_settings(self, request: web.Request) -> web.Response:
        self.settings |= await request.json()
        return web.Response()

    async def _set_setting(self, request: web.Request) -> web.Response:
        self.settings[request.match_info["id"]] = await request.json()
        return web.Response()

    async def _get_userdata(self, request: web.Request) -> web.Response:
        data = self._userdata.get(request.match_info["file"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    async def _set_userdata(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        self._userdata[name] = await request.read()
        return web.json_response({"path": name, "size": len(self._userdata[name]), "modified": 0, "created": 0})

    async def _queue(self, _: web.Request) -> web.Response:
        with self.prompt_queue.mutex:
            running = [[0, item[1], item[2], {}, []] for item in self.prompt_queue.currently_running.values()]
        return web.json_response({"queue_running": running, "queue_pending": []})

    async def _queue_length(self, _: web.Request) -> web.Response:
        return web.json_response({"exec_info": {"queue_remaining": self.executor.remaining}})

    async def _prompt(self, request: web.Request) -> web.Response:
        asked = await request.json()
        prompt_id = str(asked.get("prompt_id") or uuid.uuid4())
        self.executor.put(prompt_id, asked["prompt"], asked.get("extra_data", {}), asked.get("client_id"))
        return web.json_response({"prompt_id": prompt_id, "number": 1, "node_errors": {}})

    async def _interrupt(self, _: web.Request) -> web.Response:
        self.executor.interrupted.set()
        return web.Response()

    async def _view(self, request: web.Request) -> web.Response:
        name = request.query.get("filename", "")
        passing = self._user_folder / TEMP / request.query.get("subfolder", "") / name
        data = passing.read_bytes() if passing.is_file() else PreviewImage.FILES.get(name)
        return web.Response(status=404) if data is None else web.Response(body=data, content_type="image/png")

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid = request.query.get("clientId") or uuid.uuid4().hex
        self.sockets[sid] = socket
        status = {"exec_info": {"queue_remaining": self.executor.remaining}}
        await socket.send_json({"type": "status", "data": {"status": status, "sid": sid}})
        async for message in socket:
            if message.type is WSMsgType.TEXT and "feature_flags" in message.data:
                await socket.send_json({"type": "feature_flags", "data": {}})
        if self.sockets.get(sid) is socket:
            del self.sockets[sid]
        return socket


async def _cache_assets(request: web.Request, response: web.StreamResponse) -> None:
    # Their names hold a hash of their contents.
    if request.path.startswith("/assets/"):
        response.headers["Cache-Control"] = "public, max-age=3600, immutable"


def _constant(answer: Any) -> Any:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response(answer)

    return handle
