"""The ledger: entries, chain, Merkle tree, checkpoints and receipts."""
