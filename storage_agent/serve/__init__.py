"""The agent's HTTP side: parse, check, answer. What it answers is described in docs/spec/09-agent-http.md."""
