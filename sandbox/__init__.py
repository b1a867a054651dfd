"""The sandbox wallet: another company, which pays with play money and knows nothing of us."""
