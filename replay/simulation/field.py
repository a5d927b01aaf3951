"""The field: invented teams and drivers, numbers as they are painted, and how fast each of them is."""

import unicodedata
from collections.abc import Iterator

from msgspec import Struct

from replay.simulation.dice import Dice
from replay.simulation.plan import ClassPlan, Plan
from timing.domain.events import Driver

_FIRST = (
    "Adèle", "Anouk", "Armand", "Baptiste", "Bérénice", "Blanche", "Célestin", "Clovis", "Cyprien", "Dimitri", "Edgar", "Élise", "Emeric",
    "Fleur", "Florian", "Gaspard", "Gerrit", "Hélène", "Honoré", "Ilse", "Isidore", "Jasper", "Joachim", "Katrin", "Lazare", "Léonie",
    "Ludvig", "Maëlle", "Marceau", "Marius", "Mathilde", "Nils", "Noémie", "Octave", "Ondřej", "Paola", "Philémon", "Quentin", "Raphaëlle",
    "Rémi", "Sander", "Sixtine", "Solène", "Tancrède", "Théodore", "Tobias", "Ulysse", "Valère", "Victoire", "Wim", "Xavier", "Yaël",
)  # fmt: skip
_LAST = (
    "Arbousset", "Aurillon", "Bellecombe", "Brandvik", "Cabirol", "Calvignac", "Castelmaur", "Chantepie", "Combelles", "Courtalys",
    "Dambrelin", "Delvauxhe", "Desprairies", "Esparrou", "Estivalet", "Falguières", "Fontbrune", "Garrigal", "Grandsaigne", "Hautecombe",
    "Hoogland", "Issanjou", "Jaurelle", "Kerlaouen", "Kesselring", "Labastie", "Lafontine", "Lindqvarn", "Malaussière", "Maravel",
    "Montaudran", "Mourèze", "Nogarède", "Olmières", "Orlandelli", "Pechbonnieu", "Peyrusse", "Puylaurent", "Quercyval", "Rabastel",
    "Rochemaure", "Roquefeuil", "Saint-Cirgue", "Salvagnat", "Sauveterre", "Tournefeuil", "Trévignin", "Ustarroz", "Vabrelles",
    "Valmajour", "Verdelhan", "Vernoubrel", "Weyland", "Zandvoordt",
)  # fmt: skip
_TEAMS = (
    "Écurie du Tarn", "Atelier Cassiopée", "Garonne Sport", "Rivière Racing", "Team Cigogne", "Équipe Mistral", "Pastel Compétition",
    "Scuderia Levante", "Noroît Motorsport", "Brume & Fils", "Causse Racing", "Lauragais Auto Sport", "Team Hirondelle", "Oc Compétition",
    "Meridian Racing", "Polder Motorsport", "Écurie Cardabelle", "Sept Collines",
)  # fmt: skip
_PAINTED = ("007", "1A", "7")  # numbers that a program keeping numbers as numbers would spoil


class Starter(Struct, frozen=True):
    """A car and who drives it. ``pace``: its lap against the circuit's best, at the start; ``steady``: how little its laps differ."""

    number: str
    class_: str
    team: str
    drivers: tuple[Driver, ...]
    paces: tuple[float, ...]
    steady: float
    transponder: str
    box_after_line: bool


def make_field(plan: Plan) -> list[Starter]:
    """Make the field in the order of its grid: that of the plan, or one that follows pace, but not slavishly."""
    dice = Dice(plan.seed if plan.field_seed is None else plan.field_seed, "field")
    classes = list(_classes(plan, dice))
    numbers = _numbers(plan.cars, dice)
    names = _names(dice)
    two = set(_some(dice, plan.cars, plan.two_drivers))
    transponders = _some(dice, 900_000, plan.cars)
    cars = []
    for index in range(plan.cars):
        kind = classes[index]
        drivers = tuple(_driver(names, kind.name) for _ in range(2 if index in two else 1))
        cars.append(
            Starter(
                numbers[index],
                kind.name,
                _TEAMS[(index // 2) % len(_TEAMS)],
                drivers,
                tuple(_pace(dice, kind) for _ in drivers),
                0.6 + 0.9 * dice.random(),
                str(6_100_000 + transponders[index]),
                (index // 2) % 2 == 1,
            )
        )
    if plan.grid:
        return sorted(cars, key=lambda car: plan.grid.index(car.number))
    qualifying = {car.number: car.paces[0] + 0.010 * dice.spread() for car in cars}
    return sorted(cars, key=lambda car: (qualifying[car.number], car.number))


def _classes(plan: Plan, dice: Dice) -> Iterator[ClassPlan]:
    whole = sum(kind.share for kind in plan.classes)
    each = [kind for kind in plan.classes for _ in range(max(1, plan.cars * kind.share // whole))]
    while len(each) < plan.cars:
        each.append(plan.classes[len(each) % len(plan.classes)])
    dice.shuffle(each)
    yield from each[: plan.cars]


def _pace(dice: Dice, kind: ClassPlan) -> float:
    talent = dice.random()
    return 1.0 + kind.slower / 1000 + 0.030 * talent * (0.35 + 0.65 * talent)


def _numbers(count: int, dice: Dice) -> list[str]:
    plain = [str(number) for number in range(2, 2 + 3 * count) if str(number) not in _PAINTED]
    dice.shuffle(plain)
    numbers = [*_PAINTED, *plain][:count]
    dice.shuffle(numbers)
    return numbers


def _some(dice: Dice, of: int, count: int) -> list[int]:
    """Pick ``count`` different ones of 0 to ``of`` - 1."""
    picked: dict[int, None] = {}
    while len(picked) < min(count, of):
        picked[dice.below(of)] = None
    return list(picked)


def _names(dice: Dice) -> Iterator[str]:
    last, first = list(_LAST), list(_FIRST)
    dice.shuffle(last)
    dice.shuffle(first)
    turn = 0
    while True:
        for index, name in enumerate(last):
            yield f"{first[(index * 5 + turn) % len(first)]} {name}"
        turn += 1


def _driver(names: Iterator[str], category: str) -> Driver:
    name = next(names)
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return Driver(id=plain.replace(" ", "-"), name=name, category=category)
