"""Makes the migrated databases that tests copy, before any test waits for them: beside the checks of `make test`."""

from tests import pristine
from tests.conftest import answers


def main() -> None:
    pristine.migrated_file()
    if answers(5432):
        pristine.postgresql_template(pristine.POSTGRESQL)


if __name__ == "__main__":
    main()
