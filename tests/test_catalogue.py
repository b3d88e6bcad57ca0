"""A name is a module path."""

import pytest

from napari_medadv.attacks.pgd import PGD
from napari_medadv.catalogue import entry, name_of, names
from napari_medadv.errors import CatalogueError

HOME = "napari_medadv.attacks"


def test_the_folder_is_the_list() -> None:
    found = names(HOME)
    assert {"fgsm", "noise", "pgd"} <= set(found)
    assert not {"task", "perturb", "grid"} & set(found)


def test_an_entry_is_found_by_its_name_and_by_its_path() -> None:
    assert entry("pgd", HOME) is PGD
    assert entry("napari_medadv.attacks.pgd:PGD", HOME) is PGD
    assert name_of(PGD) == "pgd"


@pytest.mark.parametrize("name", ["pdg", "no_such_package:Thing", "napari_medadv.attacks.pgd:Pgd"])
def test_a_wrong_name_is_one_sentence(name: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        entry(name, HOME)
    assert "\n" not in str(caught.value)


def test_a_class_outside_the_folder_is_named_by_its_path() -> None:
    assert name_of(CatalogueError) == "napari_medadv.errors:CatalogueError"
