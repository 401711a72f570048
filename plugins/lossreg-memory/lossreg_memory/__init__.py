"""Losses that weigh others, learn from a teacher, or compute the last layer themselves."""
