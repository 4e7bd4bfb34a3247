"""What stands between a client and the container in SageMaker, for a server on this machine: InvokeEndpoint over HTTP."""

import json
from collections.abc import Iterable

from .declaration import ENDPOINT
from .serving import Application, Environ, Headers, StartResponse


def local_endpoint(container: Application) -> Application:
    """POST /endpoints/<name>/invocations is answered as the service does; other calls go to the container as they are."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        parts = environ["PATH_INFO"].split("/")
        if len(parts) != 4 or parts[1] != "endpoints" or parts[3] != "invocations":
            return container(environ, start_response)
        if parts[2] != ENDPOINT:
            return _fail(start_response, "400 Bad Request", "ValidationError", {"Message": f"Endpoint {parts[2]} not found."})
        said: list[tuple[str, Headers]] = []
        body = b"".join(container({**environ, "PATH_INFO": "/invocations"}, lambda *answer: said.append(answer)))
        [(status, headers)] = said
        if not status.startswith("2"):
            original = {"OriginalStatusCode": int(status[:3]), "OriginalMessage": body.decode()}
            return _fail(start_response, "424 Failed Dependency", "ModelError", {"Message": "from the container", **original})
        start_response(status, [*headers, ("X-Amzn-Invoked-Production-Variant", "AllTraffic")])
        return [body]

    return application


def _fail(start_response: StartResponse, status: str, name: str, content: dict[str, object]) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    headers = [("Content-Type", "application/json"), ("X-Amzn-ErrorType", name), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
