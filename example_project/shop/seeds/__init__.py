"""What a fresh shop holds. Each `seed` adds what is missing and never touches what is there."""
