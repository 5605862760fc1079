"""What a store has got of a run, read the way MLflow's own pages read it."""

from dataclasses import dataclass
from typing import Any

from skincli.config.operating import TrackingConfig
from skincli.tracking.store import connect


@dataclass(frozen=True)
class Stored:
    """The configured experiment."""

    config: TrackingConfig

    @property
    def client(self) -> Any:
        return connect(self.config)

    def runs(self) -> list[Any]:
        client = self.client
        experiment = client.get_experiment_by_name(self.config.experiment)
        return list(client.search_runs([experiment.experiment_id])) if experiment else []

    def run(self) -> Any:
        """The one run that there is."""
        [run] = self.runs()
        return run

    def run_named(self, name: str) -> Any:
        [run] = [run for run in self.runs() if run.info.run_name == name]
        return run

    def points(self, metric: str, run_id: str | None = None) -> list[tuple[int, float]]:
        """Steps and values, as often as the store shows them."""
        history = self.client.get_metric_history(run_id or self.run().info.run_id, metric)
        return [(point.step, point.value) for point in history]

    def files(self, run_id: str | None = None) -> set[str]:
        found = self.client.list_artifacts(run_id or self.run().info.run_id)
        return {item.path for item in found}

    def models(self) -> list[Any]:
        """All models of the experiment, those that no run names included."""
        client = self.client
        experiment = client.get_experiment_by_name(self.config.experiment)
        return list(client.search_logged_models([experiment.experiment_id]))
