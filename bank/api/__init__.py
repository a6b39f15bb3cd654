"""The bank over HTTP: routes that translate, and problem documents for what goes wrong."""
