"""The life of a container with CML in it, from its start to its end."""

import fcntl
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(sys.argv[0]).resolve().parent


@contextmanager
def kept():
    """The stand-in's memory, for one process at a time."""
    with (FOLDER / "state.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = json.loads((FOLDER / "state.json").read_text())
        try:
            yield state
        finally:
            partial = FOLDER / "state.partial"
            partial.write_text(json.dumps(state))
            partial.replace(FOLDER / "state.json")


def launch(state, found):
    """The container's process starts: CML, which registers, or ends at once."""
    play = state["play"]
    found |= {"status": "running", "code": 0, "looks": 0, "registered": False}
    _log(found, "info", "Launching github runner")
    if play["cml"] == "ends":
        token = found["env"].get("REPO_TOKEN", "")
        found["log"] += [line.replace("TOKEN", token) for line in play["log"]]
        _end(found, play["code"])
    elif play["cml"] != "silent" and not play["looks"]:
        _register(state, found)


def advance(state, found):
    """What happens by itself happens when somebody looks."""
    found["looks"] += 1
    play = state["play"]
    waits = found["status"] == "running" and not found["registered"] and play["cml"] != "silent"
    if found["status"] == "restarting":
        launch(state, found)
    elif waits and found["looks"] > play["looks"]:
        _register(state, found)


def unregister(state, found):
    """What CML does on SIGTERM. Its file stays where it is. False where it goes on with a job."""
    if not found["runner"] or state["play"]["cml"] == "deaf":
        return True
    number, name = found["runner"]["agentId"], found["runner"]["agentName"]
    _log(found, "info", f"Unregistering runner {name}...")
    if _tell_github(state, "POST", number, {}).get("busy"):
        text = f'\tCancelling shutdown: Bad request - Runner "{name}" is still running a job"'
        _log(found, "warn", text)
        offline(state, found)
        return False
    _tell_github(state, "DELETE", number, None)
    return True


def offline(state, found):
    if found["runner"]:
        _tell_github(state, "POST", found["runner"]["agentId"], {"status": "offline"})


def _register(state, found):
    """Under a name that is new each time, unless it was given one."""
    command = found["command"]
    name = _option(command, "--name") or f"0a{os.urandom(4).hex()}"
    labels = ["self-hosted", "Linux", "X64", *_option(command, "--labels").split(",")]
    repository = "/".join(_option(command, "--repo").split("/")[3:])
    wanted = {"repository": repository, "name": name, "labels": labels}
    made = _tell_github(state, "POST", "", wanted)
    if "id" not in made:
        _log(found, "error", f"Runner name {name} is already in use.")
        _end(found, 1)
        return
    found |= {"runner": {"agentId": made["id"], "agentName": name}, "registered": True}
    _log(found, "info", "runner status", status="ready")


def _end(found, code):
    """The process is gone; docker may begin it again."""
    found["status"], found["code"] = "exited", code
    if found["restart"] == "unless-stopped":
        found["status"], found["restarts"] = "restarting", found["restarts"] + 1


def _log(found, level, message, **more):
    found["log"].append(json.dumps({"level": level, "message": message, **more}))


def _option(command, name):
    return command[command.index(name) + 1] if name in command else ""


def _tell_github(state, method, number, content):
    """What a runner tells GitHub, in its stand-in's own way. Without one, nobody listens."""
    if not state["play"]["github"]:
        return {"id": 1}
    import http.client  # half of a start's time, and few calls need it

    address = state["play"]["github"].removeprefix("http://")
    link = http.client.HTTPConnection(address, timeout=30)
    path = f"/test/runners/{number}".rstrip("/")
    link.request(method, path, None if content is None else json.dumps(content))
    return json.loads(link.getresponse().read() or b"{}")
