"""Formulas of docstrings as MathML: `mean((y_true - y_pred)**2)` as a page of a book has it.

A formula is read by Python's parser and never evaluated. What can't be read stays code.
"""

import ast
import re
from html import escape

_LETTERS = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu
nu xi omicron pi rho final_sigma sigma tau upsilon phi chi psi omega
"""

GREEK = {name: chr(code) for code, name in enumerate(_LETTERS.split(), start=0x3B1)}
GREEK |= {name.capitalize(): letter.upper() for name, letter in GREEK.items()}

# How tightly an expression binds, from a comparison to a single name.
COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)

OPERATORS = {
    ast.Add: ("+", SUM),
    ast.Sub: ("−", SUM),
    ast.Mult: ("·", PRODUCT),
}
COMPARISONS = {
    ast.Eq: "=",
    ast.NotEq: "≠",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.In: "∈",
}
# Applied to one thing without parentheses, as books write them.
PREFIXES = {"sum": "∑", "log": "log", "sin": "sin", "cos": "cos", "cosh": "cosh", "atan": "arctan"}
PREFIXES["asin"] = "arcsin"

_SUBSCRIPT = re.compile(r"\b\w+\[[^\]]+\]")
_NO_FORMULA = re.compile(r"[\"\[\]{}]|\b(?:True|False|None|keras|lossreg)\b|\w=\S")
_OPERATION = re.compile(r" [-+*/<>=]|<=|\*\*|\w\(|^-\w|!")
_BARS = re.compile(r"\|([^|]+)\|")
_FACTORIAL = re.compile(r"\b(\w+)!(?!=)")
_BELOW = re.compile(r"\b(\w+)_\{([^}]*)\}")
_PRIME = re.compile(r"\b([A-Za-z])'")
# Marks in a name for what Python's grammar has no name for.
_OPEN, _PRIMED = "below0", "prime0"


def is_formula(code: str) -> bool:
    """Return whether a piece of code is a formula, and not a name, a call or a setting."""
    # A subscript, and an index below a sum, are parts of a formula.
    rest = _BELOW.sub("sum", _SUBSCRIPT.sub("p", code))
    if _NO_FORMULA.search(rest) or not _OPERATION.search(code):
        return False
    return mathml(code) is not None


def mathml(code: str, *, display: bool = False) -> str | None:
    """Return a formula as MathML, or None where it can't be read.

    >>> print(mathml("e**2 / 2"))
    <math><mfrac><mrow><msup><mi>e</mi><mn>2</mn></msup></mrow><mn>2</mn></mfrac></math>
    """
    below: list[str] = []

    def keep(found: re.Match[str]) -> str:
        below.append(found[2])
        return f"{found[1]}_{_OPEN}{len(below) - 1}"

    text = _BELOW.sub(keep, " ".join(code.split()))
    text = _PRIME.sub(rf"\1_{_PRIMED}", text)
    text = _FACTORIAL.sub(r"factorial(\1)", text)
    text = _BARS.sub(r"abs(\1)", text).replace(";", ",")
    # One `=` is a definition or an equation, and both are an assignment to the parser.
    sides = re.split(r"(?<![<>=!]) = ", text)
    try:
        parts = [ast.parse(side, mode="eval").body for side in sides]
        written = [_Writer(below).write(part) for part in parts]
    except (SyntaxError, _NoFormulaError):
        return None
    kind = ' display="block"' if display else ""
    return f"<math{kind}>{'<mo>=</mo>'.join(written)}</math>"


class _NoFormulaError(Exception):
    """Something that formulas don't have."""


