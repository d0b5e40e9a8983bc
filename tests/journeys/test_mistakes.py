"""What a user gets wrong about the data: each ends in one line that says what, why and how to go on."""

from pathlib import Path

import pytest
from journey_sources import write_photos

from mobile_bnn.data.memory import memory_bytes

TRAIN = ("train", "--zoo", "binary_lenet", "--epochs", "1", "--run", "runs/mine")
OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")


def refused(computer, *arguments):
    """The one line that a command ends in, and its exit code; nothing may have been made."""
    answer = computer.run([str(argument) for argument in arguments], computer.training)
    (line,) = answer.stderr.splitlines()
    assert answer.stdout == ""
    assert not (computer.training / "runs").exists()
    return answer.exit_code, line


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "'image_folder:' names no folder. For example: image_folder:photos"),
        ("~unknown-user/x", "~unknown-user/x begins with no user's home. Write the path in full"),
        ("/nowhere", "there is no image folder /nowhere"),
        ("~/nowhere", "there is no image folder HOME/nowhere"),
        (
            "nowhere",
            "there is no image folder nowhere in HOME/training, nor in HOME/training/runs/mine or a folder above it",
        ),
    ],
)
def test_folders_that_are_not_there(computer, name, told):
    expected = f"error: {told.replace('HOME', str(computer.home))}"
    assert refused(computer, *TRAIN, "--dataset", f"image_folder:{name}") == (2, expected)


def test_images_too_large_for_memory(computer):
    write_photos(computer.training / "photos", 4)
    code, line = refused(computer, *TRAIN, "--dataset", "image_folder:photos", "--set", "image_size=100000000")
    assert code == 2
    assert line.startswith(
        "error: a batch of 1 image of 100,000,000 × 100,000,000 pixels does not fit into memory: it takes at least "
    )
    assert line.endswith("Give a smaller size, --set image_size=N, or a smaller --batch-size")


@pytest.mark.skipif(
    not OVERCOMMIT.is_file() or OVERCOMMIT.read_text().strip() == "1", reason="this system promises memory it has not"
)
def test_a_net_too_large_for_memory(computer):
    """The images fit, but the weights of the first dense layer are four times as large as the memory."""
    write_photos(computer.training / "photos", 4)
    size = int((4 * memory_bytes() / 1024) ** 0.5)
    options = ("--batch-size", "1", "--set", f"image_size={size}")
    assert refused(computer, *TRAIN, "--dataset", "image_folder:photos", *options) == (
        1,
        "error: there is too little memory for this training. Give a smaller --batch-size, or a smaller image size: "
        "--set image_size=N",
    )


def test_a_size_that_the_images_do_not_have(computer):
    assert refused(computer, *TRAIN, "--dataset", "digits", "--set", "image_size=32") == (
        2,
        "error: image_size 32 does not fit digits, whose images are all 8 × 8. Leave image_size out, which is for "
        "images of varying size, or give the images' own: --set image_size=8",
    )


def test_a_size_that_the_net_cannot_take(computer):
    train = ("train", "--zoo", "quicknet_small", "--epochs", "9", "--run", "runs/mine", "--set")
    assert refused(computer, *train, "image_size=8", "--dataset", "digits") == (
        2,
        "error: quicknet_small cannot take images of 8x8: it needs at least 32x32. Choose another net or, for images "
        "that vary in size, a larger --set image_size=N",
    )


def test_damaged_photos_are_all_named(computer):
    photos = computer.training / "photos"
    write_photos(photos, 6)
    (photos / "apple red" / "photo 0.jpg").write_bytes(b"")
    (photos / "leaf [green]" / "photo 5.webp").write_bytes(b"<html>")
    assert refused(computer, *TRAIN, "--dataset", "image_folder:photos") == (
        1,
        f"error: cannot read 2 of the 18 images in {photos}: apple red/photo 0.jpg (its 0 bytes are no whole JPEG), "
        "leaf [green]/photo 5.webp (its 6 bytes are no whole WebP). Replace or remove them",
    )


@pytest.mark.slow
def test_photos_that_vanish_after_the_training(computer):
    photos = computer.training / "photos"
    write_photos(photos, 6)
    computer.mbnn(*TRAIN, "--dataset", "image_folder:photos")
    computer.mbnn("convert", "runs/mine")
    photos.rename(computer.home / "moved")
    answer = computer.run(["verify", "../training/runs/mine"], computer.elsewhere)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == f"error: there is no image folder {photos}\n"
    answer = computer.run(["convert", "../training/runs/mine"], computer.elsewhere)
    assert answer.exit_code == 0
    assert answer.stderr == f"compared on random inputs: there is no image folder {photos}\n"
