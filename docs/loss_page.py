"""The page of one loss, from its spec, its docstring and what other pages say of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import handwritten
from formulas import is_formula
from written import escaped, linked, table, typeset

from lossreg.cli.page import config_use, default, python_use
from lossreg.loss import LABELS, OPTIONS, OUTPUTS, documented_arguments, parse_docstring

_MOST_RELATIVES = 12

KEY_WORDS = {
    r"focal|imbalance|ghm": "imbalanced data, imbalanced classes, rare classes, hard samples",
    r"counts|long": "long tail",
    r"lossreg-noise|generalized_cross": "label noise, noisy labels, wrong labels, mislabelled data",
    r"crossentropy": "cross-entropy, log loss",
    r"segmentation": "pixels, masks, images",
    r"metric_learning|self_supervised": "embeddings, similarity, retrieval, contrastive learning",
    r"ordinal": "grades, ratings, ordered classes",
    r"detection": "bounding boxes, object detection",
    r"ranking": "search, recommendations",
    r"pinball|quantile|expectile": "quantile regression, prediction intervals",
    r"huber|robust|welsch|cauchy|charbonnier|smooth_l1|log_cosh|absolute_error|geman|student": (
        "outliers, robust regression"
    ),
    r"poisson|negative_binomial|tweedie|gamma_deviance": "count data, insurance claims",
    r"nll|crps|mixture|evidential": "uncertainty, probabilistic regression",
    r"hinge": "margin, support vector machine",
    r"distillation|kl_divergence": "knowledge distillation, soft labels",
}
"""Words that a reader searches, by a pattern of a loss's name, package, task and parameters."""


def page(
    entry: Any, entries: Sequence[Any], curves: str = "", sample: Mapping[str, str] | None = None
) -> str:
    """Return the page of one loss.

    Args:
        entry: The loss.
        entries: All losses, among which are its relatives.
        curves: A picture as SVG, or an empty string.
        sample: A program with the key `program`, and what it `prints`.
    """
    spec, doc = entry.spec, parse_docstring(entry.doc)
    facts = {
        "Other names": ", ".join(f"`{name}`" for name in other_names(spec)),
        "Key words": ", ".join(key_words(entry)),
        "Offered by": str(entry.provider),
        "Qualified name": f"`{entry.qualified_name}`",
        "Task": ", ".join(spec.task),
        "Labels": " or ".join(spec.forms),
        "Predictions": spec.y_pred,
        "One value per": spec.per,
        "Takes": f"the output of the layer `{spec.head}`" if spec.head else "",
        "Must hold": ", ".join(f"`{rule}`" for rule in spec.rules),
        "Weights": "not supported: samples depend on each other" if spec.couples else "",
        "Function": f"`{spec.target}`",
    }
    lines = [f"# {spec.name}", "", escaped(spec.summary), ""]
    lines += ["```python", python_use(entry), "```", ""]
    lines += ["```yaml", config_use(entry), "```", ""]
    lines += table(["", ""], [[name, value] for name, value in facts.items() if value])
    lines += ["", *_formula(doc.text)]
    if curves:
        lines += ["## Curve", "", "```{raw} html", curves.strip(), "```", ""]
    lines += _advice(entry)
    lines += ["## Parameters", ""]
    if entry.signature.parameters:
        lines += table(
            ["Name", "Default", "Allowed", "Meaning"],
            [
                [f"`{p.name}`", f"`{default(p)}`", p.allowed, p.doc]
                for p in entry.signature.parameters
            ],
        )
    else:
        lines += ["None."]
    options = ", ".join(f"`{option}`" for option in OPTIONS)
    lines += ["", f"Every loss also takes Keras' options {options}.", ""]
    if doc.text:
        lines += ["## Documentation", "", typeset(doc.text), ""]
    lines += _arrays(entry, sample or {})
    for heading, text in doc.sections.items():
        if heading != "Args":
            lines += [f"## {heading}", "", linked(text), ""]
    rows = [list(row) for row in handwritten.elsewhere(spec.name)]
    if rows:
        moved = [[handwritten.moved(cell) for cell in row] for row in rows]
        header = ["There", "Here", "What differs"]
        lines += ["## In other libraries", "", *_plain_table(header, moved), ""]
    lines += _relatives(entry, entries)
    if spec.exceptions:
        rows = [[f"`{check}`", reason] for check, reason in spec.exceptions.items()]
        lines += ["## Exceptions", "", *table(["Check", "Why it can't pass"], rows), ""]
    return "\n".join(lines)


