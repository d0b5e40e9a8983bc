"""Records that earlier code wrote are still read; records/profile.json is one from before targets."""

from pathlib import Path

from mobile_bnn.profile_records import Profile
from mobile_bnn.report import as_json
from mobile_bnn.run_folder import ModelFile, RunFolder

RECORD = Path(__file__).with_name("records") / "profile.json"


def test_a_profile_from_before_targets() -> None:
    profile = Profile.load(RECORD)
    assert profile.target == "local"
    assert [(each.engine, each.kernel, each.threads) for each in profile.measurements] == [
        ("delegate", "avx2", 1),
        ("delegate", "avx2", 2),
        ("lce", "bgemm", 1),
        ("lce", "bgemm", 2),
        ("lce", "indirect_bgemm", 1),
        ("lce", "indirect_bgemm", 2),
        ("litert", "xnnpack", 1),
        ("litert", "xnnpack", 2),
    ]
    assert profile.measurements[0].median_ms == 0.114785


def test_a_report_shows_it_until_the_target_is_measured_anew(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.old_profile.write_bytes(RECORD.read_bytes())
    assert [(each["target"], each["kernel"]) for each in as_json(run)["latency"]][:1] == [("local", "avx2")]
    new = Profile.load(RECORD).model_copy(update={"measurements": Profile.load(RECORD).measurements[:1]})
    new.save(run.profile())
    assert len(as_json(run)["latency"]) == 1


def test_a_profile_beside_a_file(tmp_path: Path) -> None:
    file = ModelFile(tmp_path / "my.tflite")
    (tmp_path / "my_profile.json").write_bytes(RECORD.read_bytes())
    assert file.profiles() == [tmp_path / "my_profile.json"]
    Profile.load(RECORD).save(file.profile())
    assert file.profiles() == [tmp_path / "my_profiles" / "local.json"]


def test_each_target_has_a_file_of_its_own(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    urls = ["adb://R58M/1", "local", "ssh://pi@10.0.0.2:22"]
    for url in urls:
        Profile.load(RECORD).model_copy(update={"target": url}).save(run.profile(url))
    assert [path.name for path in run.profiles()] == ["local.json", "adb-R58M%2F1.json", "ssh-pi@10.0.0.2%3A22.json"]
    assert {Profile.load(path).target for path in run.profiles()} == set(urls)
