"""What accountants look for."""
