"""The loss explorer: a page in which one moves the parameters of losses and sees their curves.

The JavaScript of the page is generated from the losses themselves. Importing it imports neither
Keras nor JAX, and no loss is written here a second time.
"""

from .page import ExplorerError, ExplorerPage, explorer_page
