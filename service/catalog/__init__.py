"""Items, their metadata and embeddings in a database: SQLite by default, PostgreSQL by URL."""
