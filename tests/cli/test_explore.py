import subprocess
import sys

import pytest
from click.testing import CliRunner

from lossreg.cli import main
from lossreg.explorer.page import ExplorerPage, fill_page
from lossreg.explorer.script import script_data


def run(*arguments):
    return CliRunner().invoke(main, ["explore", *arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["nonsense"], "nonsense", id="no such package"),
        pytest.param(["-o", "missing/page.html"], "no folder 'missing'", id="no folder"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_traced(arguments, message):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.fresh
def test_without_jax_the_message_says_what_to_install(tmp_path):
    program = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'jax' else find(name, *a)\n"
        "from lossreg.cli import main\n"
        "main(['explore'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'lossreg[explore]'" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("drawn", "left_out", "told"),
    [
        (3, 2, "It draws 3 losses, and leaves out 2: it lists the reasons."),
        (1, 0, "It draws 1 loss, and leaves out none."),
    ],
)
def test_what_is_drawn_and_what_is_left_out_is_counted(drawn, left_out, told):
    assert str(ExplorerPage(html="", drawn=["a"] * drawn, left_out=["b"] * left_out)) == told


def test_no_text_of_a_package_ends_the_script_of_the_page():
    hostile = "</script><script>alert(1)</script><!-- {{explorer}}"
    page = fill_page([f"{{id:{script_data(hostile)},cases:[]}}"], [(hostile, hostile)])
    assert page.count("</script>") == 1
    assert "alert(1)</script>" not in page
    assert "<!--" not in page
    assert page.rstrip().endswith("</html>")


def test_the_page_asks_for_nothing_from_the_network():
    page = fill_page([], [])
    # The namespace of SVG is a name, not an address that is read.
    page = page.replace("http://www.w3.org/2000/svg", "")
    assert "http" not in page
    assert "src=" not in page
    assert "@import" not in page
    assert "url(" not in page.replace("url(#", "")
