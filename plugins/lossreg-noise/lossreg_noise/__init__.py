"""Losses for noisy labels, offered to lossreg."""
