"""Data files that somebody may send: read or refused with a sentence, whatever they claim."""

import pytest
from hostile.attacks import ARCHIVES
from processor import MOST_SECONDS, at_most

from lossreg_train import table


def refusal(path):
    """Return why a file, or an array of it, is refused."""

    def read():
        found = table.read_table(path)
        return [found.column(name) for name in found.names]

    with at_most(MOST_SECONDS), pytest.raises(table.Unreadable) as refused:
        read()
    assert len(str(refused.value)) < 1000
    return str(refused.value)


@pytest.mark.parametrize("content", ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_is_refused_with_a_sentence(tmp_path, content):
    file = tmp_path / "data.npz"
    file.write_bytes(content)
    message = refusal(file)
    assert message.startswith(("Array 'x", "'data.npz' "))
    assert message.endswith(".")


def test_the_size_of_an_archive_is_known_before_it_is_read(tmp_path):
    file = tmp_path / "data.npz"
    file.write_bytes(ARCHIVES["a bomb of 20 GB"])
    assert "has 5 arrays of 20.0 GiB; a file may have 1,000 of 8 GiB" in refusal(file)


def test_a_table_of_gigabytes_is_not_read(tmp_path):
    file = tmp_path / "data.csv"
    with file.open("wb") as opened:
        # It takes no room on the disk.
        opened.truncate(2**30 + 1)
    assert "has more than 1 GiB" in refusal(file)
