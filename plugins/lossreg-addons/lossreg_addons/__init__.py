"""The losses of TensorFlow Addons, offered to lossreg and by the names that they had there.

`lossreg_addons.losses` stands for `tensorflow_addons.losses`, and `lossreg_addons.seq2seq` for the
loss of `tensorflow_addons.seq2seq`.
"""
