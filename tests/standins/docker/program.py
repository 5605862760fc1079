"""What the stand-in `docker` answers. `DockerStandIn` writes the executable, which calls `main`."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from life import FOLDER, advance, kept, launch, offline, unregister
from refusals import FULL, Failed, refusal, refused_run, require_engine, require_gpu
from words import parsed


def main():
    argv = sys.argv[1:]
    record(argv)
    try:
        if argv == ["--version"]:
            say("Docker version 28.2.2, build e6534b4")
            return 0
        with kept() as state:
            play = state["play"]
        require_engine(play)
        return VERBS[verb(argv)](argv[1:]) or 0
    except Failed as failed:
        sys.stderr.write(f"{failed.text}\n")
        return failed.code


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def verb(argv):
    if argv[0] == "container":
        return argv[1]
    return "image inspect" if argv[:2] == ["image", "inspect"] else argv[0]


def record(argv):
    call = {"program": "docker", "argv": argv, "env": dict(os.environ)}
    with (FOLDER / "calls.jsonl").open("a") as stream:
        stream.write(json.dumps(call) + "\n")


def version(words):
    say("28.2.2")


def info(words):
    with kept() as state:
        say(json.dumps(state["play"]["info"]))


def image_inspect(words):
    with kept() as state:
        if words[-1] not in state["images"]:
            say("")
            raise refusal(f"No such image: {words[-1]}")
    say("sha256:" + "ab" * 32)


def pull(words):
    with kept() as state:
        if state["play"]["pull"] != "ok":
            raise refusal(state["play"]["pull"])
        state["images"].append(words[-1])
    say(f"docker.io/{words[-1]}")


def inspect(words):
    with kept() as state:
        found = named(state, words[-1], blank=True)
        advance(state, found)
    values = {
        "{{.State.Status}}": found["status"],
        "{{.State.ExitCode}}": found["code"],
        "{{.RestartCount}}": found["restarts"],
        "{{.Id}}": found["id"],
        "{{json .Config.Labels}}": json.dumps(found["labels"]),
    }
    template = words[words.index("--format") + 1]
    for name, value in values.items():
        template = template.replace(name, str(value))
    say(template)


def run(words):
    made = parsed(words)
    with kept() as state:
        play = state["play"]
        if made["image"] not in state["images"]:
            sys.stderr.write(f"Unable to find image '{made['image']}' locally\n")
            if play["pull"] != "ok":
                raise refused_run(play["pull"])
            state["images"].append(made["image"])
        if made["rm"]:
            run_once(made, play)
        else:
            begin(state, made)
    time.sleep(0.0 if made["rm"] else play["run_seconds"])


def run_once(made, play):
    """A container that is there for one command: of `nvidia-smi` the answer is known."""
    if made["gpus"]:
        require_gpu(play)
    if made["entrypoint"] == "nvidia-smi":
        gpus = [f"GPU {n}: NVIDIA H200 (UUID: GPU-{n})" for n in range(play["gpus"])]
        say("\n".join(gpus or ["No devices found."]))


def begin(state, made):
    play, name = state["play"], made["name"]
    if name in state["containers"]:
        other = state["containers"][name]["id"]
        raise refused_run(
            f'Conflict. The container name "/{name}" is already in use by container "{other}". You '
            "have to remove (or rename) that container to be able to reuse that name."
        )
    if play["run"] == "repeats":
        raise refused_run(f"invalid variable REPO_TOKEN={made['env']['REPO_TOKEN']}")
    state["containers"][name] = made
    state["volumes"] = sorted({*state["volumes"], *made["volumes"]})
    if play["run"] == "full":
        raise refused_run(FULL)
    if made["gpus"]:
        require_gpu(play)
    launch(state, made)
    say(made["id"])


def stop(words):
    """SIGTERM; SIGKILL, after its time, for a CML that works on because a job runs."""
    with kept() as state:
        found = named(state, words[-1])
        if state["play"]["stop"] != "ok":
            raise refusal(state["play"]["stop"])
        if found["status"] in ("running", "restarting"):
            found["code"] = 0 if unregister(state, found) else 137
            found["status"] = "exited"
    say(words[-1])


def kill(words):
    """SIGKILL: GitHub hears nothing of it, and after a while finds the runner offline."""
    with kept() as state:
        found = named(state, words[-1])
        found["status"], found["code"] = "exited", 137
        offline(state, found)
    say(words[-1])


def crash(words):
    """No verb of docker's: the process inside is killed, and the restart policy begins it again."""
    with kept() as state:
        found = named(state, words[-1])
        offline(state, found)
        found["restarts"] += 1
        launch(state, found)


def start(words):
    with kept() as state:
        found = named(state, words[-1])
        if state["play"]["run"] == "full":
            text = f"{FULL}\nError: failed to start containers: {words[-1]}"
            raise refusal(text)
        found["restarts"] = 0
        launch(state, found)
    say(words[-1])


def rm(words):
    with kept() as state:
        found = named(state, words[-1])
        if found["status"] == "running":
            raise refusal(
                f'cannot remove container "/{words[-1]}": container is running: stop the container '
                "before removing or force remove"
            )
        del state["containers"][found["name"]]
    say(words[-1])


def logs(words):
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    tail = int(words[words.index("--tail") + 1]) if "--tail" in words else sys.maxsize
    shown, following = 0, True
    while following:
        with kept() as state:
            found = named(state, words[-1])
            advance(state, found)
        lines = found["log"]
        for line in lines[max(shown, len(lines) - tail) :]:
            say(line)
        shown = len(lines)
        following = {"-f", "--follow"} & {*words} and found["status"] == "running"
        time.sleep(0.02 if following else 0)


def cp(words):
    name, _, path = words[0].partition(":")
    with kept() as state:
        found, link = named(state, name), state["play"]["link"]
    if link:
        Path(words[1]).symlink_to(link)
        return
    if path != "/home/runner/.runner" or found["runner"] is None:
        raise refusal(f"Could not find the file {path} in container {name}")
    text = json.dumps({**found["runner"], "poolId": 1, "workFolder": "/home/runner/_work"})
    # GitHub's runner begins the file with a byte order mark.
    Path(words[1]).write_text(text, encoding="utf-8-sig")


def execute(words):
    name = next(word for word in words if not word.startswith("-"))
    with kept() as state:
        found = named(state, name)
    if found["status"] != "running":
        raise refusal(f"container {found['id']} is not running")
    say(f"root@{found['hostname']}:/home/runner#")


def named(state, name, blank=False):
    """The container of this name or id."""
    for key, found in state["containers"].items():
        if name in (key, found["id"]):
            return found
    sys.stdout.write("\n" if blank else "")
    raise refusal(f"No such container: {name}")


VERBS = {
    each.__name__.replace("_", " "): each
    for each in (version, info, image_inspect, pull, inspect, run, stop, kill, start, rm, logs, cp)
} | {"exec": execute, "crash": crash}
