"""Who may use the tool: people, roles, passwords, sign-in, and what each role may open."""
