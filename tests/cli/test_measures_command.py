"""Cases are scored by any kept version of the measures, named by number or digest."""

import json

from consult.instance import open_instance


def test_any_kept_version_scores_the_cases(consult, real):
    instance = open_instance(real)
    version, digest = instance.measures.version, instance.content.measures_digest
    instance.close()
    plain = json.loads(consult(real, "results", "--format", "json").stdout)
    for wanted in (version, digest, digest[:8]):
        known = json.loads(consult(real, "results", "--format", "json", "--measures-version", wanted).stdout)
        assert known.pop("measures_digest") == digest
        assert known == plain
    assert "is kept; these are" in consult(real, "results", "--measures-version", "7.7.7", code=1).stderr
    assert digest in consult(real, "measures", "list").stdout
    assert digest[:12] in consult(real, "results").stdout
    assert "0 cases with an outcome that differs" in consult(real, "measures", "compare", version, digest).stdout
