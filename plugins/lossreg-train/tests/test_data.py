"""The data of a config: columns, classes and the split, read without Keras."""

import re
import zipfile

import numpy as np
import pytest
from tolerances import FLOAT32

from lossreg import ConfigError
from lossreg.config import Data
from lossreg_train.data import read_dataset
from lossreg_train.samples import split

FLOWERS = """\
length,width,colour,kind
5.1,3.5,1,rose
4.9,3.0,2,tulip
6.2,2.8,3,rose
5.9,3.2,4,lily
5.5,2.3,5,tulip
6.5,2.8,6,lily
"""


@pytest.fixture
def flowers(tmp_path):
    """A function that writes a table and returns what its data are."""

    def read(text=FLOWERS, *, numbers_for=None, is_class=False, **given):
        (tmp_path / "flowers.csv").write_text(text, encoding="utf-8")
        config = Data(**{"file": "flowers.csv", "target": "kind", **given})
        return read_dataset(config, tmp_path, stratify=is_class, numbers_for=numbers_for)

    return read


@pytest.fixture
def arrays(tmp_path):
    """A function that writes arrays and returns what their data are."""

    def read(columns, **given):
        np.savez(tmp_path / "arrays.npz", **columns)
        return read_dataset(Data(**{"file": "arrays.npz", "target": "y", **given}), tmp_path)

    return read


def every(found):
    """Return all samples, those to train on first."""
    x = np.concatenate([found.train.x, found.validation.x])
    return x, np.concatenate([found.train.y, found.validation.y])


def refused(read, *arguments, **given):
    """Return the messages of what a config's data are refused for."""
    with pytest.raises(ConfigError) as caught:
        read(*arguments, **given)
    return [str(fault) for fault in caught.value.faults]


def test_strings_become_indexes_in_the_order_of_the_alphabet(flowers):
    found = flowers(seed=3)
    assert found.config.classes == ["lily", "rose", "tulip"]
    x, y = every(found)
    kinds = {5.1: 1, 4.9: 2, 6.2: 1, 5.9: 0, 5.5: 2, 6.5: 0}
    assert [kinds[round(float(length), 1)] for length in x[:, 0]] == y[:, 0].tolist()
    assert y.dtype == "int32"


def test_listed_classes_decide_the_indexes(flowers):
    x, y = every(flowers(classes=["tulip", "rose", "lily"]))
    assert dict(zip(x[:, 2].tolist(), y[:, 0].tolist(), strict=True)) == {
        1: 1,
        2: 0,
        3: 1,
        4: 2,
        5: 0,
        6: 2,
    }


def test_numbers_are_indexed_by_listed_numbers(flowers):
    x, y = every(flowers(FLOWERS.replace("rose", "10").replace("tulip", "20").replace("lily", "5")))
    assert set(y[:, 0].tolist()) == {5, 10, 20}
    numbered = FLOWERS.replace("rose", "10").replace("tulip", "20").replace("lily", "5")
    x, y = every(flowers(numbered, classes=[5, 10, 20]))
    assert dict(zip(x[:, 2].tolist(), y[:, 0].tolist(), strict=True))[2] == 2


def test_names_may_stand_for_the_indexes_that_the_labels_are(arrays):
    columns = {"x": np.ones((4, 2)), "y": np.array([0, 1, 2, 1])}
    found = arrays(columns, classes=["a", "b", "c"])
    assert sorted(every(found)[1][:, 0].tolist()) == [0, 1, 1, 2]
    assert refused(arrays, columns, classes=["a", "b"]) == [
        "data.classes: The target holds 2, but 2 classes have the indexes 0 to 1. List every "
        "class, or list the target's values instead."
    ]


def test_all_other_columns_are_features_and_are_recorded(flowers):
    found = flowers(
        target="colour", features=None, text=re.sub(",[a-z]+$", "", FLOWERS, flags=re.M)
    )
    assert found.config.features == ["length", "width"]
    x, y = every(found)
    assert x.shape == (6, 2)
    assert x.dtype == "float32"
    assert y.shape == (6, 1)


