"""The folder of a run under kills, full disks, links and other trainings. No Keras is needed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lossreg.errors import LossregError
from lossreg_train.run_folder import RunFolder

FILES = ("model.keras", "history.csv", "curves.png", "config.yaml")


def train(folder, *, force=False, model="new"):
    """Write a run as `fit` does, with short files."""
    into = RunFolder(folder)
    into.check(force=force)
    with into.claim(force=force) as run:
        run.write_config({"model": model[:3]})
        run.add_epoch({"epoch": 1, "loss": 0.5})
        run.add_epoch({"epoch": 2, "loss": 0.25})
        run.model.write_text(model)
        run.curves.write_text(model)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_run_leaves_its_files_and_nothing_else(tmp_path):
    train(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted(FILES)
    train(tmp_path / "run", force=True, model="newer")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted(FILES)
    assert (tmp_path / "run" / "history.csv").read_text() == "epoch,loss\n1,0.5\n2,0.25\n"


# Runs a training that ends at the n-th change to its folder: by a kill, or a disk that is full.
INJECTED = """
import os, sys
sys.path.insert(0, sys.argv[4])
from pathlib import Path
import ruamel.yaml, platform, tempfile
from test_run_folder import train

folder, number, way = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
platform.node()
seen = 0

def inject(event, arguments):
    global seen
    changes = event in ("os.rename", "os.mkdir") or event == "open" and arguments[1] != "r"
    if not changes or str(folder) not in str(arguments[0]):
        return
    seen += 1
    if seen == number:
        if way == "kill":
            os._exit(9)
        raise OSError(28, "No space left on device")

sys.addaudithook(inject)
try:
    train(folder, force=True, model="new")
except Exception as error:
    print(type(error).__name__, error)
    sys.exit(2)
"""


def end_early(folder, number, way):
    command = [sys.executable, "-c", INJECTED, folder, str(number), way, Path(__file__).parent]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.fresh
@pytest.mark.parametrize("way", ["kill", "full"])
def test_the_earlier_run_stays_until_the_new_one_is_whole(tmp_path, way):
    train(tmp_path / "old", model="old")
    train(tmp_path / "new", model="new")
    old, new = contents(tmp_path / "old"), contents(tmp_path / "new")
    for number in range(1, 99):
        folder = tmp_path / f"run-{number}"
        train(folder, model="old")
        result = end_early(folder, number, way)
        found = contents(folder)
        names = {name: text for name, text in found.items() if name in FILES}
        assert names.keys() == old.keys()
        changed = {name for name, text in names.items() if text != old[name]}
        # What has changed is whole.
        assert all(names[name] == new[name] for name in changed)
        if result.returncode == 0:
            break
        if way == "full":
            assert result.returncode == 2, result.stderr
            assert "No space left on device" in result.stdout
            assert "unfinished/process" not in found
            train(folder, force=True, model="next")
        elif changed and "unfinished/process" not in found:
            pytest.fail("a run that is half of another's says so")
    else:
        pytest.fail("the training never came to its end")
    assert number > 8
    assert found == new


# Runs a training in which no file may grow beyond a number of bytes.
SHORT_OF_ROOM = """
import resource, signal, sys
sys.path.insert(0, sys.argv[4])
from pathlib import Path
import ruamel.yaml
from test_run_folder import train

if sys.argv[3] == "kill":
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    train(Path(sys.argv[1]), force=True, model="new" * 3000)
except Exception as error:
    print(type(error).__name__, error)
    sys.exit(2)
"""


@pytest.mark.fresh
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
@pytest.mark.parametrize("way", ["kill", "full"])
def test_a_file_that_is_cut_anywhere_takes_nobodys_place(tmp_path, way):
    train(tmp_path / "old", model="old" * 3000)
    train(tmp_path / "new", model="new" * 3000)
    old, new = contents(tmp_path / "old"), contents(tmp_path / "new")
    for limit in (0, 1, 20, 40, 100, 1000, 8191, 8999, 9000):
        folder = tmp_path / f"run-{limit}"
        train(folder, model="old" * 3000)
        arguments = [folder, str(limit), way, Path(__file__).parent]
        result = subprocess.run(
            [sys.executable, "-c", SHORT_OF_ROOM, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        found = contents(folder)
        named = {name: text for name, text in found.items() if name in FILES}
        if limit == 9000:
            assert found == new, result.stdout
        elif way == "full":
            assert named == old
            assert result.returncode == 2, result.stderr
            assert "File too large" in result.stdout
        else:
            assert named == old
            assert result.returncode == -signal.SIGXFSZ, result.stderr


def test_an_error_keeps_the_history_and_removes_a_cut_model(tmp_path):
    folder = tmp_path / "run"

    def fail():
        with RunFolder(folder).claim(force=False) as run:
            run.write_config({"model": "a"})
            run.add_epoch({"epoch": 1})
            run.model.write_text("ha")
            raise OSError(28, "No space left on device")

    with pytest.raises(LossregError) as caught:
        fail()
    assert sorted(contents(folder)) == ["unfinished/config.yaml", "unfinished/history.csv"]
    assert str(caught.value).startswith(
        f"The run can't be written into {str(folder)!r} (No space left on device). "
        f"history.csv and config.yaml of it are in '{folder}/unfinished'."
    )


def test_a_failure_before_the_first_file_removes_what_was_made_and_only_that(tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("mine", "made"):
        with pytest.raises(ZeroDivisionError), RunFolder(tmp_path / name).claim(force=False):
            1 / 0  # noqa: B018
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_a_folder_belongs_to_one_training(tmp_path):
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    message = rf"Another training writes .*: process {os.getpid()} on .*delete '.*/process'"
    for force in (False, True):
        second.check(force=force)
        with first.claim(force=force) as run:
            with pytest.raises(LossregError, match=message):
                second.check(force=force)
            with pytest.raises(LossregError, match=message), second.claim(force=force):
                pass
            run.model.write_text("mine")
            if not force:
                run.model.unlink()
    assert (tmp_path / "run" / "model.keras").read_text() == "mine"
    # The other one ended between the check and the claim.
    with pytest.raises(LossregError, match="isn't empty"), second.claim(force=False):
        pass


def test_a_dangling_link_isnt_written_through(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path in ("link", "link/run"):
        with pytest.raises(LossregError, match=r"'.*link' is a link to '.*nowhere', which"):
            train(tmp_path / path)
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "run" / "model.keras").symlink_to(tmp_path / "mine")
    train(tmp_path / "run", force=True)
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "run" / "model.keras").read_text() == "new"


def test_a_name_that_no_encoding_has_is_written(tmp_path):
    with RunFolder(tmp_path / "run").claim(force=False) as run:
        run.add_epoch({"\udcff": 1.0})
    assert (tmp_path / "run" / "history.csv").read_text() == "\\udcff\n1.0\n"
