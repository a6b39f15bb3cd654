"""Credentials: Open Badges 3.0 documents, proofs, status lists and QR codes."""
