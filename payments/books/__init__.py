"""The books, and what is known of people: exports, reports, evidence, and one person's data."""
