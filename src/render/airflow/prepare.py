"""Prepares the database: Airflow's tables, and the lab's three people, each with the role of its name.

Runs before the API server starts, every time, and only adds what is missing. Whom an administrator made stays.
"""
import os
import sys

# As `airflow db migrate` does it, but Airflow, which takes seconds, is loaded once for both.
from airflow.__main__ import main as airflow
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from werkzeug.security import check_password_hash

# As Op, but nothing that shows or changes where passwords are kept.
EDIT = "Edit"
NOT_FOR_EDIT = {"Connections", "Configurations"}
ROLES = {"admin": "Admin", "edit": EDIT, "view": "Viewer"}


def main():
    sys.argv = ["airflow", "db", "migrate"]
    airflow()
    have_users()


def have_users():
    with get_application_builder() as builder:
        security = builder.sm
        security.sync_roles()
        edit = security.find_role(EDIT) or security.add_role(EDIT)
        edit.permissions = [
            permission
            for permission in security.find_role("Op").permissions
            if permission.resource.name not in NOT_FOR_EDIT
        ]
        security.update_role(edit.id, EDIT)
        for name, role in ROLES.items():
            have_user(security, name, security.find_role(role), os.environ[f"{name.upper()}_PASSWORD"])


def have_user(security, name, role, password):
    """Makes a user, or gives the one who is there the Secret's password and the lab's role."""
    user = security.find_user(name)
    if user is None:
        user = security.add_user(name, name, "of the lab", f"{name}@lab.invalid", role, password)
        if not user:
            raise SystemExit(f"user {name} cannot be made")
    elif not check_password_hash(user.password, password):
        security.reset_password(user.id, password)
    if role not in user.roles:
        user.roles.append(role)
        security.update_user(user)


if __name__ == "__main__":
    main()
