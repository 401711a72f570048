"""The losses of metric learning, offered to lossreg."""
