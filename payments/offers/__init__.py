"""Which wallets an order is offered, and why not the others."""
