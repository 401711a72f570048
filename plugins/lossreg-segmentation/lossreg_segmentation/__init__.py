"""Losses for segmentation, offered to lossreg, and the distance maps that one of them takes."""
