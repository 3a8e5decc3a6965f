"""How two settings of a pool differ."""

from phone_numbers.pool_config import PoolConfig, difference

OURS = PoolConfig("918885", ("10.0.0.1", "10.0.0.2"), 99, ("9178605501", "9178605502"))


class DifferenceTests:
    def test_order_and_doubles_mean_nothing(self) -> None:
        theirs = PoolConfig.of("918885", "10.0.0.2, 10.0.0.1,10.0.0.1,", 99, ["9178605502", "9178605501", "9178605502"])

        assert not difference(OURS, theirs)
        assert OURS.same_as(theirs)

    def test_it_names_everything_that_changes(self) -> None:
        after = PoolConfig("918886", ("10.0.0.2", "10.0.0.3"), 0, ("9178605502", "9178605503"))

        found = difference(OURS, after)

        assert found
        assert (found.renamed, found.concurrency) == (("918885", "918886"), (99, 0))
        assert (found.added_addresses, found.removed_addresses) == (("10.0.0.3",), ("10.0.0.1",))
        assert (found.added_numbers, found.removed_numbers) == (("9178605503",), ("9178605501",))

    def test_where_nothing_was_all_is_added(self) -> None:
        found = difference(None, OURS)

        assert (found.renamed, found.concurrency) == (None, (None, 99))
        assert (found.added_addresses, found.added_numbers) == (OURS.addresses, OURS.numbers)

    def test_each_part_alone_is_a_difference(self) -> None:
        others = [
            PoolConfig("918886", OURS.addresses, 99, OURS.numbers),
            PoolConfig("918885", ("10.0.0.1",), 99, OURS.numbers),
            PoolConfig("918885", OURS.addresses, 98, OURS.numbers),
            PoolConfig("918885", OURS.addresses, 99, ()),
        ]

        assert all(not OURS.same_as(other) for other in others)
