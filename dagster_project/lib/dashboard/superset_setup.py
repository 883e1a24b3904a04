"""Run by Superset's own Python, never by ours: makes its database, the user, and imports the assets.

One process instead of Superset's four commands (`db upgrade`, `init`, `fab create-admin`, `import-dashboards`),
each of which loads for ten seconds; and `import-dashboards` leaves charts and datasets as they were imported before.

    python superset_setup.py FOLDER_OF_ASSETS USER < password
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(folder: Path, user: str, password: str) -> None:
    """Everything that `superset run` needs before it."""
    # Superset reads its configuration as it is imported
    from superset.app import create_app

    with create_app().app_context():
        _prepare(user, password)
        _import(folder, user)


def _prepare(user: str, password: str) -> None:
    from flask_migrate import upgrade
    from superset import appbuilder, security_manager

    upgrade()
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    found = security_manager.find_user(user)
    if found:
        security_manager.reset_password(found.id, password)
        return
    role = security_manager.find_role("Admin")
    security_manager.add_user(user, user, user, f"{user}@localhost", role, password)


def _import(folder: Path, user: str) -> None:
    from flask import g
    from superset import security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand

    g.user = security_manager.find_user(user)
    contents = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.yaml"))
    }
    ImportAssetsCommand(contents).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.stdin.read().strip())
