"""The container's side of SageMaker's contract: GET /ping and POST /invocations.

See "Custom Inference Code with Hosting Services" in the Amazon SageMaker Developer Guide.
"""

from collections.abc import Callable, Iterable
from typing import Any

from . import bodies
from .model import Model

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[[str, Headers], Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


def container(model: Model) -> Application:
    """A WSGI application. It holds no state but the model, and any number of threads may call it."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = _answer(model, environ)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return application


def _answer(model: Model, environ: Environ) -> tuple[str, Headers, bytes]:
    call = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
    if call == ("GET", "/ping"):
        return _text("200 OK", "")
    if call != ("POST", "/invocations"):
        return _text("404 Not Found", f"no such call: {call[0]} {call[1]}")
    content_type = _media_type(environ.get("CONTENT_TYPE", ""))
    if content_type not in bodies.ALL:
        return _text("415 Unsupported Media Type", f"expected one of {', '.join(bodies.ALL)}")
    accept = _media_type(environ.get("HTTP_ACCEPT", ""))
    if accept in ("", "*/*"):
        accept = content_type
    if accept not in bodies.ALL:
        return _text("406 Not Acceptable", f"there is {', '.join(bodies.ALL)}")
    number = 0
    try:
        predictions = []
        for number, values in enumerate(bodies.rows_of(content_type, environ["wsgi.input"].read()), 1):
            predictions.append(model.probability(values))
    except Exception as error:  # Of the rows, whatever it is: nothing else can fail here, and all of them have to be answered.
        where = f"row {number}: " if number > 0 else ""
        return _text("400 Bad Request", f"{where}{error}")
    version = ("X-Amzn-SageMaker-Custom-Attributes", f"model-version={model.version}")
    return "200 OK", [("Content-Type", accept), version], bodies.answer_of(accept, predictions)


def _media_type(header: str) -> str:
    return header.split(";")[0].strip().lower()


def _text(status: str, text: str) -> tuple[str, Headers, bytes]:
    return status, [("Content-Type", "text/plain; charset=utf-8")], text.encode()
