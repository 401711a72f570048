"""The losses of classes with an order, offered to lossreg."""
