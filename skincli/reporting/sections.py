"""The parts of a report, as Markdown, and how much each of them matters."""

from collections.abc import Iterator
from dataclasses import dataclass

from skincli.pages.markdown import Markdown, blocks, bullets, details, fenced, plain, shown
from skincli.reporting.curves import roc_and_reliability, training
from skincli.reporting.facts import Facts, Standing, Trained
from skincli.reporting.tables import classes, confusion, figures, subgroups
from skincli.reporting.words import cut


@dataclass(frozen=True, slots=True)
class Section:
    """`weight` says how long it is kept where there is no room for all: 0 goes first."""

    title: str
    body: Markdown
    weight: int


def sections(facts: Facts) -> Iterator[Section]:
    """In the order of reading."""
    measured = facts.measured
    yield Section("Gate", _gate(facts.standing), 7)
    yield Section("Figures", figures(facts.standing, measured), 6)
    yield Section("Confusion matrix", confusion(measured), 5)
    yield Section("Classes", classes(measured), 4)
    yield Section("Training", training(facts.epochs), 3)
    yield Section("ROC and reliability", roc_and_reliability(measured), 2)
    yield Section("Subgroups", subgroups(measured), 0)
    yield Section("Settings", _settings(facts.trained), 1)


def _gate(standing: Standing) -> Markdown:
    verdict = standing.verdict
    lines = (f"{'✓' if c.ok else '✗'} {c.name}: {cut(c.found)}" for c in verdict.checks)
    models = "model was" if verdict.test_uses == 1 else "models were"
    uses = f"{verdict.test_uses} {models} measured on this test part so far."
    return blocks((bullets(lines), uses))


def _settings(trained: Trained) -> Markdown:
    if not trained.settings:
        return plain("All that shapes a model is as by default.")
    lines = (cut(shown(f"{key}={value}")) for key, value in trained.settings.items())
    return details("What its training set other than by default", fenced("text", "\n".join(lines)))
