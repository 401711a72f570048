"""Keras' own losses, offered through the same hook as a plugin's.

Importing them, and reading their signatures, imports no Keras.
"""
