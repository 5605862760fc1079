"""What the server is told: its database, its place for files, the names it answers to."""

import pytest

from skincli.config.operating import TrackingConfig
from skincli.errors import UsageError
from skincli.tracking.server.backend import served_backend
from skincli.tracking.server.command import server_command


def told(config, option):
    words = server_command(config, served_backend(config))
    return words[words.index(option) + 1].split(",") if option in words else None


def test_mlflows_own_rule_is_kept_where_nobody_names_a_host():
    config = TrackingConfig()
    assert told(config, "--allowed-hosts") is None
    assert told(config, "--cors-allowed-origins") is None


def test_a_named_host_is_allowed_with_its_port_and_its_pages_may_write():
    config = TrackingConfig(
        port=5001, allowed_hosts=["team.lan", "team.lan:80"], cors_origins=["https://notes.lan"]
    )
    hosts = told(config, "--allowed-hosts")
    assert {"team.lan", "team.lan:80", "team.lan:5001", "127.0.0.1:5001"} <= set(hosts)
    assert not any(host.endswith(":80:5001") for host in hosts)
    origins = told(config, "--cors-allowed-origins")
    assert {"https://team.lan", "http://team.lan:5001", "https://notes.lan"} <= set(origins)


def test_an_address_of_this_machine_names_itself():
    assert "192.168.1.5:5000" in told(TrackingConfig(host="192.168.1.5"), "--allowed-hosts")


def test_a_store_is_known_by_its_database_and_not_by_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    config = TrackingConfig(backend="postgresql://db.lan/mlflow", artifacts="s3://bucket/below")
    backend = served_backend(config)
    assert backend.uri == "postgresql+psycopg://db.lan/mlflow"
    assert (backend.bucket, backend.home.parent) == ("bucket", tmp_path / "skincli")
    other = TrackingConfig(backend="postgresql://db.lan/other", artifacts="s3://bucket")
    assert served_backend(other).home != backend.home


def test_a_server_can_serve_another_store_than_the_one_it_is_a_client_of(tmp_path):
    client = TrackingConfig(uri="http://elsewhere:5000")
    with pytest.raises(UsageError, match="names a server already"):
        served_backend(client)
    client.backend = f"sqlite:///{tmp_path}/own.db"
    assert served_backend(client).database == tmp_path / "own.db"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"backend": "mysql://db/mlflow"}, "tracking.backend"),
        ({"backend": "postgresql://me:secret@db/mlflow", "artifacts": "s3://b"}, "PGPASSWORD"),
        ({"backend": "postgresql://db/mlflow?password=x", "artifacts": "s3://b"}, "PGPASSWORD"),
        ({"backend": "postgresql://db/mlflow"}, "tracking.artifacts"),
        ({"allowed_hosts": ["*"]}, "tracking.allowed_hosts"),
        ({"allowed_hosts": ["https://team.lan"]}, "tracking.allowed_hosts"),
        ({"cors_origins": ["*"]}, "tracking.cors_origins"),
    ],
)
def test_settings_that_open_too_much_or_hold_a_secret_are_refused(settings, said):
    with pytest.raises(ValueError, match=said) as refused:
        TrackingConfig(**settings)
    assert "secret" not in str(refused.value)