def test_columns_stand_in_the_order_that_the_config_has(flowers):
    x, y = every(flowers(FLOWERS, features=["width", "colour"], target="length"))
    widths = {1: 3.5, 2: 3.0, 3: 2.8, 4: 3.2, 5: 2.3, 6: 2.8}
    assert x[:, 0].tolist() == pytest.approx([widths[colour] for colour in x[:, 1]], rel=FLOAT32)
    x, y = every(flowers(features="colour", target=["width", "length"]))
    assert y[:, 0].tolist() == pytest.approx([widths[colour] for colour in x[:, 0]], rel=FLOAT32)


def test_several_inputs_and_outputs_have_an_array_each(flowers):
    found = flowers(
        features={"size": ["length"], "tint": "colour"},
        target={"first": "width", "second": "width"},
    )
    assert {name: array.shape[1] for name, array in found.train.x.items()} == {"size": 1, "tint": 1}
    assert found.train.y["second"].tolist() == found.train.y["first"].tolist()
    assert len(found.train) + len(found.validation) == 6


def test_an_autoencoder_has_its_features_for_the_target(flowers):
    x, y = every(flowers(features=["length", "width"], target=["length", "width"]))
    assert x.tolist() == y.tolist()


def test_arrays_keep_their_axes(arrays):
    columns = {"x": np.zeros((5, 8, 8, 1)), "y": np.eye(5), "other": np.arange(5)}
    x, y = every(arrays(columns, features="x"))
    assert (x.shape, y.shape) == ((5, 8, 8, 1), (5, 5))


def test_the_only_other_array_is_the_features(arrays):
    assert every(arrays({"x": np.ones((4, 2)), "y": np.arange(4)}))[0].shape == (4, 2)
    several = {"x": np.ones((4, 2)), "y": np.arange(4), "z": np.ones(4)}
    assert refused(arrays, several) == [
        "data: 'features' must name the arrays to learn from: 'x', 'z'."
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("True\nfalse\nTRUE\n", [1, 0, 1], id="truths are 1 and 0"),
        pytest.param("1\n2\n3\n", [1, 2, 3], id="whole numbers stay whole"),
        pytest.param("1e-3\n2.5\n-.5\n", [0.001, 2.5, -0.5], id="numbers in any notation"),
    ],
)
def test_a_column_of_numbers_is_one(flowers, text, expected):
    rows = [f"{value},{index}" for index, value in enumerate(text.split())]
    x, y = every(flowers("kind,x\n" + "\n".join(rows)))
    assert y[np.argsort(x[:, 0]), 0].tolist() == pytest.approx(expected, rel=FLOAT32)


def test_na_is_a_class_where_the_others_are_strings(flowers):
    assert flowers(FLOWERS.replace("lily", "NA")).config.classes == ["NA", "rose", "tulip"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"file": "flower.csv"},
            r"data\.file: There is no file 'flower\.csv' in '.*'\. Did you mean 'flowers\.csv'\?",
            id="a file",
        ),
        pytest.param({"file": "x/y.csv"}, r"data\.file: There is no folder", id="a folder"),
        pytest.param(
            {"target": "kin"},
            r"data\.target: 'flowers\.csv' has no column 'kin'\. Did you mean 'kind'\?",
            id="the target",
        ),
        pytest.param(
            {"features": ["width", "lenght"]},
            r"data\.features\[1\]: .* has no column 'lenght'\. Did you mean 'length'\?",
            id="a feature",
        ),
        pytest.param(
            {"features": ["width", "zzz"]},
            r"no column 'zzz'\. It has 'length', 'width', 'colour', 'kind'\.",
            id="a feature like no other",
        ),
        pytest.param(
            {"features": ["kind", "width"]},
            r"data\.target: 'kind' is a feature and the target",
            id="the target among the features",
        ),
    ],
)
def test_what_isnt_there_is_named_with_the_nearest(flowers, given, message):
    assert any(re.search(message, fault) for fault in refused(flowers, **given))


