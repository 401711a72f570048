"""What a reader does with the loss explorer: by pointer, by keyboard, on a phone, from a link."""

import re

import pytest
from chromium import BUILD, drawn, script

from lossreg.explorer import explorer_page
from lossreg.explorer.page import fill_page
from lossreg.explorer.script import script_data

MINUS = "\N{MINUS SIGN}"
FOCAL = "#loss=lossreg-focal/focal"
TWO = f"{FOCAL}&loss=keras/binary_crossentropy"
FOUR = f"{TWO}&loss=keras/hinge&loss=lossreg-noise/generalized_crossentropy"


def test_one_collection_is_under_200_kb_and_the_page_of_all_under_500(page_file):
    text = explorer_page(["lossreg-focal"]).html
    print(f"The explorer of lossreg-focal: {len(text.encode()) / 1000:.0f} KB")
    assert len(text.encode()) < 200_000
    assert page_file.stat().st_size < 500_000


def test_every_control_of_every_loss_moves_a_curve(open_page):
    page = open_page()
    assert page.evaluate("LOSSES.length") > 60
    assert page.evaluate(script("move_every_control.js")) == []


def test_every_number_of_classes_has_a_program(open_page):
    missing = """
        LOSSES.filter(loss => loss.hasClasses).flatMap(loss => CLASSES.filter(n => {
          const run = program({ loss, values: defaults(loss) }, Math.max(n, loss.fewest));
          return !run || !Number.isFinite(run(0.5, 1)[0]);
        }).map(n => [loss.id, n]))
    """
    # What Python loops over classes for has another form for each number of classes.
    looping = "lossreg-segmentation/lovasz_softmax"
    assert open_page().evaluate(missing) == [[looping, 5], [looping, 100]]


def test_the_address_holds_the_state(open_page):
    page = open_page(TWO)
    page.locator("#slot-0-gamma").fill("30")
    page.locator("#label-0").click()
    page.locator("#over").select_option("probability")
    page.locator("#scale").select_option("log")
    page.locator("#outlier").click()
    drawn(page)
    again = open_page("#" + page.url.partition("#")[2])
    assert again.locator("#numbers").inner_text() == page.locator("#numbers").inner_text()
    assert again.locator("#models").inner_text() == page.locator("#models").inner_text()
    assert "gamma=1.5" in again.locator("#slots").inner_text()
    assert again.locator("#scale").input_value() == "log"


@pytest.mark.parametrize(
    "state",
    [
        "#loss=nonsense&x=NaN&n=1e9&over=x&points=1,2",
        f"{FOCAL};gamma=-5;alpha=%22x%22;nonsense=1&zoom=99&y=7",
        "#%%%",
        f"{FOCAL}&loss=keras/huber",
    ],
)
def test_a_wrong_address_opens_a_page_that_works(open_page, state):
    page = open_page(state)
    assert "L" in page.locator("#value .curve").first.get_attribute("d")


def test_lines_to_copy_are_those_of_the_sliders(open_page):
    page = open_page(FOCAL)
    page.locator("#slot-0-gamma").fill("30")
    page.get_by_label("alpha is None").check()
    drawn(page)
    yaml, python = page.locator(".code code").all_inner_texts()
    assert yaml == 'loss: "focal(gamma=1.5, alpha=None, from_logits=True)"'
    assert python == 'loss = lossreg.get_loss("focal", gamma=1.5, alpha=None, from_logits=True)'


def test_up_to_four_losses_are_overlaid_each_with_its_own_dashes(open_page):
    page = open_page(FOUR)
    assert page.locator("#value .curve").count() == 4
    dashes = [
        curve.get_attribute("stroke-dasharray") for curve in page.locator("#value .curve").all()
    ]
    assert len(set(dashes)) == 4
    assert not page.locator("#add").is_visible()
    page.get_by_role("button", name="Remove loss 4").click()
    drawn(page)
    assert page.locator("#value .curve").count() == 3
    assert page.locator("#add").is_visible()


def test_a_point_is_dragged_on_a_curve(open_page):
    page = open_page(TWO)
    box = page.locator("#gradient").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 62, box["y"] + 50)
    page.mouse.up()
    drawn(page)
    logit = re.search(r"logit (\S+),", page.locator("#where").inner_text())[1]
    assert float(logit.replace(MINUS, "-")) == pytest.approx(-8, abs=0.2)


def test_where_keras_has_no_gradient_is_a_thing_to_see(open_page):
    page = open_page("#loss=keras/binary_crossentropy&keras=float32&zoom=2.5&x=-20")
    rows = page.locator("#numbers tbody tr").all_inner_texts()
    # An exactly wrong probability: clipped, so Keras' gradient is 0 where the exact one is -1.
    assert rows[0].split("\t")[1:3] == ["20", f"{MINUS}1"]
    assert rows[1].split("\t")[1:3] == ["16.12", "0"]
    page.locator("#keras").select_option("float16")
    drawn(page)
    assert page.locator("#gradient .broken").count() > 5


