"""Measure the tables, and write docs/proof.md with its figure.

python -m examples.proof
python -m examples.proof --only small_objects
python -m examples.proof --page
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import lossreg_train
from lossreg_train.comparison.pools import environment

from . import data, page
from .tables import TOPICS, Part

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "build" / "proof"

_KEPT = ("loss", "scores", "runs", "failures", "rate", "epochs", "values")


def measure(part: Part, executor: Executor, *, folds: int | None = None) -> Mapping[str, Any]:
    """Return what a comparison found, as far as the page needs it."""
    config = HERE / f"{part.config}.yaml"
    metrics = [lossreg_train.Metric(function, higher_is_better=False) for function in part.metrics]
    options: dict[str, Any] = {} if folds is None else {"folds": folds, "repeats": 1, "epochs": 2}
    options |= {"folder": BUILT / "runs" / part.name, "executor": executor, "report": _say}
    if part.network is None:
        found = lossreg_train.compare(config, metrics=metrics or None, **options)
    else:
        arrays, options = _of_config(config, options)
        found = lossreg_train.compare(
            part.network, list(part.losses), metrics, data=arrays, **options
        )
    _say(f"{found}\n")
    if found.is_stopped:
        sys.exit("Stopped. The same command goes on.")
    return summary(found.as_dict())


def summary(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the page needs of a report."""
    kept = ("metrics", "higher_is_better", "baseline", "margin", "pairs", "noise", "folds")
    return {
        **{name: report[name] for name in kept},
        "count": len(report["ranking"][0]["values"]),
        "ranking": [{name: each[name] for name in _KEPT} for each in report["ranking"]],
        "seconds": round(report["seconds"]),
        "versions": report["versions"],
    }


def _of_config(config: Path, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data of a config, and its settings, for a network that a function makes."""
    from lossreg.config import read_experiment

    found = read_experiment(config)
    assert found.data is not None
    arrays = np.load(config.parent / found.data.file)
    settings = {
        **found.fit.model_dump(include={"epochs", "batch_size"}),
        **found.compare.model_dump(include={"folds", "repeats", "patience"}),
        "seed": found.data.seed,
    }
    given = {"x": arrays[found.data.features], "y": arrays[found.data.target]}
    return given, {**settings, **options}


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def machine(workers: int) -> dict[str, Any]:
    """Return what the numbers were measured on."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "workers": workers,
        "python": platform.python_version(),
    }


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(prog="python -m examples.proof", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", action="append", help="a config; measure and print, no page")
    parser.add_argument("--short", action="store_true", help="two epochs on two folds; no page")
    parser.add_argument("--page", action="store_true", help="write the page of results.json only")
    args = parser.parse_args()
    if args.page:
        page.write(json.loads(page.RESULTS.read_text(encoding="utf-8")))
        return
    started, load = time.monotonic(), os.getloadavg()[0]
    data.write(BUILT)
    os.environ.update(environment(max(1, (os.cpu_count() or 1) // args.workers)))
    # One executor for all, whose processes import Keras once.
    with ProcessPoolExecutor(args.workers, multiprocessing.get_context("spawn")) as executor:
        parts = [part for topic in TOPICS for table in topic.tables for part in table.parts]
        parts.sort(key=lambda part: part.network is None)
        if args.only:
            parts = [part for part in parts if part.name in args.only]
        found = {
            part.name: measure(part, executor, folds=2 if args.short else None) for part in parts
        }
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    results = {
        "machine": {
            **machine(args.workers),
            "load": round(load, 1),
            "minutes": round((time.monotonic() - started) / 60, 1),
            "cpu_minutes": round(sum(each.ru_utime + each.ru_stime for each in used) / 60, 1),
        },
        "parts": found,
    }
    _say(json.dumps(results["machine"]))
    if not args.only and not args.short:
        page.RESULTS.write_text(f"{json.dumps(rounded(results), indent=1)}\n", encoding="utf-8")
        page.write(rounded(results))


def rounded(value: Any) -> Any:
    """Return data with numbers of five digits, which are more than the page shows."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    main()
