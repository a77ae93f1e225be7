"""Runs the migrations on the connection that the caller opened; the caller commits.

The views are dropped before and rebuilt after: a renamed table fails under a view that names it (measured).
"""

from alembic import context

from storage.metadata import metadata
from storage.query import grant_views
from storage.views import create_views, drop_views

connection = context.config.attributes["connection"]
drop_views(connection)
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
create_views(connection)
grant_views(connection)
