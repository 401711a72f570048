"""Losses of the collections as their users write them: the formula in array operations.

Each returns a value per sample, or one for the batch.
"""

from lossreg.lazy import ops


def triplet_semihard(y_true, y_pred):
    d, same = _distances(y_pred), _same(y_true)
    positive = ops.logical_and(same, ops.logical_not(_diagonal(d)))
    # Anchor, positive, negative.
    far = ops.expand_dims(d, 1)
    beyond = ops.logical_and(ops.expand_dims(~same, 1), far > ops.expand_dims(d, 2))
    nearest = ops.min(ops.where(beyond, far, 1e9), axis=2)
    farthest = ops.max(ops.where(same, 0.0, d), axis=1, keepdims=True)
    chosen = ops.where(ops.any(beyond, axis=2), nearest, farthest)
    positive = ops.cast(positive, d.dtype)
    return ops.sum(positive * ops.relu(d - chosen + 1)) / ops.sum(positive)


def triplet_hard(y_true, y_pred):
    d, same = _distances(y_pred), _same(y_true)
    farthest = ops.max(ops.where(same, d, 0.0), axis=1)
    nearest = ops.min(ops.where(same, 1e9, d), axis=1)
    return ops.relu(farthest - nearest + 1)


def lifted_structure(y_true, y_pred):
    d, same = _distances(y_pred), _same(y_true)
    positive = ops.cast(ops.logical_and(same, ops.logical_not(_diagonal(d))), d.dtype)
    negatives = ops.sum(ops.where(same, 0.0, ops.exp(1 - d)), axis=1)
    both = ops.log(ops.expand_dims(negatives, 1) + negatives) + d
    return ops.sum(positive * ops.square(ops.relu(both))) / (2 * ops.sum(positive))


def multi_similarity(y_true, y_pred):
    s, same = _cosines(y_pred), _same(y_true)
    positive = ops.logical_and(same, ops.logical_not(_diagonal(s)))
    least = ops.min(ops.where(positive, s, 1e9), axis=1, keepdims=True)
    most = ops.max(ops.where(same, -1e9, s), axis=1, keepdims=True)
    near = ops.logical_and(ops.logical_not(same), s + 0.1 > least)
    far = ops.logical_and(positive, s - 0.1 < most)
    pulled = ops.sum(ops.where(far, ops.exp(-2 * (s - 1)), 0.0), axis=1)
    pushed = ops.sum(ops.where(near, ops.exp(50 * (s - 1)), 0.0), axis=1)
    return ops.log1p(pulled) / 2 + ops.log1p(pushed) / 50


def supervised_contrastive(y_true, y_pred):
    logits, same = _cosines(y_pred) / 0.1, _same(y_true)
    others = ops.logical_not(_diagonal(logits))
    positive = ops.cast(ops.logical_and(same, others), logits.dtype)
    logits = logits - ops.max(logits, axis=1, keepdims=True)
    total = ops.sum(ops.exp(logits) * ops.cast(others, logits.dtype), axis=1)
    log_p = logits - ops.expand_dims(ops.log(total), 1)
    return -ops.sum(positive * log_p, axis=1) / ops.maximum(ops.sum(positive, axis=1), 1)


def lovasz_softmax(y_true, y_pred):
    classes = y_pred.shape[-1]
    y = ops.reshape(y_true, (y_pred.shape[0], -1, classes))
    p = ops.reshape(y_pred, (y_pred.shape[0], -1, classes))
    costs = present = 0
    for c in range(classes):
        errors = ops.abs(y[..., c] - p[..., c])
        order = ops.argsort(-errors, axis=1)
        errors = ops.take_along_axis(errors, order, axis=1)
        truth = ops.take_along_axis(y[..., c], order, axis=1)
        size = ops.sum(truth, axis=1, keepdims=True)
        shared = size - ops.cumsum(truth, axis=1)
        lost = 1 - shared / (size + ops.cumsum(1 - truth, axis=1))
        steps = ops.concatenate([lost[:, :1], lost[:, 1:] - lost[:, :-1]], axis=1)
        there = ops.cast(size[:, 0] > 0, p.dtype)
        costs = costs + there * ops.sum(errors * ops.stop_gradient(steps), axis=1)
        present = present + there
    return costs / present


def crps_ensemble(y_true, y_pred):
    apart = ops.abs(ops.expand_dims(y_pred, 1) - ops.expand_dims(y_pred, 2))
    return ops.mean(ops.abs(y_pred - y_true), axis=1) - ops.mean(apart, axis=(1, 2)) / 2


def _same(y_true):
    return ops.equal(ops.expand_dims(y_true, 1), y_true)


def _diagonal(matrix):
    return ops.cast(ops.eye(matrix.shape[0]), "bool")


def _distances(x):
    squares = ops.sum(ops.square(x), axis=1)
    squared = ops.expand_dims(squares, 1) - 2 * ops.matmul(x, ops.transpose(x)) + squares
    return ops.sqrt(ops.maximum(squared, 1e-12))


def _cosines(x):
    x = ops.normalize(x, axis=1)
    return ops.matmul(x, ops.transpose(x))
