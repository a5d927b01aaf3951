"""The field: as many different cars as asked for, of all classes."""

from hypothesis import given
from hypothesis import strategies as st

from replay.simulation.field import make_field
from replay.simulation.plan import Plan, plan_for


@given(st.integers(0, 10_000), st.integers(2, 90))
def test_cars_have_their_own_numbers_and_transponders(seed: int, cars: int) -> None:
    field = make_field(Plan(seed=seed, cars=cars))
    assert len(field) == cars
    assert len({car.number for car in field}) == cars
    assert len({car.transponder for car in field}) == cars
    assert len({driver.name for car in field for driver in car.drivers}) == sum(len(car.drivers) for car in field)
    assert all(len(car.paces) == len(car.drivers) for car in field)


def test_numbers_that_are_no_numbers_take_part() -> None:
    assert {"007", "7", "1A"} <= {car.number for car in make_field(Plan())}


def test_cars_with_two_drivers_are_as_many_as_planned() -> None:
    assert sum(len(car.drivers) == 2 for car in make_field(Plan(two_drivers=5))) == 5
    assert all(len(car.drivers) == 2 for car in make_field(plan_for("endurance")))


def test_faster_classes_start_further_ahead() -> None:
    field = make_field(plan_for("endurance"))
    places = {name: [i for i, car in enumerate(field) if car.class_ == name] for name in ("Prototype", "GT", "Touring")}
    mean = {name: sum(of) / len(of) for name, of in places.items()}
    assert mean["Prototype"] < mean["GT"] < mean["Touring"]
