"""The definition: loading and checking TOML, rules, the path; knows nothing of the rest."""
