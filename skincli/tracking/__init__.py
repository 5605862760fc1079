"""MLflow, and the only room that imports it: runs, versions and aliases, the server."""
