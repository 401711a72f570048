"""The role and the directive `formula` of the site's pages: a docstring's formula as MathML."""

from docutils import nodes
from docutils.parsers.rst import Directive
from formulas import mathml


def role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Return a formula within a line; what can't be read is code."""
    del name, rawtext, lineno, inliner, options, content
    written = mathml(text)
    node = nodes.raw("", written, format="html") if written else nodes.literal(text, text)
    return [node], []


class Formula(Directive):
    """A formula on a line of its own."""

    has_content = True

    def run(self):
        text = " ".join(self.content)
        written = mathml(text, display=True)
        if written is None:
            return [nodes.literal_block(text, text)]
        return [nodes.raw("", f'<div class="formula">{written}</div>', format="html")]


def setup(app):
    app.add_role("formula", role)
    app.add_directive("formula", Formula)
    return {"parallel_read_safe": True}
