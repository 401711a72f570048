"""What this package offers to lossreg."""

from lossreg import LossSpec, hookimpl


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return the losses for noisy labels."""
    return [
        LossSpec(
            name="early_learning",
            target="lossreg_noise.early_learning:early_learning",
            summary="Cross-entropy that keeps a model near its own early predictions: ELR.",
            task=("multiclass",),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("elr",),
            example="lossreg_noise.examples:all_samples",
            per="sample",
            ignore_class=None,
            surrogate_gradient=True,
        ),
        LossSpec(
            name="symmetric_crossentropy",
            target="lossreg_noise.active_passive:symmetric_crossentropy",
            summary="Cross-entropy plus reverse cross-entropy, which tolerates wrong labels.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("sce",),
        ),
        LossSpec(
            name="reverse_crossentropy",
            target="lossreg_noise.active_passive:reverse_crossentropy",
            summary="Cross-entropy with label and prediction exchanged: bounded for wrong labels.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("rce",),
            bounded=True,
        ),
        LossSpec(
            name="normalized_crossentropy",
            target="lossreg_noise.active_passive:normalized_crossentropy",
            summary="Cross-entropy as a share of what all labels together would cost.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            bounded=True,
        ),
        LossSpec(
            name="active_passive",
            target="lossreg_noise.active_passive:active_passive",
            summary="Normalized plus reverse cross-entropy, both of which tolerate wrong labels.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("apl",),
            bounded=True,
        ),
        LossSpec(
            name="generalized_crossentropy",
            target="lossreg_noise.bounded:generalized_crossentropy",
            summary="Cross-entropy for one class of several that no sample can push above `1 / q`.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            bounded=True,
            exceptions={
                "names": "Keras' own loss is known by this name too, so ask for "
                "'lossreg-noise/generalized_crossentropy'."
            },
        ),
        LossSpec(
            name="jensen_shannon",
            target="lossreg_noise.bounded:jensen_shannon",
            summary="Jensen-Shannon divergence of label and prediction, bounded for wrong labels.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("js_divergence",),
            bounded=True,
        ),
        LossSpec(
            name="bootstrapping_soft",
            target="lossreg_noise.bootstrap:bootstrapping_soft",
            summary="Cross-entropy with labels mixed with the model's own probabilities.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
        ),
        LossSpec(
            name="bootstrapping_hard",
            target="lossreg_noise.bootstrap:bootstrapping_hard",
            summary="Cross-entropy with labels mixed with the model's own most likely class.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
        ),
        LossSpec(
            name="bi_tempered_logistic",
            target="lossreg_noise.softmaxes:bi_tempered_logistic",
            summary="Cross-entropy with a bounded logarithm and a heavy-tailed softmax.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="logits",
            aliases=("bi_tempered",),
            bounded=True,
        ),
        LossSpec(
            name="taylor_crossentropy",
            target="lossreg_noise.softmaxes:taylor_crossentropy",
            summary="Cross-entropy of a softmax with a polynomial in place of the exponential.",
            task=("multiclass",),
            y_true=("one_hot", "integer"),
            y_pred="logits",
        ),
        LossSpec(
            name="sparsemax",
            target="lossreg_noise.softmaxes:sparsemax",
            summary="Loss of the sparsemax, which gives unlikely classes a probability of 0.",
            task=("multiclass",),
            y_true=("one_hot", "integer"),
            y_pred="logits",
        ),
    ]
