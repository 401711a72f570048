"""The losses of object detection, offered to lossreg."""
