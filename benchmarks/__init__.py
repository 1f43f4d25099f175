"""What a run costs beyond the provider's own time: each figure beside its floor and beside a common policy.

``python -m benchmarks`` prints one table. Every row is measured in one call, policies in turn, as medians; the
machine decides the seconds, so only the ratios of a row can be compared between machines.
"""
