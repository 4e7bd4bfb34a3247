"""
Runs scripts one after another in one Spark: what takes long on a laptop is to start it. Each line of standard input is {"id": …,
"script": …, "arguments": […]}; for each a line comes back, {"id": …, "error": null, "said": …}, where the error is what the script
has ended with and `said` the last line that it has printed. It ends when its input does.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import traceback
from typing import Optional

# What the JVM prints is not to be taken for answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def run_script(script: str, arguments: list) -> tuple:
    """:returns: what is wrong, None if nothing is; and the last line that the script has printed"""
    printed = io.StringIO()
    sys.argv = [script, *arguments]
    error: Optional[str] = None
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        error = None if ended.code in (None, 0) else str(ended.code)
    except Exception as failure:
        traceback.print_exc()
        # What follows is the stack of Java.
        error = " ".join([type(failure).__name__, *str(failure).splitlines()[:2]])
    lines = printed.getvalue().splitlines()
    return error, lines[-1] if lines else ""


def main() -> None:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    for line in sys.stdin:
        order = json.loads(line)
        error, said = run_script(order["script"], order["arguments"])
        print(json.dumps({"id": order["id"], "error": error, "said": said}), file=answers, flush=True)


main()
