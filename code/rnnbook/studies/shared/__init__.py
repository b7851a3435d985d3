"""What several studies share, and no study itself."""
