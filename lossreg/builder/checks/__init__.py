"""Data that don't fit a loss, found before they train anything."""
