"""The plan of a comparison: its cells in their order, and what came of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lossreg.errors import LossregError

from .candidates import Candidate
from .cells import Cell, fingerprint
from .folds import Folds, draw_seed
from .progress import Progress
from .ranking import rank
from .report import Comparison
from .running import Runner, Task
from .subjects import Subject
from .summary import Outcome
from .tasks import run_cell, run_check
from .work import Work

_FEW_RUNS = 5  # below it, an interval is wider than most differences
_CALIBRATED = (1e-3, 1e3)  # by how much a learning rate may be changed before the search


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The losses that fit.

    Args:
        candidates: The losses, the baseline first.
        factors: What the learning rate of each is multiplied by before the search.
        dropped: The losses that don't fit, with the reasons.
        versions: The versions that decide the numbers.
        notes: What the user should know.
    """

    candidates: list[Candidate]
    factors: list[float]
    dropped: Mapping[str, str]
    versions: Mapping[str, str]
    notes: list[str]


def check(
    runner: Runner,
    work: Work,
    found: list[Candidate],
    is_auto: bool,
    report: Callable[[str], None],
) -> "Checked":
    """Return the losses that fit, with what their learning rates are multiplied by.

    Raises:
        LossregError: A loss that was named doesn't fit, or no loss does.
    """
    report(f"Checking {len(found)} losses against the model and the data ...")
    tasks = [
        Task(
            key=fingerprint(["check", work.key, candidate.config, candidate.providers]),
            function=run_check,
            argument=candidate.config,
            keep_failure=False,
        )
        for candidate in found
    ]
    results = {ended.task.key: ended.result for ended in runner.run(tasks)}
    by_candidate = [(c, results.get(t.key)) for c, t in zip(found, tasks, strict=True)]
    dropped = {
        candidate.label: str(result["reason"])
        for candidate, result in by_candidate
        if result is not None and result["status"] == "failed"
    }
    fitting = [
        (candidate, result)
        for candidate, result in by_candidate
        if result is not None and result["status"] == "done"
    ]
    if not fitting or found[0].label in dropped or (dropped and not is_auto):
        reasons = [f"{label}: {reason}" for label, reason in dropped.items()]
        raise LossregError("\n".join(reasons) or "The budget is over, and no loss was checked.")
    (_, first), *_ = fitting
    low, high = _CALIBRATED
    factors = [
        min(max(first["step"] / result["step"], low), high)
        if first["step"] and result["step"]
        else 1.0
        for _, result in fitting
    ]
    notes = []
    if first["has_schedule"]:
        notes.append("The learning rate is a schedule, and so it isn't searched.")
    return Checked(
        candidates=[candidate for candidate, _ in fitting],
        # A ratio has the noise of float32; three digits are enough for a learning rate.
        factors=[float(f"{factor:.3g}") for factor in factors],
        dropped=dropped,
        versions=first["versions"],
        notes=notes,
    )


