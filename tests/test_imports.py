def test_nothing() -> None:
    import napari_medadv

    assert napari_medadv.__doc__
