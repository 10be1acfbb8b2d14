"""What acts: asks the lanes, and puts what comes back into the session."""
