"""Losses for imbalanced classes, offered to lossreg."""
