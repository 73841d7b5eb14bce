"""A small client of the YAML language server over stdio: opens a document, gives the diagnostics for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

SERVER = Path(__file__).parents[2] / "node" / "node_modules" / ".bin" / "yaml-language-server"


class LanguageServer:
    """A running server; a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(SERVER), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._ticket = 0

    def __enter__(self) -> LanguageServer:
        self._request("initialize", {"processId": None, "rootUri": None, "capabilities": _CAPABILITIES})
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": _SETTINGS}})
        return self

    def __exit__(self, *_: object) -> None:
        self._request("shutdown", None)
        self._send({"method": "exit"})
        self._process.communicate(timeout=10)

    def diagnostics(self, path: Path) -> list[dict[str, Any]]:
        """What the server says about a file."""
        uri = path.resolve().as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": path.read_text("utf-8")}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while True:
            message = self._next()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                return message["params"]["diagnostics"]

    def completions(self, path: Path, line: int, character: int) -> list[str]:
        """Labels that the server offers at a place (counted from 0) of an opened file."""
        place = {"textDocument": {"uri": path.resolve().as_uri()}, "position": {"line": line, "character": character}}
        found = self._request("textDocument/completion", place)
        items = found["items"] if isinstance(found, dict) else found or []
        return [item["label"] for item in items]

    def _request(self, method: str, params: Any) -> Any:
        self._ticket += 1
        self._send({"id": self._ticket, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == self._ticket and "method" not in message:
                return message.get("result")

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _next(self) -> dict[str, Any]:
        """The next message; the server's own questions are answered on the way."""
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise AssertionError("the language server ended")
        message = json.loads(self._process.stdout.read(length))
        if "method" in message and "id" in message:
            result: Any = None
            if message["method"] == "workspace/configuration":
                result = [_SETTINGS.get(item.get("section"), {}) for item in message["params"]["items"]]
            self._send({"id": message["id"], "result": result})
        return message


_CAPABILITIES = {"workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": False}}}
_SETTINGS: dict[str, Any] = {"yaml": {"validate": True, "schemaStore": {"enable": False}, "completion": True}}
