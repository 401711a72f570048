"""The focal losses, offered to lossreg."""
