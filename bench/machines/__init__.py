"""Several machines on one box, each a network namespace, for `bench/cluster.py`. Needs root, and Linux."""
