"""Names of losses: their spelling, qualified names, and the names nearest to another.

A canonical name is lower snake case without "loss": `binary_crossentropy`. A lookup ignores
case, dashes, underscores and a final "loss", so that `BinaryCrossentropy` and
`binary-crossentropy-loss` find it too. A qualified name begins with the distribution that
offers the loss: `keras/huber`. Nothing here knows which losses there are.
"""

import functools
import heapq
import keyword
import operator
import re
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import LossNameError

MAX_LENGTH = 200

_LOSS = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-]+[A-Za-z0-9]+)*")
_CANONICAL = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
# The names that PyPI accepts for a distribution.
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
# A loss as a program of Keras or PyTorch names it.
_OF_LIBRARY = re.compile(r"(?:\w+\.)*(?:losses|nn)\.([A-Za-z][A-Za-z0-9_]*[A-Za-z0-9])")
# Between a lower-case letter or digit and a capital, and before the last
# capital of a run that begins a word: Log|Cosh, KL|Divergence.
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class _Short(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write integers of thousands of digits.
        return hex(x) if x.bit_length() > 10_000 else super().repr_int(x, level)


# Python 3.11 takes no arguments for these.
_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 12


@dataclass(frozen=True, kw_only=True)
class LossName:
    """A parsed name: a loss, and the distribution that the name begins with, if any."""

    loss: str
    distribution: str | None = None

    def __str__(self) -> str:
        return self.loss if self.distribution is None else f"{self.distribution}/{self.loss}"


def canonical(name: str) -> str:
    """Return the snake-case spelling of a legal name, without "loss".

    >>> canonical("KLDivergence"), canonical("FocalLoss"), canonical("log-cosh")
    ('kl_divergence', 'focal', 'log_cosh')
    """
    if name.islower() and "-" not in name and "__" not in name:
        # The spelling of packages, which needs no splitting into words.
        return name.removesuffix("_loss")
    words = re.split("[_-]+", name)
    snake = "_".join(_WORD_START.sub("_", word) for word in words).lower()
    return snake.removesuffix("_loss")


def key(name: str) -> str:
    """Return the form that a lookup compares: the canonical name without underscores.

    >>> key("BinaryCrossEntropy") == key("binary_crossentropy")
    True
    """
    return canonical(name).replace("_", "")


def is_canonical(name: str) -> bool:
    """Return whether a plugin may give a loss this name."""
    return len(name) <= MAX_LENGTH and bool(_CANONICAL.fullmatch(name)) and canonical(name) == name


def normalize_distribution(name: str) -> str:
    """Return the name of a distribution as PyPI compares it.

    >>> normalize_distribution("Acme_Losses")
    'acme-losses'
    """
    return re.sub("[-_.]+", "-", name).lower()


def parse(text: str) -> LossName:
    """Return the parts of a plain or qualified name; the inverse of `str`.

    >>> parse("lossreg-focal/FocalLoss")
    LossName(loss='focal', distribution='lossreg-focal')

    Raises:
        LossNameError: The string can't be the name of a loss.
    """
    if not text.strip():
        raise LossNameError(
            "The name of a loss is empty. Give a name, such as 'huber'; 'lossreg list' shows all."
        )
    distribution, slash, loss = text.rpartition("/")
    is_legal = _LOSS.fullmatch(loss) and (not slash or _DISTRIBUTION.fullmatch(distribution))
    if not is_legal or len(text) > MAX_LENGTH:
        raise LossNameError(f"A loss can't be named {shown(text)}: {_rule(text)}")
    return LossName(
        loss=canonical(loss),
        distribution=normalize_distribution(distribution) if slash else None,
    )


def _rule(text: str) -> str:
    """Return the rule that an illegal name breaks, and a legal spelling."""
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters, and a name has at most {MAX_LENGTH}."
    words = text.split()
    joined = "_".join(words)
    sentence = len(words) > 4 or any(map(keyword.iskeyword, words))
    if joined != text and _LOSS.fullmatch(joined) and not sentence:
        return f"it has spaces. Write {canonical(joined)!r}."
    if dotted := _OF_LIBRARY.fullmatch(text):
        return f"it has dots. Write {canonical(dotted[1])!r}."
    return (
        "a name begins with a letter and has letters, digits and underscores, such as 'huber'. "
        "A distribution and a slash may stand before it, such as 'keras/huber'."
    )


def shown(value: object, limit: int = 60) -> str:
    """Return a value as a message shows it: a string in quotes, and anything long cut off.

    >>> shown("huber"), shown([1, 2]), shown("x" * 100, 3)
    ("'huber'", '[1, 2]', "'xxx'...")
    """
    if isinstance(value, str):
        return repr(value) if len(value) <= limit else f"{value[:limit]!r}..."
    # repr would fail for a value that is nested too deep, and write a million entries.
    text = _SHORT.repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."


# A comparison of two long names takes a third of a millisecond.
_MOST_COMPARED = 20


def suggest(name: str, candidates: Iterable[str], most: int = 3) -> list[str]:
    """Return the candidates that are most like a name, the nearest first.

    >>> suggest("hubert", ["huber", "hinge", "poisson"])
    ['huber']
    """
    # Only a failed lookup needs it.
    from difflib import SequenceMatcher

    wanted, parts = _folded(name[:MAX_LENGTH])
    scores: dict[str, float] = {}
    others: list[tuple[float, str]] = []
    for candidate in candidates:
        have, its_parts = _folded(candidate)
        short, long = (wanted, have) if len(wanted) < len(have) else (have, wanted)
        if len(short) >= 3 and short in long:
            # "crossentropy" is a part of three names, and not similar to any of them.
            scores[candidate] = max(2 * len(short) / len(short + long), 0.7)
        elif parts and its_parts:
            shared = len(parts & its_parts) / (len(parts) + len(its_parts))
            others.append((shared, candidate))
    for _, candidate in heapq.nlargest(_MOST_COMPARED, others):
        score = SequenceMatcher(None, wanted, key(candidate)).ratio()
        if score >= 0.6:
            scores[candidate] = score
    return sorted(scores, key=lambda candidate: (-scores[candidate], candidate))[:most]


@functools.lru_cache(maxsize=8192)
def _folded(name: str) -> tuple[str, frozenset[str]]:
    """Return the key of a name, with the letters and the pairs of letters in it."""
    folded = key(name)
    return folded, frozenset((*folded, *map(operator.add, folded, folded[1:])))


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return " Did you mean 'a', 'b' or 'c'?" for the nearest names, or "" without any."""
    return ask_for(suggest(name, candidates))


def ask_for(names: Sequence[str]) -> str:
    """Return " Did you mean 'a', 'b' or 'c'?" for names, or "" without any."""
    near = [repr(name) for name in names]
    choices = " or ".join(filter(None, [", ".join(near[:-1]), *near[-1:]]))
    return f" Did you mean {choices}?" if choices else ""
