"""Each loss in float64, written from its paper with plain loops."""

import math

import numpy as np


def apart(a, b, kind="euclidean"):
    if kind == "cosine":
        return 1 - cosine(a, b)
    squared = float(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)))
    return squared if kind == "squared_euclidean" else math.sqrt(squared)


def cosine(a, b):
    return float(np.dot(a, b) / math.sqrt(np.dot(a, a) * np.dot(b, b)))


def positives(y, a):
    return [i for i in range(len(y)) if y[i] == y[a] and i != a]


def negatives(y, a):
    return [i for i in range(len(y)) if y[i] != y[a]]


def triplet_semihard(y, x, margin=1.0, distance="euclidean"):
    costs = []
    for a in range(len(y)):
        to_negatives = sorted(apart(x[a], x[n], distance) for n in negatives(y, a))
        for p in positives(y, a):
            d = apart(x[a], x[p], distance)
            beyond = [each for each in to_negatives if each > d]
            chosen = beyond[0] if beyond else max(to_negatives, default=0.0)
            costs.append(max(0.0, d - chosen + margin))
    return sum(costs) / len(costs) if costs else 0.0


def triplet_hard(y, x, margin=1.0, soft=False, distance="euclidean"):
    values = []
    for a in range(len(y)):
        far = max((apart(x[a], x[p], distance) for p in positives(y, a)), default=0.0)
        near = min((apart(x[a], x[n], distance) for n in negatives(y, a)), default=far)
        values.append(math.log1p(math.exp(far - near)) if soft else max(0.0, far - near + margin))
    return values


def triplet_margin(y, triplets, margin=1.0, p=2.0, swap=False):
    def norm(v):
        return float(sum(abs(each) ** p for each in v)) ** (1 / p)

    values = []
    for a, positive, n in triplets:
        far = min(norm(a - n), norm(positive - n)) if swap else norm(a - n)
        values.append(max(0.0, norm(a - positive) - far + margin))
    return values


def contrastive(y, d, margin=1.0):
    return [
        t * each**2 + (1 - t) * max(0.0, margin - each) ** 2 for t, each in zip(y, d, strict=True)
    ]


def margin(y, x, margin=0.2, beta=1.2):
    costs = []
    for i in range(len(y)):
        costs += [max(0.0, margin + apart(x[i], x[j]) - beta) for j in positives(y, i)]
        costs += [max(0.0, margin + beta - apart(x[i], x[j])) for j in negatives(y, i)]
    costs = [cost for cost in costs if cost > 0]
    return sum(costs) / len(costs) if costs else 0.0


def lifted_structure(y, x, margin=1.0):
    costs = []
    for i in range(len(y)):
        for j in positives(y, i):
            pushed = [(i, k) for k in negatives(y, i)] + [(j, k) for k in negatives(y, j)]
            total = sum(math.exp(margin - apart(x[a], x[k])) for a, k in pushed)
            cost = max(0.0, math.log(total) + apart(x[i], x[j])) if total else 0.0
            costs.append(cost**2)
    return sum(costs) / (2 * len(costs)) if costs else 0.0


def cross_entropy(shares, logits):
    total = sum(math.exp(each - max(logits)) for each in logits)
    return sum(
        -t * (each - max(logits) - math.log(total)) for t, each in zip(shares, logits, strict=True)
    )


def npairs(y, s):
    rows = [[float(a == b) for b in y] for a in y]
    return [cross_entropy(np.array(t) / sum(t), row) for t, row in zip(rows, s, strict=True)]


def npairs_multilabel(y, s):
    values = []
    for own, row in zip(y, s, strict=True):
        common = [float(np.dot(own, other)) for other in y]
        values.append(cross_entropy(np.array(common) / sum(common), row) if sum(common) else 0.0)
    return values


def siglip(y, s, scale=10.0, bias=-10.0):
    return [
        sum(
            math.log1p(math.exp(-(1 if i == j else -1) * (scale * s[i][j] + bias)))
            for j in range(len(s))
        )
        for i in range(len(s))
    ]


def multi_similarity(y, x, alpha=2.0, beta=50.0, base=1.0, epsilon=0.1):
    values = []
    for a in range(len(y)):
        pulled = [cosine(x[a], x[p]) for p in positives(y, a)]
        pushed = [cosine(x[a], x[n]) for n in negatives(y, a)]
        if epsilon is not None:
            hardest = max(pushed, default=-math.inf), min(pulled, default=math.inf)
            pulled = [s for s in pulled if s - epsilon < hardest[0]]
            pushed = [s for s in pushed if s + epsilon > hardest[1]]
        values.append(
            math.log1p(sum(math.exp(-alpha * (s - base)) for s in pulled)) / alpha
            + math.log1p(sum(math.exp(beta * (s - base)) for s in pushed)) / beta
        )
    return values


