"""The readers of price lists, one module each: `PROVIDER`, the `COMMAND` that prints the list, and `reading_of`."""
