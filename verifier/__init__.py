"""The verifier: checks credentials and bundles offline, without I/O."""