def test_a_class_that_isnt_listed_and_one_that_isnt_there_are_named(flowers):
    faults = refused(flowers, classes=["rose", "tulips", "lily", "daisy"])
    assert faults == [
        "data.classes: The target is 'tulip' in 2 rows, but 'classes' doesn't list it. "
        "Did you mean 'tulips'?",
        "data.classes: The class 'tulips' never occurs in the data. Did you mean 'tulip'?",
        "data.classes: The class 'daisy' never occurs in the data. Leave it out.",
    ]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(["false", "true"], [0, 1, 1, 0], id="the file"),
        pytest.param(["True", "False"], [1, 0, 0, 1], id="Python"),
    ],
)
def test_truths_are_listed_as_the_file_or_python_writes_them(flowers, listed, expected):
    x, y = every(flowers("x,kind\n1,false\n2,true\n3,true\n4,false\n", classes=listed))
    assert y[np.argsort(x[:, 0]), 0].tolist() == expected


def test_a_truth_that_isnt_listed_is_named_as_a_config_writes_it(flowers):
    faults = refused(flowers, "x,kind\n1,false\n2,true\n3,true\n", classes=["false", "tru"])
    assert faults == [
        "data.classes: The target is 'true' in 2 rows, but 'classes' doesn't list it. "
        "Did you mean 'tru'?",
        "data.classes: The class 'tru' never occurs in the data. Did you mean 'true'?",
    ]


def test_a_class_for_each_column_of_a_matrix(arrays):
    columns = {"x": np.ones((3, 1)), "y": np.eye(3)[[0, 1, 1]]}
    assert refused(arrays, columns, classes=["a", "b"])[0].startswith(
        "data.classes: There are 2 classes, but the target has 3 columns."
    )
    assert refused(arrays, columns, classes=["a", "b", "c"]) == [
        "data.classes: The class 'c' never occurs in the data. Leave it out."
    ]


@pytest.mark.parametrize(
    ("colours", "example"),
    [
        pytest.param("1,2,red,4", "'red' in row 3", id="a string"),
        pytest.param(",red,1,2", "'red' in row 2", id="a string behind a missing one"),
        pytest.param("1_000,2_000,3,4", "'1_000' in row 1", id="numbers with a thousands' mark"),
    ],
)
def test_strings_among_the_features_are_named_with_an_example(flowers, colours, example):
    rows = "\n".join(f"{colour},rose" for colour in colours.split(","))
    (fault,) = refused(flowers, f"colour,kind\n{rows}\n")
    assert f"'colour' (such as {example})" in fault


@pytest.mark.parametrize(
    ("x", "example"),
    [
        pytest.param(["1", "2"], "'1' in row 1", id="numbers written as strings"),
        pytest.param([["1", "2"], ["3", "red"]], "'red' in row 2", id="a matrix"),
    ],
)
def test_strings_in_an_array_of_features_are_named_with_an_example(arrays, x, example):
    (fault,) = refused(arrays, {"x": np.array(x), "y": np.arange(2)})
    assert f"'x' (such as {example})" in fault


def test_an_array_of_no_strings_has_too_few_rows(arrays):
    (fault,) = refused(arrays, {"x": np.array([], dtype="U1"), "y": np.array([])})
    assert "needs at least 2 rows" in fault


def test_missing_values_are_counted_for_each_column(flowers):
    text = FLOWERS.replace("5.1", "").replace("6.2", "n/a").replace("3.5", "inf")
    text = text.replace("tulip", "")
    faults = refused(flowers, text, classes=["rose", "lily", "dahlia"])
    assert faults == [
        "data: Features need a value in each row: 'length' (2 missing), 'width' "
        "(1 infinite). Fill in the values, or leave out those rows or columns.",
        "data.target: The target needs a value in each row: 'kind' has 2 missing. Fill in the "
        "values, or leave out those rows.",
        "data.classes: The class 'dahlia' never occurs in the data. Leave it out.",
    ]


