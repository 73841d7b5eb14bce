"""What we use of waitress 3, which has no types of its own."""

from wsgiref.types import WSGIApplication

class _Dispatcher:
    def shutdown(self, cancel_pending: bool = ..., timeout: float = ...) -> bool: ...

class TcpWSGIServer:
    task_dispatcher: _Dispatcher
    def run(self) -> None: ...
    def close(self) -> None: ...

def create_server(
    application: WSGIApplication,
    *,
    host: str,
    port: int,
    threads: int,
    ident: str,
    connection_limit: int,
    channel_timeout: int,
    max_request_header_size: int,
    max_request_body_size: int,
    asyncore_use_poll: bool,
) -> TcpWSGIServer: ...
