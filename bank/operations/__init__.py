"""Running a bank: whether a deployment is sound, its backups, its logs and its figures."""
