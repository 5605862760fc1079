"""What stands between strangers and the routes: names, keys, limits, headers."""