NUMBERS = "x,kind\n1,2.5\n2,3.5\n3,{}\n4,5\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            NUMBERS.format("unknown"),
            "'kind' holds strings in 1 of 4 rows (such as 'unknown' in row 3), and 'huber' takes "
            "numbers. Correct or drop those rows.",
            id="one bad cell",
        ),
        pytest.param(
            'x,kind\n1,"1,5"\n2,"2,5"\n',
            "'kind' holds strings in 2 of 2 rows (such as '1,5' in row 1), and 'huber' takes "
            "numbers. Write numbers, with a point for decimals, or list the strings in 'classes' "
            "to train on their indexes.",
            id="decimal commas",
        ),
    ],
)
def test_strings_are_no_classes_for_a_loss_of_numbers(flowers, text, message):
    assert refused(flowers, text, numbers_for="huber") == [f"data.target: {message}"]


def test_listed_strings_are_numbers_for_a_loss_of_numbers(flowers):
    found = flowers(numbers_for="mse", classes=["lily", "tulip", "rose"])
    assert sorted(every(found)[1][:, 0].tolist()) == [0, 0, 1, 1, 2, 2]


def test_an_array_of_strings_is_refused_for_a_loss_of_numbers(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones((3, 1)), y=np.array(["1.5", "2", "3"]))
    (fault,) = refused(read_dataset, Data(file="a.npz", target="y"), tmp_path, numbers_for="mse")
    assert "'y' holds numbers that are written as strings, and 'mse' takes numbers." in fault


def test_a_few_strings_among_numbers_are_classes_only_where_they_are_listed(flowers):
    text = NUMBERS.format("other")
    assert refused(flowers, text) == [
        "data.target: 'kind' holds strings in 1 of 4 rows (such as 'other' in row 3), and "
        "numbers in the other rows. Correct or drop those rows, or list every label in 'classes'."
    ]
    x, y = every(flowers(text, classes=["other", "2.5", "3.5", "5"]))
    assert dict(zip(x[:, 0].tolist(), y[:, 0].tolist(), strict=True)) == {1: 1, 2: 2, 3: 0, 4: 3}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b"x,kind\n1,2\n", "at least 2 rows, .* got 1", id="one row"),
        pytest.param(b"x;kind\n1;2\n", "Separate the columns by commas", id="semicolons"),
        pytest.param(b"x,x,kind\n1,2,3\n", "two columns 'x'", id="a name twice"),
        pytest.param(b"x,,kind\n1,2,3\n", "Column 2 of .* has no name", id="no name"),
        pytest.param(b"x,kind\n1,2,3\n", "Expected 2 fields in line 2, saw 3", id="a long row"),
        pytest.param(b"x,kind\n\xff,2\n", "isn't UTF-8", id="other bytes"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    (fault,) = refused(read_dataset, Data(file="a.csv", target="kind"), tmp_path)
    assert re.search(message, fault)


def test_no_pickle_is_loaded(arrays, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (tmp_path / "ran").mkdir, ()

    columns = {"x": np.array([Harmful(), 1], dtype=object), "y": np.arange(2)}
    (fault,) = refused(arrays, columns)
    assert fault.startswith("data: Array 'x' holds Python objects, and reading them could run code")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "arrays.npz").write_bytes(b"\x80\x04.")
    (fault,) = refused(read_dataset, Data(file="arrays.npz", target="y"), tmp_path)
    assert "isn't an NPZ file" in fault


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["plain", "compressed"])
def test_an_array_that_is_damaged_is_reported(tmp_path, save):
    file = tmp_path / "a.npz"
    save(file, x=np.random.default_rng(1).normal(size=(500, 4)), y=np.arange(500))
    content = bytearray(file.read_bytes())
    # Within the first array, which takes 16,000 bytes or a little less.
    content[5000:5020] = bytes(20)
    file.write_bytes(content)
    (fault,) = refused(read_dataset, Data(file="a.npz", target="y"), tmp_path)
    assert fault.startswith("data: Array 'x' of 'a.npz' can't be read: ")
    assert fault.endswith(". Write the file again by numpy.savez.")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"no", r"Array 'x' must hold numbers or strings, .* got \|S2", id="a string"),
        pytest.param(
            b"\x93NUMPY\x01\x00\x02\x00no", "Array 'x' of 'a.npz' can't be read", id="a header"
        ),
    ],
)
def test_a_file_in_an_archive_that_is_no_array_is_reported(tmp_path, content, message):
    np.savez(tmp_path / "a.npz", y=np.arange(2))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("x.npy", content)
    (fault,) = refused(read_dataset, Data(file="a.npz", target="y"), tmp_path)
    assert re.search(message, fault)


