"""What a run keeps in the store besides its bundle: pictures and tables."""

from collections.abc import Sequence
from pathlib import Path

from skincli.config.schema import Config
from skincli.tracking.store import connect, store_errors
from skincli.tracking.stored_runs import find_run


def fetch_run_files(
    config: Config, run_id: str, names: Sequence[str], folder: Path
) -> dict[str, Path]:
    """Those of a run's files that the store has, by their names, put below `folder`.

    None of them for a run that it does not know.
    """
    client = connect(config.tracking)
    with store_errors(config.tracking):
        run = find_run(client, run_id)
        stored = {item.path for item in client.list_artifacts(run.info.run_id)} if run else set()
        return {
            name: Path(client.download_artifacts(run.info.run_id, name, str(folder)))
            for name in names
            if run and name in stored
        }
