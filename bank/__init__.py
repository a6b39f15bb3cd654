"""The credit bank: members, awards, HTTP API, pages and command line."""
