"""Keras' own losses, offered as any plugin offers its own."""