def other_names(spec: Any) -> list[str]:
    """Return the aliases of a loss, and the spellings that Keras' users know."""
    classes = ["".join(part.capitalize() for part in name.split("_")) for name in spec.names]
    return list(dict.fromkeys([*spec.aliases, *(name for name in classes if len(name) > 3)]))


def key_words(entry: Any) -> list[str]:
    """Return the words that lead a search to a loss."""
    spec = entry.spec
    parameters = " ".join(parameter.name for parameter in entry.signature.parameters)
    facts = " ".join([spec.name, entry.provider.distribution, *spec.task, parameters])
    found = [words for pattern, words in KEY_WORDS.items() if re.search(pattern, facts)]
    return list(dict.fromkeys(word for words in found for word in words.split(", ")))


def _formula(text: str) -> list[str]:
    """Return the formula that a docstring begins with, and what defines its letters."""
    first = text.partition("\n\n")[0]
    codes = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", first)]
    if not first.startswith("`") or not codes:
        return []
    leading, *others = codes
    if not is_formula(leading):
        return ["## Formula", "", "```text", leading, "```", ""]
    shown = [leading, *(code for code in others if " = " in code and is_formula(code))]
    blocks = [line for code in shown for line in ("```{formula}", code, "```", "")]
    return ["## Formula", "", *blocks]


def _advice(entry: Any) -> list[str]:
    """Return when to take a loss and when not."""
    spec = entry.spec
    lines = ["## When to use it", "", escaped(spec.summary), ""]
    lines += [f"- {handwritten.moved(why)}" for why in handwritten.reasons(spec.name)]
    against = [handwritten.moved(point) for point in handwritten.warnings(spec.name)]
    if spec.couples:
        against.append("It takes no sample weights, class weights or masks.")
    if spec.bounded:
        against.append(
            "It has a highest value, so a very wrong prediction may have next to no gradient."
        )
    if against:
        lines += ["", "When not:", "", *(f"- {point}" for point in against)]
    page = handwritten.guide(spec.name) or ("choose.md" if len(lines) > 4 else None)
    if page:
        lines += ["", f"When to take one of its neighbours: [{_title(page)}](../../{page})."]
    return [*lines, ""]


def _title(page: str) -> str:
    return handwritten.pages()[page].partition("\n")[0].removeprefix("# ")


def _arrays(entry: Any, sample: Mapping[str, str]) -> list[str]:
    """Return what labels and predictions are, with a sample."""
    spec, arguments = entry.spec, documented_arguments(entry.doc)
    kinds = {
        "y_true": "; or ".join(LABELS[form].values for form in spec.forms),
        "y_pred": OUTPUTS[spec.y_pred].values,
    }
    rows = [[f"`{name}`", arguments.get(name, kind)] for name, kind in kinds.items()]
    lines = ["## Arrays", "", *table(["", ""], rows), ""]
    if sample:
        lines += ["```python", sample["program"], "```", ""]
        lines += ["```text", sample["prints"], "```", ""]
    return lines


def _relatives(entry: Any, entries: Sequence[Any]) -> list[str]:
    """Return the losses for the same task and labels, those of the same package first."""
    spec = entry.spec
    alike = [
        other
        for other in entries
        if other is not entry
        and set(other.spec.task) & set(spec.task)
        and other.spec.forms[0] == spec.forms[0]
        and other.spec.y_pred == spec.y_pred
    ]
    alike.sort(key=lambda other: other.provider.distribution != entry.provider.distribution)
    if not alike:
        return []
    rows = [
        [f"[`{other.spec.name}`](../{other.qualified_name}.md)", other.spec.summary]
        for other in alike[:_MOST_RELATIVES]
    ]
    more = (
        f"`lossreg list --task {spec.task[0]} --labels {spec.forms[0]}` lists all "
        f"{len(alike) + 1} of them."
    )
    lines = ["## Relatives", "", "Losses for the same task, labels and predictions:", ""]
    lines += [*table(["Loss", "When to use it"], rows), ""]
    return [*lines, more, ""] if len(alike) > _MOST_RELATIVES else lines


def _plain_table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return a table whose cells are Markdown already."""
    return [f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows]]
