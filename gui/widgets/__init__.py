"""Small parts that know no ExplorerState."""
