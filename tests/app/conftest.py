from tests.support.seeded import seeded, seeded_once, starting_point

__all__ = ["seeded", "seeded_once", "starting_point"]
