"""What the stand-in `docker` does with a container of GitHub's own image: it runs one job.

The verbs of `DockerStandIn`, and those that the engine `actions` needs on top. What happens by
itself happens when somebody looks, as it does there.
"""

import json
import sys
import time
from urllib.parse import urlsplit

import program
from life import kept
from program import named, say
from refusals import FULL, refusal
from words import parsed

CONFIGURATION = "ACTIONS_RUNNER_INPUT_JITCONFIG"
_STAMP = "2026-11-26 10:00:00Z"


def create(words):
    made = parsed(words) | {"registered": True}
    name = made["name"]
    with kept() as state:
        if name in state["containers"]:
            raise refusal(f'Conflict. The container name "/{name}" is already in use')
        if state["play"]["run"] == "full":
            raise refusal(FULL)
        state["containers"][name] = made
    say(made["id"])


def start(words):
    if "--attach" not in words:
        return program.start(words)
    with kept() as state:
        found = named(state, words[-1])
        if found["gpus"] and state["play"]["toolkit"] != "ok":
            raise refusal('could not select device driver "" with capabilities: [[gpu]]')
        boot(state, found)
    return shown(found["id"], words[-1], 0)


def attach(words):
    with kept() as state:
        found = named(state, words[-1])
    return shown(found["id"], words[-1], len(found["log"]))


def stop(words):
    with kept() as state:
        found = named(state, words[-1])
        ended = CONFIGURATION not in found["env"] or found["status"] != "running"
    if ended or state["play"]["stop"] != "ok":
        return program.stop(words)
    with kept() as state:
        found = named(state, words[-1])
        log(found, "Exiting...")
        job = job_of(state, found)
        if job:
            job["status"] = "cancelled"
            log(found, f"{_STAMP}: Job {job['name']} completed with result: Canceled")
            at_github(state, "DELETE", runner_path(found))
        else:
            at_github(state, "POST", runner_path(found), {"status": "offline"})
        end(state, found, 0)
    say(words[-1])
    return 0


def kill(words):
    """As the system does when memory runs out: GitHub thinks the job still runs, for long."""
    with kept() as state:
        is_job = CONFIGURATION in named(state, words[-1])["env"]
    if not is_job:
        return program.kill(words)
    with kept() as state:
        found = named(state, words[-1])
        at_github(state, "POST", runner_path(found), {"status": "offline"})
        (job_of(state, found) or {})["status"] = "lost"
        end(state, found, 137)
    say(words[-1])
    return 0


def boot(state, found):
    """The runner takes up its configuration, which is good for once."""
    play = state["play"].get("actions", "works")
    found["status"] = "running"
    if play != "works":
        log(found, {"ends": "An error occurred: Not configured", "outdated": "too old"}[play])
        end(state, found, {"ends": 0, "outdated": 7}[play])
        return
    status, made = at_github(state, "POST", "/test/jit", {"encoded": found["env"][CONFIGURATION]})
    if status != 200:
        log(found, "Failed to create a session. The runner registration has been deleted")
        end(state, found, 0)
        return
    found["runner"] = {"agentId": made["id"], "agentName": made["name"]}
    for line in ("Connected to GitHub", "Current runner version: '2.331.0'"):
        log(found, line)
    log(found, f"{_STAMP}: Listening for Jobs")


def look(state, found):
    """It takes a job, or is done with one."""
    if found["status"] == "removing":
        settle(state, found)
        return
    job = job_of(state, found)
    queued = [each for each in state.setdefault("jobs", []) if each["status"] == "queued"]
    if job is None and queued:
        queued[0] |= {"status": "running", "runner": found["runner"]["agentName"]}
        at_github(state, "POST", runner_path(found), {"busy": True})
        log(found, f"{_STAMP}: Running job: {queued[0]['name']}")
    elif job and job["over"]:
        job["status"] = "done"
        log(found, f"{_STAMP}: Job {job['name']} completed with result: Succeeded")
        at_github(state, "DELETE", runner_path(found))
        end(state, found, 0)


def shown(identity, name, since):
    """Show what a container prints until it has ended, and exit as it does."""
    while True:
        with kept() as state:
            found = state["containers"].get(name)
            if found is not None and found["id"] == identity:
                look(state, found)
            ended = state.setdefault("gone", {}).get(identity)
            cut = state["play"].get("cut") and found is not None and job_of(state, found)
            state["play"]["cut"] = state["play"].get("cut") and not cut
        lines = ended["log"] if ended else found["log"]
        for line in lines[since:]:
            say(line)
        since = len(lines)
        if ended:
            return ended["code"]
        if cut:
            say("error waiting for container: unexpected EOF")
            return 1
        time.sleep(0.02)


def end(state, found, code):
    """The container was made with `--rm`: docker removes it, at once or a few looks later."""
    found |= {"status": "removing", "code": code, "left": state["play"].get("lingers", 0)}
    settle(state, found)


def settle(state, found):
    found["left"] -= 1
    if found["left"] < 0:
        del state["containers"][found["name"]]
        state.setdefault("gone", {})[found["id"]] = {"code": found["code"], "log": found["log"]}


def inspect(words):
    with kept() as state:
        found = state["containers"].get(words[-1], {})
        if found.get("status") == "removing":
            settle(state, found)
    return program.inspect(words)


def rm(words):
    with kept() as state:
        if named(state, words[-1])["status"] == "removing":
            raise refusal(f"removal of container {words[-1]} is already in progress")
    return program.rm(words)


def job_of(state, found):
    name = found["runner"] and found["runner"]["agentName"]
    jobs = state.setdefault("jobs", [])
    return next((j for j in jobs if j["runner"] == name and j["status"] == "running"), None)


def runner_path(found):
    return f"/test/runners/{found['runner']['agentId']}"


def log(found, line):
    found["log"].append(line)


def at_github(state, method, path, content=None):
    import http.client  # half of a start's time, and few calls need it

    link = http.client.HTTPConnection(urlsplit(state["play"]["github"]).netloc, timeout=30)
    link.request(method, path, json.dumps(content or {}))
    answer = link.getresponse()
    return answer.status, json.loads(answer.read() or b"{}")


def main():
    program.VERBS |= {"create": create, "start": start, "attach": attach, "stop": stop}
    program.VERBS |= {"inspect": inspect, "rm": rm, "kill": kill}
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