def test_arrays_of_several_lengths_are_named(arrays):
    (fault,) = refused(arrays, {"x": np.ones((4, 1)), "y": np.arange(3)})
    assert "'x' has 4, 'y' has 3" in fault


def test_the_split_is_a_permutation_that_the_seed_decides():
    train, held = split(100, 0.3, seed=7)
    assert sorted([*train, *held]) == list(range(100))
    assert len(held) == 30
    # The same in every version of NumPy, or a config repeats no run: RandomState is frozen.
    order = np.random.RandomState(7).permutation(100)
    assert [*train, *held] == order.tolist()
    assert split(100, 0.3, seed=8)[1].tolist() != held.tolist()


def test_a_rare_class_is_in_both_parts():
    labels = np.array([0] * 998 + [1] * 2)[:, None]
    for seed in range(5):
        train, held = split(1000, 0.2, seed, labels)
        assert (labels[train].sum(), labels[held].sum()) == (1, 1)
        assert len(held) == 201
    one_hot = np.eye(2)[labels[:, 0]]
    assert split(1000, 0.2, 1, one_hot)[1].tolist() == split(1000, 0.2, 1, labels)[1].tolist()


def test_rows_of_several_labels_are_split_as_they_come():
    several = np.ones((10, 3))
    assert split(10, 0.2, 1, several)[1].tolist() == split(10, 0.2, 1)[1].tolist()


VISITS = "patient,day,x,y\n" + "".join(
    f"{i % 4:02d},2025-01-{28 - i:02d},{i},{i % 2}\n" for i in range(12)
)


def test_a_group_is_in_one_part_and_no_feature(flowers):
    found = flowers(VISITS.replace("03,", "3,"), target="y", group="patient", features="x")
    patients = [set(part.x[:, 0] % 4) for part in (found.train, found.validation)]
    assert not patients[0] & patients[1]
    assert len(found.train) + len(found.validation) == 12
    days_and_x = flowers(VISITS.replace("2025-01-", ""), target="y", group="patient").train.x
    assert days_and_x.shape[1] == 2


def test_the_latest_rows_are_held_out(flowers):
    found = flowers(VISITS, target="y", time="day", group=None, features="x", split=0.25)
    assert sorted(found.validation.x[:, 0]) == [0, 1, 2]


def test_groups_that_are_written_in_two_ways_stay_two(flowers):
    table = "patient,x,y\n" + "".join(f"{name},{i},1\n" for i, name in enumerate(["1", "01"] * 3))
    found = flowers(table, target="y", group="patient", split=0.5)
    assert (len(found.train), len(found.validation)) == (3, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"group": "patiant"}, "no column 'patiant'. Did you mean 'patient'?"),
        ({"time": "when"}, "and so have no order"),
        ({"group": "patient", "time": "day"}, "Name one of 'group' and 'time'."),
        ({"group": "same"}, "'same' has one value in all rows"),
        ({"time": "gap"}, "'gap' needs a value in each row, and has 1 missing"),
    ],
)
def test_groups_and_times_that_cannot_be_used_are_faults(flowers, given, message):
    lines = VISITS.splitlines()
    table = [f"{lines[0]},when,same,gap"]
    table += [f"{line},{i + 1}/3/25,a,{i or ''}" for i, line in enumerate(lines[1:])]
    faults = refused(flowers, "\n".join(table), target="y", **{"features": "x", **given})
    assert any(message in fault for fault in faults)


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_both_parts_have_a_sample(share):
    train, held = split(2, share, seed=0)
    assert (len(train), len(held)) == (1, 1)