def supervised_contrastive(y, x, temperature=0.1):
    values = []
    for i in range(len(y)):
        total = sum(math.exp(cosine(x[i], x[a]) / temperature) for a in range(len(y)) if a != i)
        nats = [-cosine(x[i], x[p]) / temperature + math.log(total) for p in positives(y, i)]
        values.append(sum(nats) / len(nats) if nats else 0.0)
    return values


def ntxent(y, views, temperature=0.1):
    every = [view for pair in views for view in pair]
    values = []
    for i in range(len(every)):
        total = sum(
            math.exp(cosine(every[i], every[a]) / temperature) for a in range(len(every)) if a != i
        )
        # The views of a sample are neighbours: 0 and 1, 2 and 3.
        values.append(math.log(total) - cosine(every[i], every[i ^ 1]) / temperature)
    return [(values[2 * i] + values[2 * i + 1]) / 2 for i in range(len(views))]


def info_nce(y, views, temperature=0.07, symmetric=False):
    values = []
    for i in range(len(views)):
        right = cosine(*views[i]) / temperature
        keys = sum(math.exp(cosine(views[i][0], v[1]) / temperature) for v in views)
        queries = sum(math.exp(cosine(v[0], views[i][1]) / temperature) for v in views)
        one, other = math.log(keys) - right, math.log(queries) - right
        values.append((one + other) / 2 if symmetric else one)
    return values


def barlow_twins(y, views, redundancy=0.005, epsilon=1e-5):
    a, b = (
        (view - view.mean(0)) / np.sqrt(view.var(0) + epsilon) for view in np.moveaxis(views, 1, 0)
    )
    c = a.T @ b / len(a)
    dims = range(len(c))
    return sum((1 - c[i, i]) ** 2 for i in dims) + redundancy * sum(
        c[i, j] ** 2 for i in dims for j in dims if i != j
    )


def vicreg(y, views, invariance=25.0, variance=25.0, covariance=1.0, epsilon=1e-4):
    a, b = np.moveaxis(views, 1, 0)
    total = invariance * np.mean((a - b) ** 2)
    for view in (a, b):
        dims = range(view.shape[1])
        c = np.cov(view.T, ddof=1)
        total += variance * np.mean([max(0, 1 - math.sqrt(c[i, i] + epsilon)) for i in dims])
        total += covariance * sum(c[i, j] ** 2 for i in dims for j in dims if i != j) / len(dims)
    return total


def with_margin(y, cosines, scale, turn):
    values = []
    for label, row in zip(y, cosines, strict=True):
        logits = [scale * (turn(c) if j == label else c) for j, c in enumerate(row)]
        values.append(cross_entropy(np.eye(len(row))[label], logits))
    return values


def arcface(y, cosines, margin=0.5, scale=64.0, easy_margin=False):
    def turn(c):
        angle = math.acos(c)
        if easy_margin:
            return math.cos(angle + margin) if c > 0 else c
        return (
            math.cos(angle + margin) if angle + margin <= math.pi else c - margin * math.sin(margin)
        )

    return with_margin(y, cosines, scale, turn)


def cosface(y, cosines, margin=0.35, scale=64.0):
    return with_margin(y, cosines, scale, lambda c: c - margin)


def soft_triple(y, cosines, margin=0.01, scale=20.0):
    return with_margin(y, cosines, scale, lambda c: c - margin)


def proxy_nca(y, cosines, scale=1.0, denominator="others"):
    values = []
    for label, row in zip(y, cosines, strict=True):
        far = [scale * (2 - 2 * c) for c in row]
        summed = [d for j, d in enumerate(far) if denominator == "all" or j != label]
        values.append(far[label] + math.log(sum(math.exp(-d) for d in summed)))
    return values


def proxy_anchor(y, cosines, margin=0.1, alpha=32.0):
    classes = range(len(cosines[0]))
    pulled, pushed = [], []
    for c in classes:
        own = [row[c] for row, label in zip(cosines, y, strict=True) if label == c]
        others = [row[c] for row, label in zip(cosines, y, strict=True) if label != c]
        pulled += [math.log1p(sum(math.exp(-alpha * (s - margin)) for s in own))] if own else []
        pushed.append(math.log1p(sum(math.exp(alpha * (s + margin)) for s in others)))
    return sum(pulled) / len(pulled) + sum(pushed) / len(pushed)
