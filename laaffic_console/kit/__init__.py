"""The ground floor: what the pages of every app share. It knows none of them."""