DIGITS = "x,kind\n0,{}\n1,{}\n2,{}\n3,{}\n"


@pytest.mark.parametrize(
    ("labels", "classes", "indexes"),
    [
        pytest.param(["0", "00", "00", "0"], ["0", "00"], [0, 1, 1, 0], id="zeros"),
        pytest.param(["01", "1", "1", "2"], ["1", "01", "2"], [1, 0, 0, 2], id="a leading zero"),
        pytest.param(["1e2", "100", "7", "7"], ["7", "100", "1e2"], [2, 1, 0, 0], id="notations"),
        pytest.param(
            ["1.10", "1.1", "1.1", "1.2"], ["1.1", "1.10", "1.2"], [1, 0, 0, 2], id="dots"
        ),
        pytest.param(["01", "1", "1.0", "2"], [1, 2], [0, 0, 0, 1], id="a number is the number"),
        pytest.param(["01", "1", "1.0", "2"], ["01", 1, 2], [0, 1, 1, 2], id="both"),
        pytest.param(["1", "na", "none", "1"], ["na", "none", 1], [2, 0, 1, 2], id="no gaps"),
        pytest.param(
            ["9007199254740993", "9007199254740992", "1", "1"],
            [9007199254740993, 9007199254740992, 1],
            [0, 1, 2, 2],
            id="more digits than a float has",
        ),
    ],
)
def test_listed_strings_are_compared_as_the_file_has_them(flowers, labels, classes, indexes):
    x, y = every(flowers(DIGITS.format(*labels), classes=classes))
    assert y[np.argsort(x[:, 0]), 0].tolist() == indexes


def test_a_listed_string_that_the_file_writes_in_another_way_is_explained(flowers):
    assert refused(flowers, DIGITS.format("1.0", "2.0", "1.0", "2.0"), classes=["1", 2]) == [
        "data.classes: The target is '1.0' in 2 rows, but 'classes' doesn't list it. The class "
        "'1' is the same number. List '1.0', as the file has it, or list numbers without quotes.",
    ]


@pytest.mark.parametrize(
    ("labels", "twins"),
    [
        (["0", "00", "1", "1"], "'0' and '00'"),
        (["01", "1", "1", "2"], "'01' and '1'"),
        (["1e2", "100", "7", "7"], "'100' and '1e2'"),
        (["1" + 30 * "0", "1e30", "2", "2"], f"'1{30 * '0'}' and '1e30'"),
    ],
)
@pytest.mark.parametrize("classes", [None, ["no", "yes"]])
def test_labels_that_are_one_number_are_never_merged_silently(flowers, labels, twins, classes):
    assert (
        f"data.target: 'kind' has the labels {twins}, which are the same number. List all labels "
        "in 'classes': as strings, in quotes, they are different classes, and as numbers the same."
    ) in refused(flowers, DIGITS.format(*labels), is_class=True, classes=classes)


def test_numbers_that_mean_no_class_may_be_written_in_several_ways(flowers):
    _, y = every(flowers(DIGITS.format("1e2", "100", "01", "1.0"), numbers_for="huber"))
    assert sorted(y[:, 0].tolist()) == [1, 1, 100, 100]
    # Programs write 1.0 for 1 in a column that has a gap elsewhere.
    _, y = every(flowers(DIGITS.format("1", "1.0", "0", "0."), is_class=True))
    assert sorted(y[:, 0].tolist()) == [0, 0, 1, 1]
