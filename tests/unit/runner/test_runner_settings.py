import pytest

from skincli.config.automation import RunnerConfig


@pytest.mark.parametrize("value", ["never", "90", "30s", "3min", "1h", "2hours30min", "1d"])
def test_idle_timeouts_that_cml_understands(value):
    assert RunnerConfig(idle_timeout=value).idle_timeout == value


@pytest.mark.parametrize("value", ["", "0", "-1", "soon", "3 min", "1.5h", "3min!", "never\n"])
def test_idle_timeouts_that_are_refused(value):
    with pytest.raises(ValueError, match=r"^runner\.idle_timeout must be never, or a time"):
        RunnerConfig(idle_timeout=value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("name", value) for value in ("", "a", "-gpu", "gpu 1", "gpu/1", "gpu\n")),
        *(("volume", value) for value in ("/srv/data", "a:b", "")),
        *(("labels", value) for value in ("", "a b", "a,", "a,,b", "$(reboot)")),
        *(("shm_size", value) for value in ("", "0", "lots", "8gb", "-1g", "8G")),
        *(("api", value) for value in ("api.github.com", "ftp://x", "")),
        ("start_timeout", 0.0),
        *(("mounts", [value]) for value in ("remote", "/srv:/srv", "")),
    ],
)
def test_what_docker_or_github_would_not_take_is_refused_by_its_key(key, value):
    with pytest.raises(ValueError, match=rf"^runner\.{key} must be "):
        RunnerConfig(**{key: value})


def test_the_image_is_that_of_the_engine():
    settings = {"cml_image": "a/cml:1", "actions_image": "b/runner:2"}
    assert RunnerConfig(engine="cml", **settings).image == "a/cml:1"
    assert RunnerConfig(engine="actions", **settings).image == "b/runner:2"
