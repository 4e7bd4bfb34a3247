"""Runs ministack as an account of AWS's until its standard input ends, with its data in the folder in which it is started.

Functions are processes of its own: they end with it.
"""

import os
import signal
import socket
import sys
import threading

threading.Thread(target=lambda: (sys.stdin.buffer.read(), os.killpg(0, signal.SIGKILL)), daemon=True).start()

folder = os.getcwd()
# Functions are told the port, so that it has to be known before it listens.
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
os.environ.update(
    GATEWAY_PORT=str(port),
    S3_DATA_DIR=folder + "/s3",
    STATE_DIR=folder + "/state",
    DOCKER_HOST="unix://" + folder + "/none",
)

from ministack import app
from ministack.core import lambda_runtime

# Where it may, it would listen on 443 too.
app._port_is_bindable = lambda *_: False
# Lambda looks for handler.cjs too ("Define Lambda function handler in Node.js").
lambda_runtime._NODEJS_WORKER_SCRIPT = (
    "require.extensions['.cjs'] = require.extensions['.js']\n" + lambda_runtime._NODEJS_WORKER_SCRIPT
)

app.main()
