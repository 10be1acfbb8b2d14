"""Small parts that know no Session."""
