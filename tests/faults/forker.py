"""A process that has imported all that a run needs, and forks a child for each command line: a start costs no import.

Reads JSON lines on standard input. `{"argv": […], "env": {…}, "log": FILE}` starts the command line in a child and
answers its pid; with "script" that file runs instead. `{"wait": PID}` answers its exit code, negative for a signal.
The children are the real command line: only their imports are shared.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COLD = "SKINFRAME_TEST_COLD"  # for the test of this process itself, which runs nothing heavy


def warm() -> None:
    """Import what every run imports; nothing is computed, so no thread exists that a fork would lose."""
    import accelerate
    import bitsandbytes
    import jinja2
    import open_clip
    import pyarrow.parquet
    import scipy.stats
    import skinframe_vlm.vision_language_module  # with peft: 0.4 s of each start
    import sklearn.linear_model
    import torch
    import transformers.models.qwen2_5_vl.modeling_qwen2_5_vl

    import skinframe.cli
    import skinframe.predicting.validation_metrics
    import skinframe.running.run_recipe
    import skinframe.running.run_report
    import skinframe.running.verify_files
    import skinframe.train.training_loop
    from skinframe.plugins import load

    load(["cfa", "clip", "qwen", "derm", "tiny"])
    torch.set_num_threads(1)
    assert all((accelerate, bitsandbytes, jinja2, open_clip, pyarrow, scipy, sklearn, transformers, skinframe))
    assert skinframe_vlm


def child(request: dict[str, Any]) -> None:
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(0)
    os.environ.update(request.get("env", {}))
    code = 1
    try:
        runpy.run_path(str(HERE / "shim.py"))["from_environment"]()
        if "script" in request:
            sys.argv = [request["script"], *request["argv"]]
            runpy.run_path(request["script"], run_name="__main__")
        else:
            from skinframe.cli import main

            main(request["argv"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Forker:
    """Starts children and remembers how each ended, so that asking twice is no mistake."""

    def __init__(self) -> None:
        self.ended: dict[int, int] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "wait" in request:
            return {"code": self.code(request["wait"], block=not request.get("poll"))}
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            child(request)
        return {"pid": pid}

    def code(self, pid: int, block: bool) -> int | None:
        if pid not in self.ended:
            found, status = os.waitpid(pid, 0 if block else os.WNOHANG)
            if found == 0:
                return None
            self.ended[pid] = os.waitstatus_to_exitcode(status)
        return self.ended[pid]


def main() -> None:
    runpy.run_path(str(HERE.parent / "offline" / "sitecustomize.py"))
    if COLD not in os.environ:
        warm()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C of a terminal reaches the whole group; pytest closes us
    forker = Forker()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        try:
            answer = forker.answer(json.loads(line))
        except Exception as error:  # a request that fails is its test's matter; the next test needs this process
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    os._exit(0)  # nothing is to be saved, and taking down every library takes long


if __name__ == "__main__":
    main()
