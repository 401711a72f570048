"""Ray with two nodes on this machine: the same numbers, and a node that is killed loses nothing."""

import sys
import time

import numpy as np
import pytest

pytest.importorskip("ray")


from lossreg_train.comparison import Comparison
from lossreg_train.comparison import plan as plans
from lossreg_train.comparison.cells import Results
from lossreg_train.comparison.driver import compare
from lossreg_train.comparison.on_ray import RayPool

NAMES = ("binary_crossentropy", "hinge")
OPTIONS = {"folds": 4, "repeats": 5}

pytestmark = pytest.mark.fresh


def fake_check(work, loss):
    return {"status": "done", "step": 1.0, "has_schedule": False, "versions": {}}


def fake_cell(work, cell):
    """Return scores that the cell and its samples decide, after a while."""
    time.sleep(0.2)
    fold = work.folds.fold(cell.repeat, cell.fold)
    random = np.random.default_rng([cell.seed, len(str(cell.loss)), int(fold.test.sum())])
    return {
        "status": "done",
        "scores": {"average_precision": random.uniform(0.8, 0.9)},
        "slices": {},
        "reliability": [],
        "rate": 0.1,
        "epoch": 1,
        "values": [1.0],
        "losses": [1.0],
        "step": 0.001,
        "seconds": 0.2,
    }


@pytest.fixture
def cluster(monkeypatch):
    import ray.cloudpickle
    from ray.cluster_utils import Cluster

    # The processes of Ray can't import a test module.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(plans, "run_check", fake_check)
    monkeypatch.setattr(plans, "run_cell", fake_cell)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def shown(result: Comparison):
    return [(standing.loss, standing.values) for standing in result.ranking], result.pairs


def test_two_nodes_make_the_same_table_and_a_killed_one_loses_no_cell(config, tmp_path, cluster):
    here = compare(config(), NAMES, folder=tmp_path / "here", **OPTIONS)
    pool = RayPool(cpus=1)
    assert pool.size == 4
    second = next(iter(cluster.worker_nodes))
    killed = []

    def kill(progress):
        if progress.done == 10 and not killed:
            cluster.remove_node(second, allow_graceful=False)
            killed.append(progress.done)

    result = compare(config(), NAMES, folder=tmp_path / "ray", executor=pool, show=kill, **OPTIONS)
    assert killed == [10]
    assert result.is_complete
    assert result.planned == 60
    assert shown(result) == shown(here)
    assert len(list(Results(tmp_path / "ray" / "cells"))) == 60 + len(NAMES)
