"""What training minimizes, term by term: losses, penalties, and constraints that hold or don't."""
