"""What the package offers, beside the packages whose formulas it takes."""

import pytest

import lossreg
from lossreg_addons import losses
from lossreg_addons.plugin import lossreg_losses

SIBLINGS = {
    "contrastive": "lossreg-metric",
    "giou": "lossreg-detection",
    "npairs": "lossreg-metric",
    "pinball": "lossreg-regression",
    "sparsemax": "lossreg-noise",
    "triplet_hard": "lossreg-metric",
    "triplet_semihard": "lossreg-metric",
    "weighted_kappa": "lossreg-ordinal",
}


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_bare_name_belongs_to_the_package_of_its_formula(name):
    assert lossreg.bind(name).provider.distribution == SIBLINGS[name]


def test_every_name_that_keras_registered_is_read():
    read = {name for spec in lossreg_losses() for name in spec.saved_as}
    for name in losses.__all__:
        # This function has no place in a model: it takes three tensors.
        assert f"Addons>{name}" in read or name == "sparsemax_loss"


def test_no_two_losses_read_one_name():
    read = [name for spec in lossreg_losses() for name in spec.saved_as]
    assert len(read) == len(set(read))
