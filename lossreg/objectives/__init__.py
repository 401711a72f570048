"""What training minimizes, term by term: losses, penalties, and whether constraints hold.

Nothing here trains a model or changes it; `objective` imports Keras when it is called.
"""

from .report import Objective, objective
from .terms import ConstraintState, Term
