"""What accountants see in lists."""
