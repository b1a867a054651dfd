"""The buyer's and the friend's side: requests, payments, refunds, and the wallets that carry them out."""