class _Writer:
    """Writes the tree of an expression."""

    def __init__(self, below: list[str]) -> None:
        self.below = below

    def write(self, node: ast.expr, least: int = COMPARE) -> str:
        """Return a node, in parentheses where it binds less tightly than its place wants."""
        found, binding = self._written(node)
        return _in_parentheses(found) if binding < least else found

    def _written(self, node: ast.expr) -> tuple[str, int]:
        match node:
            case ast.Constant(value=float() | int() as value) if not isinstance(value, bool):
                return _number(value), ATOM
            case ast.Constant(value=value) if value is Ellipsis:
                return "<mo>…</mo>", ATOM
            case ast.Name(id=name):
                return self._name(name), ATOM
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"<mo>−</mo>{self.write(operand, PRODUCT)}", SIGN - 2
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                return f"<mfrac>{_row(self.write(left))}{_row(self.write(right))}</mfrac>", POWER
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return (
                    f"<msup>{_row(self.write(left, ATOM))}{_row(self.write(right))}</msup>",
                    POWER,
                )
            case ast.BinOp(op=operator, left=left, right=right) if type(operator) in OPERATORS:
                sign, binding = OPERATORS[type(operator)]
                # What follows a minus, and a sign after any operator, is in parentheses.
                later = binding + (not isinstance(operator, ast.Add))
                second = self.write(right, max(later, PRODUCT) if _has_sign(right) else later)
                if isinstance(left, ast.UnaryOp):
                    first, least = self.write(left), SUM
                else:
                    # The factors after a sum or a logarithm aren't parts of it.
                    is_open = binding == PRODUCT and _is_prefix(left)
                    first, least = self.write(left, POWER if is_open else binding), binding
                return f"{first}<mo>{sign}</mo>{second}", least
            case ast.Compare(left=left, ops=operators, comparators=others):
                text = self.write(left, SUM)
                for operator, other in zip(operators, others, strict=True):
                    if type(operator) not in COMPARISONS:
                        raise _NoFormulaError
                    sign = escape(COMPARISONS[type(operator)])
                    text += f"<mo>{sign}</mo>{self.write(other, SUM)}"
                return text, COMPARE
            case ast.Subscript(value=ast.Constant(value=1), slice=condition):
                return f"<msub><mn>1</mn>{_row(self.write(condition))}</msub>", ATOM
            case ast.Subscript(value=value, slice=index):
                return (
                    f"<msub>{_row(self.write(value, ATOM))}{_row(self.write(index))}</msub>",
                    ATOM,
                )
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                return self._cases(body, test, otherwise), ATOM
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if arguments:
                return self._call(name, arguments)
        raise _NoFormulaError

    def _call(self, name: str, arguments: list[ast.expr]) -> tuple[str, int]:
        written = [self.write(argument) for argument in arguments]
        first, alone = arguments[0], len(arguments) == 1
        stem, _, index = name.partition("_")
        if alone and name == "sqrt":
            return f"<msqrt>{written[0]}</msqrt>", ATOM
        if alone and name == "abs":
            return (
                f'<mrow><mo stretchy="false">|</mo>{written[0]}<mo stretchy="false">|</mo></mrow>',
                ATOM,
            )
        if alone and name == "exp":
            return f"<msup><mi>e</mi>{_row(written[0])}</msup>", POWER
        if alone and name == "factorial":
            return f"{self.write(first, ATOM)}<mo>!</mo>", ATOM
        if alone and stem in PREFIXES:
            sign = f"<mo>{PREFIXES[stem]}</mo>" if stem == "sum" else f"<mi>{PREFIXES[stem]}</mi>"
            if index:
                sign = (
                    f"<munder>{sign}{self._index(index)}</munder>"
                    if stem == "sum"
                    else (f"<msub>{sign}{self._index(index)}</msub>")
                )
            return f"{sign}{self.write(first, POWER if stem == 'sum' else ATOM)}", SIGN
        function = self._name("Gamma" if name == "gamma" else name)
        return f"{function}{_in_parentheses('<mo>,</mo>'.join(written))}", ATOM

    def _cases(self, body: ast.expr, test: ast.expr, otherwise: ast.expr) -> str:
        rows = [
            (self.write(body), f"<mtext>if </mtext>{self.write(test)}"),
            (self.write(otherwise), "<mtext>otherwise</mtext>"),
        ]
        cells = "".join(f"<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>" for value, when in rows)
        return f"<mrow><mo>{{</mo><mtable>{cells}</mtable></mrow>"

    def _name(self, name: str) -> str:
        stem, _, index = name.partition("_")
        letter = GREEK.get(stem, stem)
        if not index:
            return _identifier(letter)
        if index == _PRIMED:
            return f"<msup>{_identifier(letter)}<mo>′</mo></msup>"
        # `y_true` and `mean_c` have an index, and `label_smoothing` is one word.
        if len(letter) > 2 and len(index) > 1 and not index.startswith(_OPEN):
            return f"<mtext>{escape(name)}</mtext>"
        return f"<msub>{_identifier(letter)}{self._index(index)}</msub>"

    def _index(self, index: str) -> str:
        if index.startswith(_OPEN):
            text = self.below[int(index.removeprefix(_OPEN))]
            return f"<mtext>{escape(text.replace('!=', '≠'))}</mtext>"
        if re.fullmatch(r"[a-z]{1,2}|\d", index):
            return f"<mi>{escape(index)}</mi>"
        return f"<mtext>{escape(GREEK.get(index, index))}</mtext>"


def _is_prefix(node: ast.expr) -> bool:
    """Return whether a node is a sum or a function that is written without parentheses."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[_]):
            return name.partition("_")[0] in PREFIXES
    return False


def _has_sign(node: ast.expr) -> bool:
    """Return whether a node begins with a minus."""
    while isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Div | ast.Pow):
        node = node.left
    return isinstance(node, ast.UnaryOp)


def _identifier(name: str) -> str:
    return f"<mi>{escape(name)}</mi>"


def _number(value: float) -> str:
    digits, _, exponent = f"{value!r}".partition("e")
    if exponent:
        power = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>".replace("-", "−")
        return power if digits == "1" else f"<mn>{digits}</mn><mo>·</mo>{power}"
    return f"<mn>{digits}</mn>"


def _row(text: str) -> str:
    """Return a text as one element, where an element is wanted."""
    whole = re.fullmatch(r"<(\w+)[^>]*>[^<]*</\1>", text)
    return text if whole else f"<mrow>{text}</mrow>"


def _in_parentheses(text: str) -> str:
    return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"
