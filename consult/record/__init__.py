"""What happened: steps, the fold, identity, the store, the ledger, the database."""
