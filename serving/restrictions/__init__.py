"""What a confirmed case may lead to for a while; always with an end, never a refusal."""
