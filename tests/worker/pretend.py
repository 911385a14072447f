"""A stand-in for the core's command line, without torch: it writes, saves, resumes and stops as `dreamgate train` does.

Run as a program. PRETEND, a JSON object, says what it shall do: `records` in all, a checkpoint after every `save`,
and perhaps `die` by kill -9 or `fail` at a record, `die_once` at the fifth (a file, which remembers it), `deaf` to
SIGTERM, or `mib` of memory to hold.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dreamer_core.config import load_config
from dreamer_core.metrics.sink import EventLog, JsonlSink
from dreamer_core.runs import manifest
from dreamer_core.runs.atomic import write_json
from dreamer_core.runs.folder import RunFolder, create_run_in, open_run

CONFIG = load_config(["seed=7"], preset="bandit+debug")


def main(words: list[str]) -> int:
    asked = {"records": 10, "save": 4, "pause_s": 0.02} | json.loads(os.environ.get("PRETEND", "{}"))
    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stops.append(1))
    hold = bytearray(asked.get("mib", 0) * 2**20)
    if "--resume" in words:
        folder = open_run(Path(words[words.index("--resume") + 1]))
    else:
        folder = create_run_in(Path(words[words.index("--into") + 1]), CONFIG)
        manifest.start_manifest(folder, CONFIG, "train")
    with folder.locked():
        return _train(folder, asked, stops) + 0 * len(hold)


def _train(folder: RunFolder, asked: dict[str, Any], stops: list[int]) -> int:
    sink, events = JsonlSink(folder.metrics), EventLog(folder.events)
    done = _restore(folder, sink, events)
    sys.stdout.write(json.dumps({"type": "start", "records": sink.count(), "events": events.count()}) + "\n")
    sys.stdout.flush()
    while done < asked["records"]:
        done += 1
        sink.write({"env_steps": 10 * done, "train_steps": done, "wall_time_s": time.time(), "loss": 1 / done})
        if done % 3 == 0:
            events.write("third", env_steps=10 * done, train_steps=done, message=f"record {done}")
        if asked.get("fail") == done:
            sys.stderr.write("it broke\n")
            manifest.update(folder, status="failed", error="ValueError: it broke")
            return 4
        if asked.get("die") == done:
            _die(folder, asked)
        if "die_once" in asked and done == 5 and not Path(asked["die_once"]).exists():
            Path(asked["die_once"]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if done % asked["save"] == 0 or done == asked["records"]:
            _save(folder, done, sink, events)
        if stops and not asked.get("deaf"):
            _save(folder, done, sink, events)
            manifest.update(folder, status="interrupted")
            return 75
        time.sleep(asked["pause_s"])
    manifest.update(folder, status="succeeded")
    return 0


def _restore(folder: RunFolder, sink: JsonlSink, events: EventLog) -> int:
    pointer = folder.checkpoints / "last.json"
    if not pointer.exists():
        return 0
    state = json.loads((folder.checkpoints / json.loads(pointer.read_text())["path"] / "state.json").read_text())
    sink.truncate(state["metrics"])
    events.truncate(state["events"])
    manifest.mark_resumed(folder, CONFIG, env_steps=10 * state["done"])
    return int(state["done"])


def _save(folder: RunFolder, done: int, sink: JsonlSink, events: EventLog) -> None:
    name = f"step_{10 * done:012d}"
    path = folder.checkpoints / name
    if path.exists():
        return
    write_json(path / "state.json", {"done": done, "metrics": sink.offset(), "events": events.offset()})
    (path / "agent.safetensors").write_bytes(b"agent" * done)
    (path / "replay.safetensors").write_bytes(b"replay" * done)
    write_json(path / "checkpoint.json", {"done": done})
    for pointer in ("best.json", "last.json"):
        write_json(folder.checkpoints / pointer, {"path": name, "sha256": ""})
    for old in folder.checkpoints.glob("step_*"):
        if old != path:
            shutil.rmtree(old)


def _die(folder: RunFolder, asked: dict[str, Any]) -> None:
    """So many times in the life of the folder."""
    deaths = folder.path / ".deaths"
    count = int(deaths.read_text()) if deaths.exists() else 0
    if count < asked.get("deaths", 1):
        deaths.write_text(str(count + 1))
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