class Plan:
    """The cells of a comparison, in their order, and what came of them.

    A run is one fold with one seed. All losses have it before the next one begins, so that a
    comparison that is cut off has pairs to compare.
    """

    def __init__(self, subject: Subject, work: Work, checked: "Checked") -> None:
        self._subject, self._work, self._checked = subject, work, checked
        found, factors = checked.candidates, checked.factors
        self._factors = [*factors, factors[0]]
        section = subject.compare
        self.outcomes = [
            Outcome(candidate, subject.metrics, section.repeats, section.folds)
            for candidate in (*found, replace(found[0], again=True))
        ]
        self._places: dict[str, tuple[int, Cell]] = {}
        count = len(self.outcomes) * section.repeats * section.folds
        self._progress = Progress(self.outcomes, subject.metrics[0], count)

    def run(self, runner: Runner, show: Callable[[Progress], None]) -> None:
        """Run the cells that have no result."""
        show(self._progress)
        for ended in runner.run(self.tasks()):
            index, cell = self._places.pop(ended.task.key)
            self.outcomes[index].add(cell.repeat, cell.fold, ended.result)
            self._progress.add(reused=ended.is_known)
            show(self._progress)

    def tasks(self) -> Iterator[Task]:
        """Yield the task of each cell."""
        section = self._subject.compare
        for repeat in range(section.repeats):
            for fold in range(section.folds):
                for index, outcome in enumerate(self.outcomes):
                    candidate = outcome.candidate
                    cell = Cell(
                        work=self._work.key,
                        loss=candidate.config,
                        providers=candidate.providers,
                        rate=self._factors[index],
                        repeat=repeat,
                        fold=fold,
                        seed=draw_seed(self._work.folds.seed, repeat, fold, candidate.again),
                    )
                    self._places[cell.key] = index, cell
                    yield Task(key=cell.key, function=run_cell, argument=cell)

    def comparison(self, folder: Path, seconds: float, *, is_stopped: bool) -> Comparison:
        """Return what the results say."""
        subject, metrics = self._subject, self._subject.metrics
        ranking, pairs, noise, margin = rank(
            self.outcomes, metrics, subject.folds.ratio, subject.compare.margin
        )
        baseline = self._checked.candidates[0].label
        runs = subject.compare.folds * subject.compare.repeats
        *losses, _ = self.outcomes
        notes = [*subject.notes, *self._checked.notes]
        notes += [*_few_runs(runs), *_short_trainings(losses, self._work.settings.epochs)]
        samples, classes = subject.folds.counts()
        if noise is not None and noise.verdict in ("better", "worse"):
            notes.append(
                f"{baseline} with other seeds differs from itself by more than noise should. "
                "Don't believe small differences here."
            )
        return Comparison(
            title=subject.title,
            metrics=[metric.label for metric in metrics],
            higher_is_better=[metric.higher_is_better for metric in metrics],
            baseline=baseline,
            margin=margin,
            ranking=ranking,
            pairs=pairs,
            noise=noise,
            dropped=self._checked.dropped,
            folds=_folds_in_words(subject.folds, subject.compare.repeats),
            samples=samples,
            classes={
                _class_name(number, subject.class_names): counts
                for number, counts in classes.items()
            },
            runs=runs,
            done=self._progress.done,
            planned=self._progress.planned,
            seconds=seconds,
            notes=notes,
            versions=self._checked.versions,
            folder=folder,
            is_stopped=is_stopped,
        )


def _few_runs(runs: int) -> Iterator[str]:
    """Yield what to say of a comparison with few runs."""
    if runs < _FEW_RUNS:
        yield (
            f"Each loss has {runs} run{'s' * (runs > 1)}. With fewer than {_FEW_RUNS}, only large "
            "differences can be told from noise. Take more folds or repeats."
        )


def _short_trainings(outcomes: Sequence[Outcome], epochs: int) -> Iterator[str]:
    """Yield what to say where losses were still getting better when their training ended."""
    found = [
        outcome.candidate.label
        for outcome in outcomes
        if 2 * outcome.best_at_end[epochs] > outcome.done - outcome.failed
    ]
    if found:
        which = "All losses" if len(found) == len(outcomes) > 1 else ", ".join(found)
        were = "was" if which == found[0] else "were"
        yield (
            f"{which} {were} best after the last of {epochs} epochs in most runs, and may get "
            f"better still. Train longer, such as {2 * epochs} epochs, before you trust the "
            "ranking."
        )


def _class_name(number: float, names: Sequence[str | int] | None) -> str:
    """Return the name of a class, or its number where it has none."""
    is_named = names is not None and number % 1 == 0 and 0 <= number < len(names)
    return str(names[int(number)]) if names is not None and is_named else f"{number:g}"


def _folds_in_words(folds: Folds, repeats: int) -> str:
    """Return how the samples were split, as a sentence."""
    times = "once" if repeats == 1 else f"{repeats} times"
    if folds.times is not None:
        return f"{folds.count} folds by time, each trained {times}, tested on later samples"
    how = "with whole groups" if folds.groups is not None else ""
    how += " and " * bool(how and folds.classes is not None)
    how += "with the same share of each class" if folds.classes is not None else ""
    return f"{folds.count} folds, drawn {times}{', ' * bool(how)}{how}"
