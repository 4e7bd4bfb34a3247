"""The commands that SageMaker starts a container with, `train` and `serve`; with `--local`, as on this machine.

Environment: SAGEMAKER_BASE_DIR (/opt/ml unless set), SAGEMAKER_BIND_TO_PORT (8080 unless set).
"""

import json
import logging
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from .local_endpoint import local_endpoint
from .model import ARCHIVE, Model, archive
from .serving import container

# Predicting keeps one processor busy, whatever the number: the others are for bodies that are still to come.
_THREADS = 4
# Clients keep theirs alive, and one that is not accepted hangs.
_CONNECTIONS = 1000
# SageMaker's own limit, with room.
_MOST_BYTES = 8_000_000


def main(arguments: list[str]) -> int:
    command, is_local = arguments[0] if arguments else "", arguments[1:] == ["--local"]
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    if command == "train" and len(arguments) == 1 + is_local:
        return _train(base, is_local)
    if command == "serve" and len(arguments) == 1 + is_local:
        return _serve(base, is_local)
    print("usage: python -m flight_delay train|serve [--local]", file=sys.stderr)
    return 2


def _train(base: Path, is_local: bool) -> int:
    from .training import train

    try:
        model = train(base / "input/data/train", base / "model")
    except Exception as error:
        output = base / "output"
        output.mkdir(parents=True, exist_ok=True)
        # SageMaker shows it as the reason why the job has failed.
        (output / "failure").write_text(traceback.format_exc())
        print(error, file=sys.stderr)
        return 1
    if is_local:
        # What SageMaker itself does with the folder when a job has ended.
        archive(base / "model", base / ARCHIVE)
    print(json.dumps({"version": model.version, **model.metrics}))
    return 0


def _serve(base: Path, is_local: bool) -> int:
    import waitress

    model = Model.load(base / "model")
    # That requests wait for one another is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    application = container(model)
    port = 0 if is_local else int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    server = waitress.create_server(
        local_endpoint(application) if is_local else application,
        host="127.0.0.1" if is_local else "0.0.0.0",
        port=port,
        threads=_THREADS,
        connection_limit=_CONNECTIONS,
        asyncore_use_poll=True,
        max_request_body_size=_MOST_BYTES,
        ident=None,
    )
    # SageMaker kills a container 30 s after it has asked it to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if is_local:
        print(json.dumps({"port": int(server.effective_port), "version": model.version}), flush=True)
        threading.Thread(target=_end_with_input, daemon=True).start()
    server.run()
    return 0


def _end_with_input() -> None:
    """Whoever has started the server is gone when its standard input ends: it does not stay behind."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
