from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.ledger.store import Ledger
from serving.keys import repository, service
from serving.keys.scopes import DESCRIPTIONS, Scope
from serving.keys.service import ApiKeyError, KeyGuard
from serving.problems import Forbidden, Unauthorized
from tests.support.service import Api, bearer, settings_of


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    yield ledger
    ledger.close()


def key_id(key: str) -> str:
    return key.split("_", 2)[1]


class TestCreate:
    def test_only_a_digest_is_kept(self, ledger: Ledger, tmp_path: Path) -> None:
        key = service.create(ledger, ["events:write"], "shop")
        secret = key.split("_", 2)[2]
        with ledger.read() as conn:
            stored = repository.find(conn, key_id(key))
        assert stored is not None
        assert stored.digest == hashlib.sha256(secret.encode()).digest()
        assert all(secret.encode() not in file.read_bytes() for file in tmp_path.glob("ledger.db*"))

    def test_secrets_have_256_bits(self, ledger: Ledger) -> None:
        keys = {service.create(ledger, ["events:write"]) for _ in range(5)}
        assert len(keys) == 5
        assert all(len(key.split("_", 2)[2]) == 43 for key in keys)

    @pytest.mark.parametrize("scopes", [[], ["events:read"], ["events:write", ""]])
    def test_scopes_must_be_known(self, ledger: Ledger, scopes: list[str]) -> None:
        with pytest.raises(ApiKeyError, match="events:write"):
            service.create(ledger, scopes)

    @pytest.mark.parametrize("label", ["x" * 101, "a\nb"])
    def test_labels_are_short_and_plain(self, ledger: Ledger, label: str) -> None:
        with pytest.raises(ApiKeyError, match="label"):
            service.create(ledger, ["events:write"], label)

    def test_every_scope_is_described(self) -> None:
        assert set(DESCRIPTIONS) == set(Scope)


class TestListAndRevoke:
    def test_oldest_first_without_secrets(self, ledger: Ledger) -> None:
        keys = [service.create(ledger, list(Scope), f"key {n}") for n in range(3)]
        listed = service.listing(ledger)
        assert [info.label for info in listed] == ["key 0", "key 1", "key 2"]
        assert listed[0].scopes == tuple(sorted(Scope))
        assert all(key.split("_", 2)[2] not in repr(listed) for key in keys)

    def test_revoking_twice_keeps_the_first_time(self, ledger: Ledger) -> None:
        key = service.create(ledger, ["events:write"])
        service.revoke(ledger, key_id(key))
        first = service.listing(ledger)[0].revoked_at
        service.revoke(ledger, key_id(key))
        assert service.listing(ledger)[0].revoked_at == first is not None

    def test_unknown(self, ledger: Ledger) -> None:
        with pytest.raises(ApiKeyError, match="keys list"):
            service.revoke(ledger, "nothing")


class TestGuard:
    def test_lets_a_key_with_the_scope_pass(self, ledger: Ledger) -> None:
        key = service.create(ledger, ["events:write"])
        guard = KeyGuard(ledger)
        guard.check(f"Bearer {key}", Scope.EVENTS_WRITE)
        guard.check(f"bearer  {key} ", Scope.EVENTS_WRITE)

    def test_scope(self, ledger: Ledger) -> None:
        key = service.create(ledger, ["events:write"])
        with pytest.raises(Forbidden, match="assessments:read"):
            KeyGuard(ledger).check(f"Bearer {key}", Scope.ASSESSMENTS_READ)

    def test_everything_else_is_refused(self, ledger: Ledger) -> None:
        key, other = (service.create(ledger, ["events:write"]) for _ in range(2))
        mixed = f"rw_{key_id(key)}_{other.split('_', 2)[2]}"
        guard = KeyGuard(ledger)
        for sent in (
            None,
            "",
            key,
            f"Basic {key}",
            "Bearer",
            "Bearer ",
            f"Bearer {key[:-1]}",
            f"Bearer {key}x",
            f"Bearer {mixed}",
            f"Bearer {key.upper()}",
            "Bearer rw_nothinghere_" + "a" * 43,
            f"Bearer {key} {key}",
        ):
            with pytest.raises(Unauthorized) as refused:
                guard.check(sent, Scope.EVENTS_WRITE)
            assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")

    def test_revoking_takes_effect_within_a_second(self, ledger: Ledger) -> None:
        key = service.create(ledger, ["events:write"])
        guard = KeyGuard(ledger)
        guard.check(f"Bearer {key}", Scope.EVENTS_WRITE)
        service.revoke(ledger, key_id(key))
        time.sleep(0.6)
        with pytest.raises(Unauthorized):
            guard.check(f"Bearer {key}", Scope.EVENTS_WRITE)


class TestOverHttp:
    @pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic abc", "Bearer rw_x_y"])
    @pytest.mark.parametrize("path", ["/v1/events", "/v1/assessments", "/v1/assessments/batch"])
    def test_refused(self, api: Api, path: str, authorization: str | None) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        response = api.client.post(path, json={}, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.headers["content-type"] == "application/problem+json"

    def test_comes_before_the_body(self, api: Api) -> None:
        response = api.client.post("/v1/events", content=b"{", headers={"Content-Type": "text/plain"})
        assert response.status_code == 401

    def test_revoked_while_in_use(self, api: Api, shared_home: Path) -> None:
        ledger = Ledger.open(settings_of(shared_home))
        key = service.create(ledger, ["events:write"])
        assert api.client.post("/v1/events", json={}, headers=bearer(key)).status_code == 422
        service.revoke(ledger, key_id(key))
        ledger.close()
        time.sleep(0.6)
        assert api.client.post("/v1/events", json={}, headers=bearer(key)).status_code == 401
