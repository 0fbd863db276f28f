"""Mutation testing of the core: `python -m tests.mutants` changes the code a little, and the tests have to notice.

`operators` lists the small changes that can be made to a file, `runner` runs the tests against each of them, and
`equivalent.toml` names the changes that no test can notice, each with the reason.
"""
