"""The words of `docker run`, made a container."""

import os

# The options that take a value, of those that are used.
_VALUED = {
    *("--name", "--hostname", "--label", "--restart", "--gpus", "--shm-size", "--stop-timeout"),
    *("-v", "-e", "--entrypoint", "--user", "--log-driver"),
}


def parsed(words):
    """A container out of the words after `run`."""
    options, flags, index = {}, [], 0
    while words[index].startswith("-"):
        if words[index] in _VALUED:
            options.setdefault(words[index], []).append(words[index + 1])
            index += 1
        else:
            flags.append(words[index])
        index += 1
    image, *command = words[index:]
    return {
        "id": os.urandom(32).hex(),
        "name": options.get("--name", [os.urandom(4).hex()])[-1],
        "hostname": options.get("--hostname", [""])[-1],
        "labels": dict(label.split("=", 1) for label in options.get("--label", [])),
        "restart": options.get("--restart", ["no"])[-1],
        "gpus": "--gpus" in options,
        "volumes": [each.split(":")[0] for each in options.get("-v", [])],
        "entrypoint": options.get("--entrypoint", [""])[-1],
        "env": _environment(options),
        "rm": "--rm" in flags,
        "image": image,
        "command": command,
        "status": "created",
        "code": 0,
        "restarts": 0,
        "log": [],
        "runner": None,
        "looks": 0,
        "registered": False,
    }


def _environment(options):
    given = options.get("-e", [])
    lines = [each if "=" in each else f"{each}={os.environ.get(each, '')}" for each in given]
    return dict(line.split("=", 1) for line in lines)
