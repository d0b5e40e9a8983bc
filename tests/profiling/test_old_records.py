"""Records that earlier code wrote are still read; records/profile.json is one from before targets."""

from pathlib import Path

from mobile_bnn.records import Profile

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
