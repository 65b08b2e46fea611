"""`python -m bench`: what the product does a second, and where the time goes, beside yardsticks of the same run."""
