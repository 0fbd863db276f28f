"""The file formats: one module each, behind the protocol of `files/format`."""
