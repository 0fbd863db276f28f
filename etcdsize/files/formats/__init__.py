"""The file formats, one module each. They implement the protocol in `files/format`."""
