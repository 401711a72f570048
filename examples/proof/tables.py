"""The tables: which configs each one is measured with, and what the papers claim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import models

Verdict = Literal["better", "equivalent", "worse"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a paper says of two losses, as a difference that can be measured.

    Args:
        says: The claim.
        source: The paper.
        first: The loss that the claim is about.
        second: The loss that it is compared with.
        holds_if: The verdicts on the first loss that bear the claim out.
        metric: What it is judged by, where that isn't the metric that decides. There is no
            verdict then, and intervals that don't overlap stand for one.
    """

    says: str
    source: str
    first: str
    second: str
    holds_if: Sequence[Verdict] = ("better",)
    metric: str | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """One comparison of a table.

    Args:
        config: The name of its config in this folder.
        metrics: Functions that it is judged by; by default what the config lists.
        network: Makes the network that no config can make; the data are those of the config.
        losses: The losses for such a network.
    """

    config: str
    metrics: Sequence[Callable[..., float]] = ()
    network: Callable[[], Any] | None = None
    losses: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Its name among the results."""
        return self.config if self.network is None else f"{self.config}_{self.network.__name__}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Losses on the same data and folds.

    Args:
        title: What tells it from the other tables of its topic.
        parts: Its comparisons. The first one has the baseline.
        claims: What the papers say.
    """

    title: str
    parts: Sequence[Part]
    claims: Sequence[Claim]

    @property
    def names(self) -> set[str]:
        """The names of its comparisons among the results."""
        return {part.name for part in self.parts}


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A question, with its tables.

    Args:
        title: The heading.
        setup: How it was measured.
        tables: The tables.
    """

    title: str
    setup: str
    tables: Sequence[Table]


CROSS_ENTROPY = "sparse_categorical_crossentropy"
FOCAL = "sparse_focal"
GENERALIZED = "generalized_crossentropy"

_LIN = "[Lin et al., 2017](https://arxiv.org/abs/1708.02002)"


def _imbalanced(ratio: int) -> Table:
    return Table(
        title=f"{ratio} to 1",
        parts=[
            Part(config=f"imbalanced_{ratio}"),
            Part(config=f"imbalanced_{ratio}_cosines"),
        ],
        claims=[
            Claim(
                says="Focal loss helps where classes are imbalanced.",
                source=_LIN,
                first=FOCAL,
                second=CROSS_ENTROPY,
            ),
            Claim(
                says="Weights by the effective number of samples improve on cross-entropy on "
                "long-tailed data.",
                source="[Cui et al., 2019](https://arxiv.org/abs/1901.05555)",
                first="class_balanced_crossentropy",
                second=CROSS_ENTROPY,
            ),
            Claim(
                says="LDAM alone improves on cross-entropy: an error of 26.65 % in place of "
                "29.64 % on CIFAR-10, 100 to 1.",
                source="[Cao et al., 2019](https://arxiv.org/abs/1906.07413), table 2",
                first="ldam",
                second=CROSS_ENTROPY,
            ),
            Claim(
                says="Adjusting the logits in the loss lowers the balanced error.",
                source="[Menon et al., 2020](https://arxiv.org/abs/2007.07314)",
                first="logit_adjusted",
                second=CROSS_ENTROPY,
            ),
        ],
    )


def _mislabelled(name: str, title: str) -> Table:
    return Table(
        title=title,
        parts=[Part(config=f"mislabelled_{name}")],
        claims=[
            Claim(
                says="Focal loss isn't robust to wrong labels: no better than cross-entropy.",
                source="[Ma et al., 2020](https://arxiv.org/abs/2006.13554)",
                first=FOCAL,
                second=CROSS_ENTROPY,
                holds_if=("equivalent", "worse"),
            ),
            Claim(
                says="Generalized cross-entropy improves on cross-entropy.",
                source="[Zhang and Sabuncu, 2018](https://arxiv.org/abs/1805.07836)",
                first=GENERALIZED,
                second=CROSS_ENTROPY,
            ),
            Claim(
                says="Symmetric cross-entropy improves on cross-entropy.",
                source="[Wang et al., 2019](https://arxiv.org/abs/1908.06112)",
                first="symmetric_crossentropy",
                second=CROSS_ENTROPY,
            ),
            Claim(
                says="Normalized plus reverse cross-entropy improves on cross-entropy.",
                source="[Ma et al., 2020](https://arxiv.org/abs/2006.13554)",
                first="active_passive",
                second=CROSS_ENTROPY,
            ),
            Claim(
                says="It improves on generalized cross-entropy too.",
                source="[Ma et al., 2020](https://arxiv.org/abs/2006.13554)",
                first="active_passive",
                second=GENERALIZED,
            ),
        ],
    )


def _quantiles(noise: str, title: str, claims: Sequence[Claim]) -> Table:
    metrics = (models.coverage_error, models.quantile_error)
    return Table(
        title=title,
        parts=[
            Part(config=f"quantiles_{noise}", metrics=metrics),
            Part(config=f"gaussian_{noise}", metrics=metrics),
        ],
        claims=claims,
    )


TOPICS: Sequence[Topic] = (
    Topic(
        title="A long tail of classes",
        setup="scikit-learn's digits, of which the most common one has 174 samples to learn from "
        "and the others ever fewer, down to 9 or to 3. All other digits have a weight of 0, and "
        "so the samples that decide when training ends, and those that are tested on, hold all "
        "ten equally often. A network of two hidden layers. LDAM takes cosines, and has a "
        "network of its own with the same folds and seeds.",
        tables=[_imbalanced(20), _imbalanced(50)],
    ),
    Topic(
        title="Wrong labels",
        setup="scikit-learn's digits; 40 % of the labels were replaced by one of the nine "
        "others. The accuracy is that of the true labels, which no training saw. Learning rates "
        "were chosen by wrong labels, and so was the epoch where training ends early.",
        tables=[
            _mislabelled("last", "Without early stopping: epoch 60"),
            _mislabelled("early", "With early stopping"),
        ],
    ),
    Topic(
        title="Small objects",
        setup="Drawn images of 24 by 24 pixels with one or two discs of about nine pixels, in "
        "noise. Three convolutions. A pixel is an object where its probability is above 1/2.",
        tables=[
            Table(
                title="",
                parts=[Part(config="small_objects")],
                claims=[
                    Claim(
                        says="Dice finds small objects better than cross-entropy.",
                        source="[Milletari et al., 2016](https://arxiv.org/abs/1606.04797)",
                        first="soft_dice",
                        second="binary_crossentropy",
                    ),
                    Claim(
                        says="It does so without weights, and better than cross-entropy with "
                        "them: a Dice of 0.869 in place of 0.739.",
                        source="[Milletari et al., 2016](https://arxiv.org/abs/1606.04797)",
                        first="soft_dice",
                        second="weighted_binary_crossentropy",
                    ),
                    Claim(
                        says="The sum of both is a good default.",
                        source="[Isensee et al., 2018](https://arxiv.org/abs/1809.10486)",
                        first="binary_crossentropy + soft_dice",
                        second="soft_dice",
                        holds_if=("better", "equivalent"),
                    ),
                    Claim(
                        says="Focal loss helps where most of the image is easy background.",
                        source=_LIN,
                        first="focal",
                        second="binary_crossentropy",
                    ),
                ],
            )
        ],
    ),
    Topic(
        title="Quantiles",
        setup="1,800 drawn numbers around a curve, whose noise grows elevenfold from left to "
        "right. Five quantiles, 5 % to 95 %: given by the network itself, or by the mean and the "
        "deviation of a normal distribution. `coverage_error` is how far the share of labels "
        "below a quantile is from it.",
        tables=[
            _quantiles(
                "normal",
                "Normal noise",
                [
                    Claim(
                        says="Where the noise is normal, its likelihood is the right loss: at "
                        "least as good as quantiles of one's own.",
                        source="Nix and Weigend, 1994",
                        first="gaussian_nll",
                        second="pinball",
                        holds_if=("better", "equivalent"),
                    )
                ],
            ),
            _quantiles(
                "skewed",
                "Skewed noise (exponential)",
                [
                    Claim(
                        says="Quantile regression is right whatever the noise is.",
                        source="Koenker and Bassett, 1978",
                        first="pinball",
                        second="gaussian_nll",
                    )
                ],
            ),
        ],
    ),
    Topic(
        title="Ordered classes",
        setup="1,500 drawn rows with eight features and six grades, of 4 to 35 % of the rows "
        "each. `grades_off` is how many grades a prediction is off. CORAL has its own last "
        "layer, with the same folds and seeds.",
        tables=[
            Table(
                title="",
                parts=[
                    Part(config="grades", metrics=(models.grades_off,)),
                    Part(
                        config="grades",
                        metrics=(models.grades_off,),
                        network=models.coral_network,
                        losses=("coral",),
                    ),
                ],
                claims=[
                    Claim(
                        says="CORAL has a smaller absolute error than cross-entropy.",
                        source="[Cao et al., 2020](https://arxiv.org/abs/1901.07884)",
                        first="coral",
                        second=CROSS_ENTROPY,
                    ),
                    Claim(
                        says="The squared earth mover's distance improves on cross-entropy where "
                        "classes have an order.",
                        source="[Hou et al., 2016](https://arxiv.org/abs/1611.05916)",
                        first="squared_earth_mover",
                        second=CROSS_ENTROPY,
                    ),
                ],
            )
        ],
    ),
    Topic(
        title="Rare positives in a table",
        setup="8,000 drawn rows with 20 features, of which about 1.5 % are a yes.",
        tables=[
            Table(
                title="",
                parts=[Part(config="rare_positives")],
                claims=[
                    Claim(
                        says="Weights for the rare class don't improve the ranking.",
                        source="[van den Goorbergh et al., 2022](https://arxiv.org/abs/2202.09101)",
                        first="weighted_binary_crossentropy",
                        second="binary_crossentropy",
                        holds_if=("equivalent", "worse"),
                    ),
                    Claim(
                        says="They ruin the probabilities.",
                        source="[van den Goorbergh et al., 2022](https://arxiv.org/abs/2202.09101)",
                        first="weighted_binary_crossentropy",
                        second="binary_crossentropy",
                        holds_if=("worse",),
                        metric="calibration_error",
                    ),
                    Claim(
                        says="Focal loss helps where a yes is rare.",
                        source=_LIN,
                        first="focal(alpha=0.75)",
                        second="binary_crossentropy",
                    ),
                    Claim(
                        says="Focal loss improves the calibration of networks.",
                        source="[Mukhoti et al., 2020](https://arxiv.org/abs/2002.09437)",
                        first="focal(alpha=0.75)",
                        second="binary_crossentropy",
                        metric="calibration_error",
                    ),
                ],
            )
        ],
    ),
)
