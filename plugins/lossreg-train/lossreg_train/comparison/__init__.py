"""A comparison of losses: the same folds, seeds and budget for each, and what is noise.

The driver imports no Keras; each worker imports it once.
"""
