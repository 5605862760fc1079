"""Setting up a CML runner in a place of the tests, and what became of it."""

from skincli.runner.set_up import set_up_runner

IMAGE = "iterativeai/cml:0-dvc2-base1-gpu"
NAME = "skincli-runner"


def set_up(place, *, environ=None, uri=None, settings=(), **options):
    config = place.config(uri=uri, **dict(settings))
    return set_up_runner(config, place.notes, environ or place.environ, **options)


def failures(result):
    return {check.name: check for check in result.failures}


def check_of(result, name):
    return next(check for check in result.checks if check.name == name)


def started(docker):
    return [call for call in docker.calls("run") if "-d" in call["argv"]]
