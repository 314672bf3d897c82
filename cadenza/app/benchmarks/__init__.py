"""`cadenza bench`: what this machine does, always beside a baseline measured in the same run."""
