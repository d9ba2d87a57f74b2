"""How fast bea is from commit to commit: ``cd benchmarks && asv run``."""
