"""What is known at a moment about a customer, and about the address, card, device and product of a return."""
