"""Says why some ways of running this program are refused; for checks, and for whoever tries them."""

NO_ASGI = (
    "Under ASGI the code of several organisations takes turns in one thread, and nothing of ours was made or tested for that. "
    "Serve saas.wsgi, with threads."
)
NO_POOL = (
    "Psycopg's pool is not supported: its threads do not survive the fork in which a worker's children begin, and a connection that "
    "was put back is not closed when it has touched many schemas. A thread keeps a connection of its own (CONN_MAX_AGE)."
)
