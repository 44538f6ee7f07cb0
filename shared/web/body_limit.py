"""No request may bring more than 1 MB, whether it says so beforehand or not; a file that is read as it comes may."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import Problem, problem_response
from shared.web.request_context import current_request_id

BODY_BYTES_MAX = 1_000_000
# Routes that end so take a file and read it as it comes, never whole.
STREAMED_SUFFIX = "/content"
STREAMED_BYTES_MAX = 256_000_000


def too_large(bytes_max: int = BODY_BYTES_MAX) -> Problem:
    """The refusal of a body over the limit."""
    return Problem(
        413,
        "body-too-large",
        f"The body is larger than {bytes_max} bytes: send fewer items in one request.",
        title="Body too large",
    )


class BodyTooLargeError(HTTPException):
    """Raised while a body without a declared length is read; Starlette's own error, so that FastAPI lets it pass."""

    def __init__(self) -> None:
        super().__init__(413)


class BodyLimit:
    """Refuses a larger body with 413: at once where Content-Length admits it, else as soon as it is too much."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counted ``receive``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = STREAMED_BYTES_MAX if scope["path"].endswith(STREAMED_SUFFIX) else BODY_BYTES_MAX
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > bytes_max:
            await problem_response(too_large(bytes_max), current_request_id())(scope, receive, send)
            return
        received_bytes = 0

        async def receive_counted() -> Message:
            nonlocal received_bytes
            message = await receive()
            if message["type"] == "http.request":
                received_bytes += len(message.get("body", b""))
                if received_bytes > bytes_max:
                    raise BodyTooLargeError
            return message

        await self._app(scope, receive_counted, send)