def test_the_page_works_by_keyboard_alone(open_page):
    page = open_page(FOCAL)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the curves"
    page.keyboard.press("Enter")
    drawn(page)
    assert page.locator("#slot-0-gamma").count() == 1
    page.locator("#slot-0-gamma").focus()
    page.keyboard.press("ArrowRight")
    drawn(page)
    # The slider keeps the focus, says its value, and moves the line to copy.
    assert page.evaluate("document.activeElement.id") == "slot-0-gamma"
    assert page.locator("#slot-0-gamma").get_attribute("aria-valuetext") == "2.05"
    assert "gamma=2.05" in page.locator(".code code").first.inner_text()
    page.locator("#point").focus()
    before = page.locator("#numbers").inner_text()
    page.keyboard.press("PageUp")
    drawn(page)
    assert page.locator("#numbers").inner_text() != before
    sample = page.locator(".sample").nth(2)
    sample.focus()
    where = sample.get_attribute("aria-label")
    page.keyboard.press("ArrowLeft")
    drawn(page)
    page.keyboard.press("Enter")
    drawn(page)
    moved = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "square, label 0" in moved
    assert "circle, label 1" in where
    assert moved.split(" at ")[1] != where.split(" at ")[1]


def test_everything_that_one_can_use_has_a_name(open_page):
    page = open_page(FOUR)
    assert page.evaluate(script("nameless.js")) == []
    assert page.locator("html").get_attribute("lang") == "en"
    assert "focal between" in page.locator("#value").get_attribute("aria-label")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible(open_page, scheme):
    page = open_page(FOUR + "&keras=float16", color_scheme=scheme)
    page.screenshot(path=BUILD / f"{scheme}.png", full_page=True)
    assert page.evaluate(script("faint_texts.js")) == []


@pytest.mark.parametrize("state", [FOUR, "#loss=lossreg-regression/student_t_nll"])
def test_a_phone_needs_no_scrolling_sideways(open_page, state):
    page = open_page(state, width=360, height=740)
    page.screenshot(path=BUILD / "phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # The value stays in sight while a slider far below moves.
    page.locator("#scale").scroll_into_view_if_needed()
    assert page.locator("#value").bounding_box()["y"] >= 0


def test_an_outlier_moves_the_boundary_of_one_loss_more_than_of_another(open_page):
    page = open_page("#loss=keras/binary_crossentropy&loss=lossreg-noise/generalized_crossentropy")
    before = boundaries(page)
    page.locator("#outlier").click()
    drawn(page)
    cross_entropy, robust = (
        sum(abs(a - b) for a, b in zip(one, two, strict=True))
        for one, two in zip(before, boundaries(page), strict=True)
    )
    assert cross_entropy > 3 * robust
    page.locator("#reset").click()
    drawn(page)
    assert boundaries(page) == before


def boundaries(page):
    """Return the direction and the place of each boundary."""
    found = []
    for path in page.locator("#field .curve").all():
        x1, y1, x2, y2 = map(float, re.findall(r"-?[\d.]+", path.get_attribute("d")))
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        found.append(((x2 - x1) / length, (y2 - y1) / length, (x1 * y2 - x2 * y1) / length / 300))
    return found


def test_a_point_of_the_playground_is_dragged(open_page):
    page = open_page(FOCAL)
    page.locator("#models").scroll_into_view_if_needed()
    x, y = center(page.locator(".sample").first)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 150, y + 60, steps=4)
    page.mouse.up()
    drawn(page)
    assert center(page.locator(".sample").first) == pytest.approx((x - 150, y + 60), abs=3)
    assert "points=" in page.url


def center(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_what_is_not_drawn_is_listed_with_its_reason(open_page):
    page = open_page()
    page.locator("#rest-summary").click()
    rows = dict(row.split("\t") for row in page.locator("#rest tbody tr").all_inner_texts())
    assert rows["keras/ctc"] == "its labels are a series"
    assert rows["keras/circle"] == "a value depends on the other samples"
    assert all(rows.values())


def test_texts_of_a_package_are_shown_and_never_run(open_page, tmp_path):
    hostile = "</script><img src=x onerror=alert(1)><b>`${alert(2)}`"
    loss = {
        "id": hostile, "name": hostile, "call": hostile, "package": hostile, "summary": hostile,
        "hasCurvature": True, "group": "error", "label": "amount", "hasClasses": False,
        "fewest": 2, "others": 0, "fixed": [hostile],
        "controls": [
            {"name": hostile, "kind": "slider", "values": [], "low": 0, "high": 1, "default": 0.5},
            {"name": "word", "kind": "choice", "values": [hostile], "default": hostile},
        ],
        "keras": [],
    }  # fmt: skip
    script = script_data(loss)[:-1] + ",cases:[{choice:[null,0],run:(x,y,p,n)=>[x*x,2*x,2]}]}"
    file = tmp_path / "hostile.html"
    file.write_text(fill_page([script], [(hostile, hostile)]), encoding="utf-8")
    page = open_page(file=file)
    page.locator("#rest-summary").click()
    assert page.locator("img, b").count() == 0
    assert hostile.replace("`", "") in page.locator(".summary").first.inner_text()
