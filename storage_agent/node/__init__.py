"""The node as its requests and repairs see it: what it answers for, what it holds, what it signs."""
