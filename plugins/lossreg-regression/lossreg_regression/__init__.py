"""Regression losses: quantiles, robust losses and distributions, offered to lossreg."""
